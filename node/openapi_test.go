package node

import (
	"encoding/json"
	"fmt"
	"net"
	"path"
	"strings"
	"testing"
	"time"

	"hotfolderd/admin/admintest"
	"hotfolderd/config"
)

// documented is a running node with its own description of itself.
type documented struct {
	*running
	doc  *admintest.Document
	seen map[string]bool // operations that answered as described, without an error
}

func newDocumented(t *testing.T) *documented {
	t.Helper()
	o := withWeb(options(t, t.TempDir(), rule("inbox")))
	withGate(t, &o)
	o.Settings.Node.Roles = append(o.Settings.Node.Roles, config.RoleThumbnails)
	d := &documented{running: start(t, o), seen: map[string]bool{}}
	within(t, 30*time.Second, "active", func() bool { return d.State() == "active" })
	_, text := d.ask("GET", "/v1/openapi.json", nil)
	var err error
	if d.doc, err = admintest.Read([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return d
}

// asks makes a request of an operation, which must answer with this status and as it is described, and returns the body.
func (d *documented) asks(operation, target, body string, want int) string {
	d.t.Helper()
	method, path, _ := strings.Cut(operation, " ")
	status, text := d.ask(method, target, []byte(body))
	if status != want {
		d.t.Errorf("%s %s: want %d, got %d: %s", method, target, want, status, text)
		return text
	}
	as := fmt.Sprint(status)
	if status >= 400 {
		as = admintest.Default
	} else {
		d.seen[operation] = true
	}
	if status == 204 {
		return text
	}
	if err := d.doc.Check(method, path, as, []byte(text)); err != nil {
		d.t.Errorf("%s %s is not as admin/openapi has it: %v\n%s", method, target, err, text)
	}
	return text
}

// field is one text of an answer.
func field(t testing.TB, text, name string) string {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	s, _ := v[name].(string)
	return s
}

func TestOpenAPI_aRunningNodeAnswersAsItSays(t *testing.T) {
	d := newDocumented(t)
	d.files("/v1/workarea/{path}", "/v1/workarea/")
	d.jobsAnswers()
	d.dropAnswers()
	d.sessionAnswers()
	for _, at := range []string{"/v1/node", "/v1/hotfolders", "/v1/failed", "/v1/assets"} {
		d.asks("GET "+at, at, "", 200)
	}
	d.asks("POST /v1/hotfolders/{hotfolder}/scan", "/v1/hotfolders/inbox/scan", "", 202)
	d.asks("POST /v1/hotfolders/{hotfolder}/pause", "/v1/hotfolders/inbox/pause", "", 200)
	d.asks("POST /v1/hotfolders/{hotfolder}/resume", "/v1/hotfolders/inbox/resume", "", 200)
	d.asks("POST /v1/failed/retry", "/v1/failed/retry", "", 200)
	d.asks("GET /v1/cluster", "/v1/cluster", "", 501)
	d.asks("POST /v1/cache/clear", "/v1/cache/clear", "", 200)
	for at := range d.doc.Operations() {
		for _, subject := range []string{"/v1/jobs", "/v1/workarea", "/v1/sessions", "/v1/hotfolders", "/v1/drops"} {
			if _, path, _ := strings.Cut(at, " "); strings.HasPrefix(path, subject) && !d.seen[at] {
				t.Errorf("%s was not asked: give it a line here", at)
			}
		}
	}
}

func (d *documented) files(path, base string) {
	d.asks("PUT "+path, base+"a/b.txt", "bytes", 201)
	d.asks("PUT "+path, base+"a/b.txt", "other bytes", 200)
	d.asks("PUT "+path, base+"a%FF", "a name that is no UTF-8", 201)
	for _, list := range []string{"?list", "a?list", "?list&limit=1", "?list&prefix=a"} {
		d.asks("GET "+path, base+list, "", 200)
	}
	d.asks("GET "+path, base+"none", "", 404)
	d.asks("PUT "+path, base+"a/../b", "", 400)
	d.asks("DELETE "+path, base+"a/b.txt", "", 204)
	d.asks("DELETE "+path, base+"a?folder", "", 204)
	d.asks("DELETE "+path, base+"a/b.txt", "", 404)
}

func (d *documented) jobsAnswers() {
	d.asks("GET /v1/jobs", "/v1/jobs", "", 200)
	id := field(d.t, d.asks("POST /v1/jobs", "/v1/jobs", `{"owner":"nightly","ttl":"1h","quota":"100","labels":{"a":"b"}}`, 201), "id")
	d.asks("POST /v1/jobs", "/v1/jobs", `{"ttl":"soon"}`, 400)
	d.asks("GET /v1/jobs/{id}", "/v1/jobs/"+id, "", 200)
	d.asks("GET /v1/jobs", "/v1/jobs?owner=nightly", "", 200)
	d.files("/v1/jobs/{id}/files/{path}", "/v1/jobs/"+id+"/files/")
	d.asks("PUT /v1/jobs/{id}/files/{path}", "/v1/jobs/"+id+"/files/large", strings.Repeat("x", 200), 507)
	d.asks("POST /v1/jobs/{id}/renew", "/v1/jobs/"+id+"/renew", "", 200)
	d.asks("DELETE /v1/jobs/{id}", "/v1/jobs/"+id, "", 204)
	d.asks("GET /v1/jobs/{id}", "/v1/jobs/"+id, "", 404)
	d.asks("GET /v1/jobs/{id}", "/v1/jobs/none", "", 404)
}

func (d *documented) dropAnswers() {
	const put = "PUT /v1/hotfolders/{hotfolder}/{path}"
	d.asks(put, "/v1/hotfolders/inbox/a.txt?wait=30s", "dropped", 201)
	d.asks(put, "/v1/hotfolders/none/a.txt", "dropped", 404)
	d.asks(put, "/v1/hotfolders/inbox/../a.txt", "dropped", 400)
	resp, _ := d.send("POST", "/v1/uploads", strings.NewReader("by tus"), "Tus-Resumable", "1.0.0", "Content-Type", "application/offset+octet-stream",
		"Upload-Length", "6", "Upload-Metadata", "hotfolder aW5ib3g=,path Yi50eHQ=")
	d.asks("GET /v1/drops/{upload}", "/v1/drops/"+path.Base(resp.Header.Get("Location"))+"?wait=30s", "", 200)
	d.asks("GET /v1/drops/{upload}", "/v1/drops/none.inbox", "", 404)
}

// sessionAnswers has a client at the FTP gate.
func (d *documented) sessionAnswers() {
	d.asks("GET /v1/sessions", "/v1/sessions", "", 200)
	c, err := net.Dial("tcp", d.gate.Addr().String())
	if err != nil {
		d.t.Fatal(err)
	}
	defer c.Close()
	var got struct{ Sessions []struct{ ID string } }
	within(d.t, 20*time.Second, "a session", func() bool {
		text := d.asks("GET /v1/sessions", "/v1/sessions", "", 200)
		return json.Unmarshal([]byte(text), &got) == nil && len(got.Sessions) == 1
	})
	d.asks("POST /v1/sessions/{id}/end", "/v1/sessions/"+got.Sessions[0].ID+"/end", "", 200)
	d.asks("POST /v1/sessions/{id}/end", "/v1/sessions/none/end", "", 404)
}
