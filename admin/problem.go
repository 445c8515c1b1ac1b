package admin

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"strings"

	"go.uber.org/zap"

	"hotfolderd/admin/access"
	"hotfolderd/asset"
	"hotfolderd/storage"
)

// problemType is the media type of a problem.
const problemType = "application/problem+json"

// problem is an RFC 9457 answer. It is an error too, so that a handler returns it like any other.
type problem struct {
	Type   string `json:"type"` // problemPrefix and a word
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
}

func (p *problem) Error() string { return p.Detail }

func newProblem(status int, detail string) *problem {
	p := &problem{Title: cmp.Or(http.StatusText(status), "Client Closed Request"), Status: status, Detail: detail}
	return p.as(wordOf(status))
}

func notOffered(what string) *problem {
	return newProblem(http.StatusNotImplemented, "this node does not offer "+what)
}

// problemOf finds the answer to an error. One that has a method HTTPStatus knows its own. A canceled request has nobody who reads
// it; 499 only marks it in the metrics.
func problemOf(err error) *problem {
	var p *problem
	var known interface{ HTTPStatus() int }
	status := http.StatusInternalServerError
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &known):
		status = known.HTTPStatus()
	case errors.Is(err, access.ErrWrong):
		status = http.StatusUnauthorized
	case errors.Is(err, asset.ErrKey), errors.Is(err, ErrAsked):
		status = http.StatusBadRequest
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, ErrNoThumbnail):
		status = http.StatusNotFound
	case errors.Is(err, fs.ErrExist), errors.Is(err, ErrRefused), errors.Is(err, storage.ErrNotRegular), errors.Is(err, storage.ErrChanged):
		status = http.StatusConflict
	case errors.Is(err, ErrReadOnly), errors.Is(err, asset.ErrNotNow):
		status = http.StatusServiceUnavailable
	case errors.Is(err, storage.ErrSilent), errors.Is(err, storage.ErrIdentity):
		return newProblem(http.StatusServiceUnavailable, Visible(err.Error()))
	case errors.Is(err, ErrCondition):
		status = http.StatusPreconditionFailed
	case errors.Is(err, storage.ErrFull):
		status = http.StatusInsufficientStorage
	case errors.Is(err, context.DeadlineExceeded):
		return newProblem(http.StatusGatewayTimeout, "the store did not answer within "+storeTimeout.String())
	case errors.Is(err, context.Canceled):
		status = statusClientGone
	}
	p = newProblem(status, strings.TrimSuffix(Visible(err.Error()), ": "+fs.ErrNotExist.Error())) // the status says it
	if errors.Is(err, asset.ErrKey) && status == http.StatusBadRequest {
		return p.as(badName)
	}
	return p.ofWrite()
}

// ofWrite says more of what a store or a node refused.
func (p *problem) ofWrite() *problem {
	switch p.Status {
	case http.StatusServiceUnavailable:
		return p.as(readOnly)
	case http.StatusInsufficientStorage:
		p.Detail += adviceFull
	}
	return p
}

// adviceFull is for a store without room, and for a quota.
const adviceFull = "; nothing was stored: remove what is not needed, or give it more room, then send it again"

// Problem is the document that a door which answers by itself, as its protocol wants it, gives to an error, and its media type; the
// detail is a sentence.
func Problem(status int, detail string) (mediaType string, text []byte) {
	text, _ = json.Marshal(newProblem(status, Visible(detail)).ofWrite()) // strings and a number always can be
	return problemType, text
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
	if errors.Is(err, errLogin) {
		http.Redirect(w, r, "/login", http.StatusSeeOther)
		return
	}
	p := problemOf(err)
	if p.Status == http.StatusInternalServerError {
		s.log.Warn("request failed", zap.String("path", r.URL.EscapedPath()), zap.Error(err))
	}
	if p.Status == http.StatusServiceUnavailable && w.Header().Get("Retry-After") == "" {
		w.Header().Set("Retry-After", "5")
	}
	if wantsPage(r) && (r.Method == http.MethodPost || !strings.HasPrefix(r.URL.Path, "/v1/")) {
		s.faultPage(w, p)
		return
	}
	writeProblem(w, p)
}

func writeProblem(w http.ResponseWriter, p *problem) {
	h := w.Header()
	for _, name := range []string{"ETag", "Last-Modified", "Content-Disposition", "Content-Length", "Repr-Digest", "X-Hotfolder-Version"} {
		h.Del(name)
	}
	h.Set("Content-Type", problemType)
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
