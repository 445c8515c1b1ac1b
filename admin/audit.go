package admin

import (
	"net/http"
	"strconv"
	"time"

	"go.uber.org/zap"

	"hotfolderd/admin/access"
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
	began, rw := time.Now(), &written{ResponseWriter: w}
	err := h(rw, r)
	c := Change{
		Time: began, Who: access.Of(r.Context()), Method: r.Method, Path: r.URL.EscapedPath(), Hotfolder: r.PathValue("hotfolder"),
		Status: rw.status, Took: time.Since(began),
	}
	if err != nil {
		p := problemOf(err)
		c.Status, c.Refused = p.Status, p.Detail
	}
	s.audit(c)
	return err
}

// audit logs a change and tells the node of it. Names that people typed are quoted, so that a line stays a line.
func (s *Server) audit(c Change) {
	var fields []zap.Field
	if c.Who.Name != "" {
		fields = append(fields, zap.String("user", strconv.Quote(c.Who.Name)))
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
