package httpgate

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// Headers of answers, beside those of the protocols.
const (
	HeaderDrop  = "Hotfolder-Drop"  // the drop's name in the ledger; absent while it waits for another one
	HeaderStory = "Hotfolder-Story" // where the story of the drop can be asked
)

// StoryOf is the address of a drop's story.
func StoryOf(hotfolder string, key asset.Key) string {
	return "/v1/why?path=" + url.QueryEscape(hotfolder+"/"+string(key))
}

// Tell writes where a drop can be asked for.
func (d Drop) Tell(h http.Header) {
	if id := d.ID(); id != "" {
		h.Set(HeaderDrop, string(id))
	}
	h.Set(HeaderStory, StoryOf(d.Hotfolder, d.Key))
}

// statusOf is the status of an answer to an error.
func statusOf(err error) int {
	var r *Refusal
	switch {
	case errors.As(err, &r):
		return r.Status
	case errors.Is(err, asset.ErrKey):
		return http.StatusBadRequest
	case errors.Is(err, fs.ErrExist):
		return http.StatusConflict
	case errors.Is(err, storage.ErrFull):
		return http.StatusInsufficientStorage
	case errors.Is(err, asset.ErrNotNow), errors.Is(err, storage.ErrSilent), errors.Is(err, storage.ErrIdentity):
		return http.StatusServiceUnavailable
	case errors.Is(err, fs.ErrNotExist):
		return http.StatusNotFound
	}
	return http.StatusInternalServerError
}

// refused writes an answer to what was not done: its head and its body. The body that a library has for it is left out. An answer to HEAD
// has none.
func (g *Gate) refused(w http.ResponseWriter, r *http.Request, status int, detail string) {
	h, mediaType, body := w.Header(), "text/plain; charset=utf-8", []byte(detail+"\n")
	if g.o.Problem != nil {
		mediaType, body = g.o.Problem(status, detail)
	}
	h.Set("Content-Type", mediaType)
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if status == http.StatusServiceUnavailable {
		h.Set("Retry-After", "5")
	}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // a client that is gone needs no answer
	}
}

type inHand struct{}

// request is what goes with one request through a library: the way to its connection, and what is to be answered.
type request struct {
	w    http.ResponseWriter
	r    *http.Request
	drop *Drop // that it finished
	size int64 // of the body, as far as it came
	body error // of the client
	err  error // that decides the answer
}

func with(w http.ResponseWriter, r *http.Request) (*request, *http.Request) {
	q := &request{w: w}
	q.r = r.WithContext(context.WithValue(r.Context(), inHand{}, q))
	return q, q.r
}

func of(ctx context.Context) *request {
	q, _ := ctx.Value(inHand{}).(*request)
	return q
}

const (
	finishTime = 5 * time.Minute // from the last byte to the answer, and
	finishRate = 10 << 20        // a second more for so many bytes
)

// finishing gives the connection the time that it takes to finish so many bytes. All of the body has been read.
func (q *request) finishing(size int64) {
	if q == nil {
		return
	}
	c := http.NewResponseController(q.w)
	_ = c.SetReadDeadline(time.Time{}) // not every writer has one
	_ = c.SetWriteDeadline(time.Now().Add(finishTime + time.Duration(size/finishRate)*time.Second))
}
