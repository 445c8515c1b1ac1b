package admin

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"strings"

	"go.uber.org/zap"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// problem is an RFC 9457 answer. It is an error too, so that a handler returns it like any other.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
}

func (p *problem) Error() string { return p.Detail }

func newProblem(status int, detail string) *problem {
	return &problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail}
}

func notOffered(what string) *problem {
	return newProblem(http.StatusNotImplemented, "this node does not offer "+what)
}

// problemOf finds the answer to an error. A canceled request has nobody who reads it; 499 only marks it in the metrics.
func problemOf(err error) *problem {
	var p *problem
	status := http.StatusInternalServerError
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, asset.ErrKey):
		status = http.StatusBadRequest
	case errors.Is(err, fs.ErrNotExist):
		status = http.StatusNotFound
	case errors.Is(err, fs.ErrExist), errors.Is(err, ErrRefused):
		status = http.StatusConflict
	case errors.Is(err, ErrReadOnly), errors.Is(err, asset.ErrNotNow):
		status = http.StatusServiceUnavailable
	case errors.Is(err, ErrCondition):
		status = http.StatusPreconditionFailed
	case errors.Is(err, storage.ErrFull):
		status = http.StatusInsufficientStorage
	case errors.Is(err, context.DeadlineExceeded):
		return newProblem(http.StatusGatewayTimeout, "the store did not answer within "+storeTimeout.String())
	case errors.Is(err, context.Canceled):
		return &problem{Type: "about:blank", Title: "Client Closed Request", Status: 499}
	}
	return newProblem(status, Visible(err.Error()))
}

// answer is a handler that returns what went wrong instead of writing it.
type answer func(w http.ResponseWriter, r *http.Request) error

func (s *Server) answering(h answer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			s.fail(w, r, err)
		}
	})
}

// fail writes err as a problem, or as a page when a browser's form was sent.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err)
	if p.Status == http.StatusInternalServerError {
		s.log.Warn("request failed", zap.String("path", r.URL.EscapedPath()), zap.Error(err))
	}
	if p.Status == http.StatusServiceUnavailable && w.Header().Get("Retry-After") == "" {
		w.Header().Set("Retry-After", "5")
	}
	if r.Method == http.MethodPost && wantsPage(r) {
		s.faultPage(w, p)
		return
	}
	writeProblem(w, p)
}

func writeProblem(w http.ResponseWriter, p *problem) {
	h := w.Header()
	for _, name := range []string{"ETag", "Last-Modified", "Content-Disposition", "Content-Length", "Repr-Digest"} {
		h.Del(name)
	}
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // a client that is gone needs no answer
}

func writeJSON(w http.ResponseWriter, status int, v any) error {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // as above
	return nil
}

// wantsPage: a browser that navigates asks for HTML by name; a program does not.
func wantsPage(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}
