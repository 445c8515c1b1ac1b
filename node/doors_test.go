package node

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hotfolderd/admin"
	"hotfolderd/config"
)

// door is one way to change something by HTTP.
type door struct {
	what, method, target string
	body                 []byte
	chunked              bool // its size is not told
	headers              []string
}

// through sends a request by a door.
func (r *running) through(d door) (*http.Response, []byte) {
	r.t.Helper()
	var body io.Reader = bytes.NewReader(d.body)
	if d.chunked {
		body = io.MultiReader(body)
	}
	return r.send(d.method, d.target, body, d.headers...)
}

// isProblem holds an answer against a status and the word of a problem, which must also say one thing for people.
func isProblem(t *testing.T, what string, resp *http.Response, text []byte, status int, word, says string) {
	t.Helper()
	var p struct{ Type, Title, Detail string }
	err := json.Unmarshal(text, &p)
	if resp.StatusCode != status || err != nil || p.Type != "urn:hotfolderd:problem:"+word || !strings.Contains(p.Detail, says) ||
		resp.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%s: want %d, %s and %q, got %s %s %s", what, status, word, says, resp.Status, resp.Header.Get("Content-Type"), text)
	}
	if status == http.StatusServiceUnavailable && resp.Header.Get("Retry-After") == "" {
		t.Errorf("%s: want Retry-After, got %v", what, resp.Header)
	}
}

// tusOf begins an upload of that many bytes.
func tusOf(name string, size int) door {
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	return door{"tus, the beginning", "POST", "/v1/uploads", nil, false, []string{
		"Tus-Resumable", "1.0.0", "Upload-Length", fmt.Sprint(size),
		"Upload-Metadata", "hotfolder " + encode("inbox") + ",path " + encode(name),
	}}
}

func tusPiece(at string, from int, body []byte) door {
	return door{"tus, a piece", "PATCH", at, body, false, []string{
		"Tus-Resumable", "1.0.0", "Upload-Offset", fmt.Sprint(from), "Content-Type", "application/offset+octet-stream",
	}}
}

// begun is the address of a tus upload.
func (r *running) begun(name string, size int) string {
	r.t.Helper()
	resp, text := r.through(tusOf(name, size))
	if resp.StatusCode != http.StatusCreated {
		r.t.Fatalf("want an upload begun, got %s %s", resp.Status, text)
	}
	return resp.Header.Get("Location")
}

// newJob makes a batch job.
func (r *running) newJob(request string) admin.Job {
	r.t.Helper()
	resp, text := r.send("POST", "/v1/jobs", strings.NewReader(request))
	var j admin.Job
	if err := json.Unmarshal(text, &j); err != nil || resp.StatusCode != http.StatusCreated {
		r.t.Fatalf("want a job, got %s %s", resp.Status, text)
	}
	return j
}

// The body is small enough for the server to read its rest, so that the answer always arrives.
func TestDoors_aFullStoreAnswers507AndWhatToDo(t *testing.T) {
	if !mayMount(t) {
		return
	}
	disk := tmpfs(t, "size=16m")
	r := start(t, withWeb(options(t, filepath.Join(disk, "store"), rule("inbox"))))
	within(t, 30*time.Second, "active", func() bool { return r.State() == "active" })
	within(t, 20*time.Second, "the hotfolder watched", func() bool { return len(r.room.Status()) == 1 })
	body := jpeg(240<<10, 1)
	at, j := r.begun("begun.jpg", len(body)), r.newJob(`{}`)
	doors := []door{
		{"drop", "PUT", "/v1/hotfolders/inbox/a.jpg", body, false, nil},
		{"drop of unknown size", "PUT", "/v1/hotfolders/inbox/b.jpg", body, true, nil},
		{"file", "PUT", "/v1/workarea/a.jpg", body, false, nil},
		{"file of a job", "PUT", j.Files + "a.jpg", body, false, nil},
		{"asset", "PUT", "/v1/assets/a.jpg", body, false, nil},
		{"WebDAV", "PUT", "/dav/inbox/c.jpg", body, false, nil},
		{"WebDAV of unknown size", "PUT", "/dav/inbox/d.jpg", body, true, nil},
		tusOf("new.jpg", len(body)),
		tusPiece(at, 0, body),
	}
	free := fillSpace(t, disk, 64<<10)
	for _, d := range doors {
		resp, text := r.through(d)
		isProblem(t, d.what, resp, text, http.StatusInsufficientStorage, "store-full", "nothing was stored: remove what is not needed")
	}
	if found := drops(t, r.dir); len(found) != 0 {
		t.Errorf("want no drop, got %q", found)
	}
	free()
	for _, d := range doors[:len(doors)-1] {
		if resp, text := r.through(d); resp.StatusCode != http.StatusCreated {
			t.Errorf("%s: want it taken when there is room, got %s %s", d.what, resp.Status, text)
		}
	}
	resp, _ := r.send("HEAD", at, nil, "Tus-Resumable", "1.0.0")
	var from int
	if _, err := fmt.Sscan(resp.Header.Get("Upload-Offset"), &from); err != nil || from > len(body) {
		t.Fatalf("want the offset, got %s %v", resp.Status, resp.Header)
	}
	if resp, text := r.through(tusPiece(at, from, body[from:])); resp.StatusCode != http.StatusNoContent {
		t.Errorf("want the upload gone on with, got %s %s", resp.Status, text)
	}
	for _, name := range []string{"a.jpg", "b.jpg", "c.jpg", "d.jpg", "begun.jpg"} {
		r.expect(name, body)
	}
}

func TestDoors_aUsedUpQuotaAnswers507AndWhatToDo(t *testing.T) {
	r := dropping(t)
	j := r.newJob(`{"quota": "100KiB"}`)
	for _, chunked := range []bool{false, true} {
		resp, text := r.through(door{"PUT", "PUT", j.Files + "a.bin", make([]byte, 200<<10), chunked, nil})
		isProblem(t, "over the quota", resp, text, http.StatusInsufficientStorage, "store-full", "give it more room")
		if !bytes.Contains(text, []byte("quota")) {
			t.Errorf("want the quota named, got %s", text)
		}
	}
}

// What a node that must not write refuses can be sent again, and says when; what is there can be read.
func TestDoors_aNodeThatMayNotWriteAnswers503(t *testing.T) {
	r := dropping(t, func(c *config.Rule) { c.Paused = true })
	body := jpeg(20<<10, 1)
	for _, target := range []string{"/v1/assets/there.jpg", "/v1/workarea/there.jpg", "/dav/inbox/there.jpg", "/dav/inbox/._there.jpg"} {
		if resp, text := r.send("PUT", target, bytes.NewReader(body)); resp.StatusCode != http.StatusCreated {
			t.Fatalf("PUT %s: want 201, got %s %s", target, resp.Status, text)
		}
	}
	at, j := r.begun("begun.jpg", len(body)), r.newJob(`{}`)
	lock := []byte(`<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockinfo>`)
	doors := []door{
		{"drop", "PUT", "/v1/hotfolders/inbox/a.jpg", body, false, nil},
		{"asset", "PUT", "/v1/assets/a.jpg", body, false, nil},
		{"asset removed", "DELETE", "/v1/assets/there.jpg", nil, false, nil},
		{"file", "PUT", "/v1/workarea/a.jpg", body, false, nil},
		{"file removed", "DELETE", "/v1/workarea/there.jpg", nil, false, nil},
		{"job", "POST", "/v1/jobs", []byte("{}"), false, nil},
		{"job renewed", "POST", "/v1/jobs/" + j.ID + "/renew", nil, false, nil},
		{"job ended", "DELETE", "/v1/jobs/" + j.ID, nil, false, nil},
		{"file of a job", "PUT", j.Files + "a.jpg", body, false, nil},
		{"WebDAV", "PUT", "/dav/inbox/c.jpg", body, false, nil},
		{"WebDAV, of a system", "PUT", "/dav/inbox/._c.jpg", body, false, nil},
		{"WebDAV, a placeholder", "PUT", "/dav/inbox/d.jpg", nil, false, nil},
		{"WebDAV, a lock of a new name", "LOCK", "/dav/inbox/e.jpg", lock, false, nil},
		{"WebDAV, a folder", "MKCOL", "/dav/inbox/f", nil, false, nil},
		{"WebDAV, removed", "DELETE", "/dav/inbox/there.jpg", nil, false, nil},
		{"WebDAV, moved", "MOVE", "/dav/inbox/there.jpg", nil, false, []string{"Destination", "/dav/inbox/g.jpg"}},
		{"WebDAV, copied", "COPY", "/dav/inbox/there.jpg", nil, false, []string{"Destination", "/dav/inbox/h.jpg"}},
		tusOf("new.jpg", len(body)),
		tusPiece(at, 0, body),
		{"tus, given up", "DELETE", at, nil, false, []string{"Tus-Resumable", "1.0.0"}},
	}
	for _, state := range []admin.State{admin.ReadOnly, admin.Draining} {
		r.becomes(state)
		for _, d := range doors {
			resp, text := r.through(d)
			isProblem(t, string(state)+": "+d.what, resp, text, http.StatusServiceUnavailable, "read-only", string(state))
		}
		for _, target := range []string{"/v1/assets/there.jpg", "/v1/workarea/there.jpg", "/dav/inbox/there.jpg", "/v1/jobs/" + j.ID} {
			if resp, text := r.send("GET", target, nil); resp.StatusCode != http.StatusOK {
				t.Errorf("%s: GET %s: want it read, got %s %s", state, target, resp.Status, text)
			}
		}
		if resp, text := r.send("HEAD", at, nil, "Tus-Resumable", "1.0.0"); resp.StatusCode != http.StatusOK || resp.Header.Get("Upload-Offset") != "0" {
			t.Errorf("%s: want the offset told, got %s %s", state, resp.Status, text)
		}
	}
	r.becomes(admin.Active)
	if resp, text := r.through(tusPiece(at, 0, body)); resp.StatusCode != http.StatusNoContent {
		t.Errorf("want the upload gone on with, got %s %s", resp.Status, text)
	}
}

// becomes puts a node that is alone into a state.
func (r *running) becomes(state admin.State) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state, r.why = state, "the test wants it"
}

// What the protocol of a door only names is told as what to do.
func TestDoors_whatATusClientDoesWrongIsToldAsWhatToDo(t *testing.T) {
	r := dropping(t)
	at := r.begun("begun.jpg", 10)
	bare := tusPiece(at, 0, []byte("x"))
	bare.headers = bare.headers[2:]
	nowhere := tusPiece("/v1/uploads/AAAAAAAAAAAAAAAAAAAAAAAAAA.inbox", 0, []byte("x"))
	endless := tusOf("endless.jpg", 0)
	endless.headers = append(endless.headers[:2:2], endless.headers[4:]...)
	for _, c := range []struct {
		d          door
		status     int
		word, says string
	}{
		{tusPiece(at, 5, []byte("x")), 409, "conflict", "ask for it with HEAD"},
		{nowhere, 404, "not-found", "begin a new one with POST"},
		{bare, 412, "condition-failed", "send Tus-Resumable: 1.0.0"},
		{endless, 400, "bad-request", "send Upload-Length"},
	} {
		resp, text := r.through(c.d)
		isProblem(t, c.d.what, resp, text, c.status, c.word, c.says)
	}
	resp, text := r.send("GET", "/v1/jobs/none/files/a", nil)
	isProblem(t, "a file of no job", resp, text, 404, "not-found", `there is no job "none"`)
}

// Of most errors the library of WebDAV knows the status alone.
func TestDoors_whatAMountedFolderCannotDoIsAProblem(t *testing.T) {
	r := dropping(t)
	if resp, text := r.send("MKCOL", "/dav/inbox/there", nil); resp.StatusCode != http.StatusCreated {
		t.Fatalf("want a folder, got %s %s", resp.Status, text)
	}
	for _, c := range []struct {
		method, target string
		status         int
		word, says     string
	}{
		{"GET", "/dav/inbox/none", 404, "not-found", "nothing of that name"},
		{"PUT", "/dav/nowhere/a.jpg", 409, "conflict", "make it first"},
		{"MKCOL", "/dav/inbox/a/b", 409, "conflict", "make it first"},
		{"MKCOL", "/dav/inbox/there", 405, "method-not-allowed", "there already"},
		{"MOVE", "/dav/inbox/none", 400, "bad-request", "not as WebDAV has it"},
		{"DELETE", "/dav/inbox", 403, "forbidden", "hotfolders are made by rules"},
	} {
		resp, text := r.send(c.method, c.target, nil)
		isProblem(t, c.method+" "+c.target, resp, text, c.status, c.word, c.says)
	}
}
