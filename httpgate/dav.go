package httpgate

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"time"

	"golang.org/x/net/webdav"
)

// DAVPath is where [Gate.DAV] must be served.
const DAVPath = "/dav"

const (
	bodyTimeout   = 30 * time.Second // between two pieces of a body
	answerTimeout = 30 * time.Second // between two pieces of an answer
)

// DAV is a folder with the hotfolders in it, for programs that mount WebDAV. A file that was written is a drop; one without bytes, or
// with a name that the rule never takes (._name, .DS_Store, desktop.ini), is kept for an hour for the program that wrote it, and is
// never one.
func (g *Gate) DAV() http.Handler {
	dav := &webdav.Handler{Prefix: DAVPath, FileSystem: davFolder{g}, LockSystem: granting{}}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.hand.Add(1)
		defer g.hand.Add(-1)
		q, r := with(w, r)
		r.Body = &davBody{ReadCloser: r.Body, q: q, c: http.NewResponseController(w)}
		dav.ServeHTTP(&davAnswer{ResponseWriter: w, g: g, q: q, c: http.NewResponseController(w)}, r)
	})
}

// davBody gives a client time as long as it brings bytes, and remembers whether they were all.
type davBody struct {
	io.ReadCloser
	q *request
	c *http.ResponseController
}

func (b *davBody) Read(p []byte) (int, error) {
	_ = b.c.SetReadDeadline(time.Now().Add(bodyTimeout)) // not every writer has one
	_ = b.c.SetWriteDeadline(time.Now().Add(finishTime))
	n, err := b.ReadCloser.Read(p)
	b.q.size += int64(n)
	switch {
	case errors.Is(err, io.EOF):
		b.q.finishing(b.q.size)
	case err != nil:
		b.q.body = err
	}
	return n, err
}

// davAnswer answers an error that has a status with that, where the library knows only 404 and 405.
type davAnswer struct {
	http.ResponseWriter
	g     *Gate
	q     *request
	c     *http.ResponseController
	muted bool
}

// Unwrap lets http.ResponseController reach the connection.
func (a *davAnswer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *davAnswer) WriteHeader(status int) {
	if status < http.StatusBadRequest {
		a.ResponseWriter.WriteHeader(status)
		return
	}
	a.muted = true
	detail := cmp.Or(davWords[status], http.StatusText(status))
	if a.q.err != nil {
		status, detail = statusOf(a.q.err), a.q.err.Error()
	}
	a.g.refused(a.ResponseWriter, a.q.r, status, detail)
}

// davWords are for the errors of which the library tells only the status.
var davWords = map[int]string{
	http.StatusBadRequest:                   "this is not as WebDAV has it: look at the headers and the body that the method needs",
	http.StatusNotFound:                     "there is nothing of that name; what was imported is not in its hotfolder any more",
	http.StatusMethodNotAllowed:             "this cannot be done to what has that name, mostly because it is there already",
	http.StatusConflict:                     "its folder is not there: make it first, below a hotfolder",
	http.StatusPreconditionFailed:           "the condition of the request does not hold, or the destination is there and must not be replaced",
	http.StatusRequestedRangeNotSatisfiable: "there is no such range",
}

func (a *davAnswer) Write(b []byte) (int, error) {
	if a.muted {
		return len(b), nil
	}
	_ = a.c.SetWriteDeadline(time.Now().Add(answerTimeout)) // as above
	return a.ResponseWriter.Write(b)
}

// granting are locks for programs that will not write without them. They bind nobody, so they hold at every node: what is
// written is whole or not at all without them, and two writers of one name make two drops.
type granting struct{}

func (granting) Confirm(time.Time, string, string, ...webdav.Condition) (func(), error) {
	return func() {}, nil
}

func (granting) Create(time.Time, webdav.LockDetails) (string, error) {
	return "opaquelocktoken:" + rand.Text(), nil
}

func (granting) Refresh(_ time.Time, _ string, d time.Duration) (webdav.LockDetails, error) {
	return webdav.LockDetails{Root: "/", Duration: d, ZeroDepth: true}, nil
}

func (granting) Unlock(time.Time, string) error { return nil }

// failed has an error decide the answer.
func failed(ctx context.Context, err error) error {
	if notThere(err) {
		// The library looks no deeper, and lists what is beside a file that goes meanwhile only with an error of this kind.
		return &fs.PathError{Op: "open", Err: fs.ErrNotExist}
	}
	if q := of(ctx); err != nil && q != nil && q.err == nil {
		q.err = err
	}
	return err
}
