package admin

import (
	"cmp"
	"encoding/json"
	"net/http"
	"time"

	"go.uber.org/zap"

	"hotfolderd/admin/access"
	"hotfolderd/asset"
)

// Change is something that somebody did by HTTP, or was refused.
type Change struct {
	Time      time.Time
	Who       access.Identity // without a role when it was not known who it is
	Method    string
	Path      string // escaped, without the query
	Hotfolder string // that it is about, if it is about one
	Status    int
	Refused   string // why it did not happen; empty when it did
	Took      time.Duration
}

// reads are the methods that change nothing.
var reads = map[string]bool{"GET": true, "HEAD": true, "OPTIONS": true, "PROPFIND": true}

// audited answers a request and writes down what it changed or was refused. A route that is quiet has nothing to do with people.
func (s *Server) audited(rt route, w http.ResponseWriter, r *http.Request, h answer) error {
	if reads[r.Method] || rt.quiet {
		return h(w, r)
	}
	began, rw := time.Now(), &refusal{written: written{ResponseWriter: w}}
	err := h(rw, r)
	c := Change{
		Time: began, Who: access.Of(r.Context()), Method: r.Method, Path: r.URL.EscapedPath(), Hotfolder: r.PathValue("hotfolder"),
		Status: rw.status, Refused: rw.reason(), Took: time.Since(began),
	}
	if err != nil {
		p := problemOf(err)
		c.Status, c.Refused = p.Status, p.Detail
	}
	s.audit(c)
	return err
}

// refusal remembers why a door that answers by itself, as its protocol wants it, did not do what was asked.
type refusal struct {
	written
	text []byte // of a problem
}

// mostReason is more than a problem has to say.
const mostReason = 8 << 10

func (w *refusal) Write(b []byte) (int, error) {
	if w.status >= http.StatusBadRequest && w.Header().Get("Content-Type") == problemType {
		w.text = append(w.text, b[:min(len(b), mostReason-len(w.text))]...)
	}
	return w.written.Write(b)
}

// reason is the detail of the problem that was answered, else what the status says; empty when it was done.
func (w *refusal) reason() string {
	if w.status < http.StatusBadRequest {
		return ""
	}
	var p problem
	_ = json.Unmarshal(w.text, &p) // a door that answers in words of its own says no more than its status
	return cmp.Or(p.Detail, http.StatusText(w.status))
}

// audit logs a change and tells the node of it. Names that people typed are quoted where that is needed, so that a line stays a line.
func (s *Server) audit(c Change) {
	var fields []zap.Field
	if c.Who.Name != "" {
		fields = append(fields, zap.String("user", asset.Shown(c.Who.Name)))
	}
	fields = append(fields, zap.Stringer("role", c.Who.Role), zap.String("address", c.Who.Address),
		zap.String("method", c.Method), zap.String("path", c.Path), zap.Int("status", c.Status), zap.Duration("took", c.Took))
	if c.Refused != "" {
		fields = append(fields, zap.String("refused", c.Refused))
	}
	s.log.Info("http change", fields...)
	if s.b.Audit != nil {
		s.b.Audit(c)
	}
}

// auditRefusal is for those who were not let in.
func (s *Server) auditRefusal(r *http.Request, who access.Identity, err error) {
	s.audit(Change{
		Time: time.Now(), Who: who, Method: r.Method, Path: r.URL.EscapedPath(), Hotfolder: r.PathValue("hotfolder"),
		Status: problemOf(err).Status, Refused: err.Error(),
	})
}
