package admin

import (
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"hotfolderd/admin/access"
)

// pageCSP lets the page load its own files and nothing else; sandboxCSP is for bytes that people dropped.
const (
	pageCSP = "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; connect-src 'self'; " +
		"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
	sandboxCSP = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
	// pdfCSP has no sandbox: browsers do not start their PDF viewer in one. The viewer does not run in our origin.
	pdfCSP = "default-src 'none'; object-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)

// guard is what every request passes, from outside to inside: account for it, catch what breaks, the headers that a
// browser heeds, and from which page it was sent. Who may ask for what is told by the table of routes.
func (s *Server) guard(next http.Handler) http.Handler {
	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(s.answering(func(_ http.ResponseWriter, r *http.Request) error {
		err := newProblem(http.StatusForbidden, "this request was sent by a page of another origin")
		s.auditRefusal(r, access.Identity{Address: s.access.Address(r)}, err)
		return err
	}))
	inner := s.local(origin.Handler(next))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		rw := &written{ResponseWriter: w}
		defer s.account(rw, r, began)
		defer s.recovered(rw, r)
		_ = http.NewResponseController(w).SetWriteDeadline(began.Add(storeTimeout + writeTimeout)) // not every writer has one
		setHeaders(w.Header())
		inner.ServeHTTP(rw, r)
	})
}

// always are the headers of every answer. Their values are shared: Set and Add replace them, and nobody writes into them.
var always = []struct {
	name  string
	value []string
}{
	{"Content-Security-Policy", []string{pageCSP}},
	{"X-Content-Type-Options", []string{"nosniff"}},
	{"Referrer-Policy", []string{"no-referrer"}},
	{"Cross-Origin-Resource-Policy", []string{"same-origin"}},
	{"Cross-Origin-Opener-Policy", []string{"same-origin"}},
}

func setHeaders(h http.Header) {
	for _, f := range always {
		h[f.name] = f.value
	}
}

// recovered turns a panic into a 500 when nothing was written yet, and cuts the connection otherwise, so that half an
// answer is never taken for a whole one.
func (s *Server) recovered(w *written, r *http.Request) {
	p := recover()
	if p == nil {
		return
	}
	if p != http.ErrAbortHandler { //nolint:errorlint // the value itself is the signal
		s.log.Error("request panicked", zap.String("path", r.URL.EscapedPath()), zap.Any("error", p), zap.Stack("stack"))
	}
	if w.status != 0 {
		panic(http.ErrAbortHandler)
	}
	writeProblem(w, newProblem(http.StatusInternalServerError, "the program has a fault here; its log says where"))
}

func (s *Server) account(w *written, r *http.Request, began time.Time) {
	status := w.status
	if status == 0 {
		status = http.StatusOK
	}
	s.metrics.request(r.Pattern, status)
	if line := s.log.Check(zap.DebugLevel, "request"); line != nil {
		line.Write(zap.String("method", r.Method), zap.String("path", r.URL.EscapedPath()), zap.Int("status", status),
			zap.Int64("bytes", w.n), zap.Duration("took", time.Since(began)), zap.String("peer", r.RemoteAddr))
	}
}

// hostAllowed defends a server without a token from DNS rebinding: a page of evil.example whose name leads to 127.0.0.1
// sends its own name in Host.
func hostAllowed(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return loopback(host)
}

// written remembers what was answered.
type written struct {
	http.ResponseWriter
	status int
	n      int64
}

func (w *written) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *written) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.n += int64(n)
	return n, err
}

// ReadFrom implements io.ReaderFrom.
func (w *written) ReadFrom(r io.Reader) (int64, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := io.Copy(w.ResponseWriter, r)
	w.n += n
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (w *written) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// stdLog is for net/http's own complaints (a TLS hello, a broken client): nothing an operator must act on.
func (s *Server) stdLog() *log.Logger {
	l, err := zap.NewStdLogAt(s.log, zapcore.DebugLevel)
	if err != nil {
		return nil
	}
	return l
}

func statusClass(status int) string {
	if class := status / 100; class < len(classes) {
		return classes[class]
	}
	return classes[0]
}

var classes = [...]string{"0xx", "1xx", "2xx", "3xx", "4xx", "5xx"}
