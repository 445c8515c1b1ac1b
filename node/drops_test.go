package node

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"hotfolderd/admin"
	"hotfolderd/asset"
	"hotfolderd/config"
)

// dropping runs a node with the door for drops by HTTP.
func dropping(t *testing.T, change ...func(*config.Rule)) *running {
	t.Helper()
	o := options(t, t.TempDir(), rule("inbox", change...))
	o.Settings.Node.Roles = append(o.Settings.Node.Roles, config.RoleWeb)
	o.Settings.HTTP.Listen = "127.0.0.1:0"
	r := start(t, o)
	within(t, 20*time.Second, "active", func() bool { return r.State() == "active" })
	within(t, 20*time.Second, "the hotfolder watched", func() bool { return len(r.room.Status()) == 1 })
	return r
}

// send makes one request to the node.
func (r *running) send(method, target string, body io.Reader, headers ...string) (*http.Response, []byte) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, "http://"+r.Addr()+target, body)
	if err != nil {
		r.t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp, text
}

// put drops bytes, and wants that status.
func (r *running) put(target string, data []byte, want int, headers ...string) (d admin.Drop, text string) {
	r.t.Helper()
	resp, answer := r.send("PUT", target, bytes.NewReader(data), headers...)
	if resp.StatusCode != want {
		r.t.Fatalf("PUT %s: want %d, got %s %s", target, want, resp.Status, answer)
	}
	_ = json.Unmarshal(answer, &d) // a problem is none
	return d, string(answer)
}

// Who waits is told as what the file was imported; its door is in the journal, and it needed no settling.
func TestDrops_theAnswerSaysAsWhatItWasImported(t *testing.T) {
	r := dropping(t, func(c *config.Rule) { c.Complete.Settle = config.Duration(time.Hour) })
	data := []byte("no format proves this")
	d, _ := r.put("/v1/hotfolders/inbox/sub/a.txt?wait=20s", data, 201)
	if d.State != admin.DropImported || d.Name != "inbox/sub/a.txt" || d.Number != 1 || d.Hash != asset.Hash(sha256.Sum256(data)) || d.ID == "" {
		t.Errorf("want it imported as inbox/sub/a.txt, got %+v", d)
	}
	r.expect("sub/a.txt", data)
	within(t, 10*time.Second, "its event", func() bool { return r.last("sub/a.txt").Result == asset.Imported })
	if e := r.last("sub/a.txt"); e.Door != asset.DoorHTTP || e.Drop != d.ID || !strings.HasPrefix(e.Settled, "known") {
		t.Errorf("want it known by http, got %s, %s", e.Door, e.Settled)
	}
	if d, _ := r.put("/v1/hotfolders/inbox/sub/a.txt", []byte("another"), 201, "Prefer", "wait=20"); d.Number != 2 {
		t.Errorf("want version 2, got %+v", d)
	}
}

// What the rule refuses is refused before a byte was asked for: the client waits for 100 Continue and never gets it.
func TestDrops_areRefusedBeforeTheBytes(t *testing.T) {
	r := dropping(t, func(c *config.Rule) { c.Match.Include, c.Match.MaxSize = []string{"*.jpg"}, 1000 })
	write(t, r.inbox("folder.jpg/x.jpg"), jpeg(500, 1))
	for _, x := range []struct {
		target string
		size   int
		want   int
		words  string
	}{
		{"/v1/hotfolders/inbox/a.txt", 10, 422, "takes no file of that name"},
		{"/v1/hotfolders/inbox/.hidden.jpg", 10, 422, "takes no file of that name"},
		{"/v1/hotfolders/inbox/.hotfolderd/a.jpg", 10, 422, "reserved"},
		{"/v1/hotfolders/inbox/a.jpg", 1001, 413, "at most 1000 bytes"},
		{"/v1/hotfolders/inbox/a.jpg", 0, 422, "empty"},
		{"/v1/hotfolders/nowhere/a.jpg", 10, 404, "no hotfolder"},
	} {
		asked := false
		body := readerFunc(func([]byte) (int, error) { asked = true; return 0, io.ErrUnexpectedEOF })
		req, err := http.NewRequestWithContext(t.Context(), "PUT", "http://"+r.Addr()+x.target, body)
		if err != nil {
			t.Fatal(err)
		}
		req.ContentLength = int64(x.size)
		if x.size == 0 {
			req.Body = http.NoBody
		}
		req.Header.Set("Expect", "100-continue")
		client := &http.Client{Transport: &http.Transport{ExpectContinueTimeout: time.Minute}}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != x.want || !strings.Contains(string(text), x.words) || asked {
			t.Errorf("%s of %d bytes: want %d with %q and no byte read, got %s %s, read %v", x.target, x.size, x.want, x.words, resp.Status, text, asked)
		}
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// However a name is spelled, it leads nowhere but into its hotfolder.
func TestDrops_hostileNamesLeadNowhere(t *testing.T) {
	r := dropping(t)
	for _, path := range []string{
		"../a", "%2e%2e/a", "..%2fa", "%2e%2e%2fa", "a/../../b", "a/%2e%2e/b", "a//b", "a%2f%2fb", "%2fetc/passwd", "/etc", "a/", "a%00b", "%",
		"%2", "a/./b", "a/%2e/b", strings.Repeat("x", 256), strings.Repeat("y/", 2100) + "z", "..%5c../a/../b",
	} {
		req, err := http.NewRequestWithContext(t.Context(), "PUT", "http://"+r.Addr()+"/", strings.NewReader("hostile"))
		if err != nil {
			t.Fatal(err)
		}
		req.URL.Opaque = "//" + r.Addr() + "/v1/hotfolders/inbox/" + path
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode/100 != 4 {
			t.Errorf("%.60s: want it refused, got %s", path, resp.Status)
		}
	}
	if found := drops(t, r.dir); len(found) != 0 {
		t.Errorf("want nothing stored, got %q", found)
	}
}

// drops are the files in the hotfolder.
func drops(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir + "/hotfolders/inbox")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestDrops_aDigestMustHold(t *testing.T) {
	r := dropping(t)
	data := []byte("these bytes")
	sum := sha256.Sum256(data)
	good := "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
	r.put("/v1/hotfolders/inbox/good.txt?wait=20s", data, 201, "Repr-Digest", "sha-512=:AAAA:, "+good)
	r.put("/v1/hotfolders/inbox/also.txt?wait=20s", data, 201, "Content-Digest", good)
	_, text := r.put("/v1/hotfolders/inbox/bad.txt", []byte("other bytes"), 400, "Repr-Digest", good)
	if !strings.Contains(text, "SHA-256") {
		t.Errorf("want the reason, got %s", text)
	}
	r.put("/v1/hotfolders/inbox/bad.txt", data, 400, "Repr-Digest", "sha-256=none")
	if found := drops(t, r.dir); len(found) != 0 {
		t.Errorf("want nothing left, got %q", found)
	}
}

// Uploads of one name at the same time are all drops: none is lost, whichever comes first.
func TestDrops_ofOneNameAtOnceAreAllImported(t *testing.T) {
	r := dropping(t)
	const uploads = 12
	var all sync.WaitGroup
	for i := range uploads {
		all.Go(func() {
			req, err := http.NewRequestWithContext(t.Context(), "PUT", "http://"+r.Addr()+"/v1/hotfolders/inbox/a.txt", strings.NewReader(fmt.Sprintf("upload %d", i)))
			if err != nil {
				t.Error(err)
				return
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			resp.Body.Close()
			if resp.StatusCode/100 != 2 {
				t.Errorf("want it taken, got %s", resp.Status)
			}
		})
	}
	all.Wait()
	within(t, time.Minute, "all imported", func() bool { return r.number("inbox/a.txt") == uploads })
}

// While a hotfolder is paused a second drop of one name waits for the first, and both are imported when it goes on.
func TestDrops_waitForTheOneThatHasTheirName(t *testing.T) {
	r := dropping(t)
	if err := r.pause(t.Context(), "inbox", true); err != nil {
		t.Fatal(err)
	}
	r.put("/v1/hotfolders/inbox/a.txt", []byte("first"), 201)
	d, _ := r.put("/v1/hotfolders/inbox/a.txt", []byte("second"), 202)
	if d.State != admin.DropWaiting || d.ID != "" {
		t.Errorf("want it waiting, got %+v", d)
	}
	if err := r.pause(t.Context(), "inbox", false); err != nil {
		t.Fatal(err)
	}
	within(t, time.Minute, "both imported, in their order", func() bool {
		return r.number("inbox/a.txt") == 2 && string(imported(t, r.Area(), "inbox/a.txt")) == "second"
	})
}

// Who sent a file by tus can wait for its end at any time, also while an earlier drop has its name.
func TestDrops_whatAnUploadBecameIsTold(t *testing.T) {
	r := dropping(t, func(c *config.Rule) { c.Conflict = asset.ConflictReject })
	upload := func(text string) string {
		resp, _ := r.send(http.MethodPost, "/v1/uploads", strings.NewReader(text), "Tus-Resumable", "1.0.0", "Content-Type", "application/offset+octet-stream",
			"Upload-Length", strconv.Itoa(len(text)), "Upload-Metadata", "hotfolder aW5ib3g=,path YS50eHQ=")
		if resp.StatusCode != http.StatusCreated {
			t.Fatalf("want it taken, got %s", resp.Status)
		}
		return "/v1/drops/" + path.Base(resp.Header.Get("Location"))
	}
	told := func(at string) (d admin.Drop) {
		resp, text := r.send(http.MethodGet, at, nil)
		if err := json.Unmarshal(text, &d); err != nil || resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %s, %v\n%s", at, resp.Status, err, text)
		}
		return d
	}
	if err := r.pause(t.Context(), "inbox", true); err != nil {
		t.Fatal(err)
	}
	first, second := upload("first"), upload("second")
	if one, two := told(first), told(second); one.State != admin.DropStored || two.State != admin.DropWaiting || two.Size != 6 || two.Story == "" {
		t.Errorf("want one stored and one waiting, got %+v, %+v", one, two)
	}
	if err := r.pause(t.Context(), "inbox", false); err != nil {
		t.Fatal(err)
	}
	if d := told(first + "?wait=60s"); d.State != admin.DropImported || d.Name != "inbox/a.txt" || d.Number != 1 {
		t.Errorf("want it imported, got %+v", d)
	}
	if d := told(second + "?wait=60s"); d.State != admin.DropFailed || !strings.Contains(d.Reason, "taken") {
		t.Errorf("want it failed, got %+v", d)
	}
	if resp, text := r.send(http.MethodGet, "/v1/drops/nothing.inbox", nil); resp.StatusCode != http.StatusNotFound {
		t.Errorf("want none, got %s %s", resp.Status, text)
	}
}

// A drop that stays after its import gives way to the next one of its name.
func TestDrops_replaceWhatWasImportedAndKept(t *testing.T) {
	r := dropping(t, func(c *config.Rule) { c.After = config.AfterKeep })
	for i := range 3 {
		d, _ := r.put("/v1/hotfolders/inbox/a.txt?wait=20s", []byte(fmt.Sprintf("upload %d", i)), 201)
		if d.State != admin.DropImported || d.Number != i+1 {
			t.Errorf("want version %d, got %+v", i+1, d)
		}
	}
}

// Who waits for a drop that cannot be imported is told why.
func TestDrops_aFailureIsTold(t *testing.T) {
	r := dropping(t, func(c *config.Rule) { c.Conflict = asset.ConflictReject })
	r.put("/v1/hotfolders/inbox/a.txt?wait=20s", []byte("first"), 201)
	_, text := r.put("/v1/hotfolders/inbox/a.txt?wait=20s", []byte("second"), 422)
	if !strings.Contains(text, "could not be imported") || !strings.Contains(text, "taken") {
		t.Errorf("want the reason in words, got %s", text)
	}
}

// How long an upload may rest is told by the answer to its beginning.
func TestDrops_aTusUploadRestsAsLongAsTheSettingSays(t *testing.T) {
	o := withWeb(options(t, t.TempDir(), rule("inbox")))
	o.Settings.HTTP.ResumeTTL = config.Duration(100 * time.Hour)
	r := start(t, o)
	within(t, 30*time.Second, "active", func() bool { return r.State() == "active" })
	begin := time.Now()
	resp, text := r.through(tusOf("a.bin", 10))
	ends, err := http.ParseTime(resp.Header.Get("Upload-Expires"))
	if err != nil || resp.StatusCode != http.StatusCreated {
		t.Fatalf("want it begun, got %s %s, %v", resp.Status, text, err)
	}
	if least, most := begin.Add(100*time.Hour-time.Second), time.Now().Add(100*time.Hour); ends.Before(least) || ends.After(most) {
		t.Errorf("want it kept until %v, got %v", least, ends)
	}
}
