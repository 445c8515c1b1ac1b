package admin

import (
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"net/http"
	"sync"
	"time"

	"hotfolderd/asset"
)

// sentAsItIs refuses a part of a file, and a form of it that nobody would be told of later.
func sentAsItIs(h http.Header) error {
	for _, name := range []string{"Content-Range", "Content-Encoding"} {
		if v := h.Get(name); v != "" && v != "identity" {
			return newProblem(http.StatusBadRequest, "a file is sent whole and as it is: "+name+" cannot be used")
		}
	}
	return nil
}

const (
	uploadTimeout = readTimeout + 5*time.Second // without a byte: longer than the client's own, so that its silence is known as such
	finishTimeout = time.Minute                 // from the last byte to the answer, and
	finishRate    = 10 << 20                    // a second more for so many bytes: they must reach the disk
)

// upload is the body of a write. It may take as long as bytes come: each read renews the deadline of the connection and the
// patience with the store. The two see different faults: a client that sends nothing, and a store that takes nothing.
type upload struct {
	body     io.Reader
	c        *http.ResponseController
	patience *time.Timer

	mu   sync.Mutex
	over bool // the answer began: the connection is not ours any more
	read int64
	err  error // of the client, but for its end
	sum  hash.Hash
	want asset.Hash // what the client says of its bytes; zero: nothing
}

func newUpload(w http.ResponseWriter, r *http.Request) *upload {
	return &upload{body: r.Body, c: http.NewResponseController(w), patience: time.NewTimer(uploadTimeout)}
}

// checkedUpload is newUpload for a body that ends with an error when its bytes are not those that the client says.
func checkedUpload(w http.ResponseWriter, r *http.Request) (*upload, error) {
	want, err := digestOf(r.Header)
	if err != nil {
		return nil, err
	}
	u := newUpload(w, r)
	if !want.IsZero() {
		u.sum, u.want = sha256.New(), want
	}
	return u, nil
}

// whole is how a body ends whose last byte was read. The caller holds the lock.
func (u *upload) whole() error {
	if u.sum != nil && asset.Hash(u.sum.Sum(nil)) != u.want {
		u.err = errDigest
		return errDigest
	}
	return io.EOF
}

var errDigest = errors.New("their SHA-256 is not the one of the digest that was sent")

var errUploadOver = errors.New("the request was answered already")

func (u *upload) Read(b []byte) (int, error) {
	if !u.await(readTimeout) {
		return 0, errUploadOver
	}
	n, err := u.body.Read(b)
	u.mu.Lock()
	defer u.mu.Unlock()
	u.read += int64(n)
	if u.sum != nil {
		u.sum.Write(b[:n])
	}
	switch {
	case errors.Is(err, io.EOF):
		err = u.whole()
		u.patience.Reset(finishTimeout + time.Duration(u.read/finishRate)*time.Second)
		u.deadline(time.Time{})
	case err != nil && u.err == nil:
		u.err = err
	}
	return n, err
}

// await gives the client and the store time for the next bytes; false when the request is over.
func (u *upload) await(d time.Duration) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.over {
		return false
	}
	u.patience.Reset(uploadTimeout)
	u.deadline(time.Now().Add(d))
	return true
}

// deadline is that of the connection. The caller holds the lock.
func (u *upload) deadline(t time.Time) {
	if !u.over {
		_ = u.c.SetReadDeadline(t) // a writer without deadlines is a test's
	}
}

// end is called before the answer begins: it gives the answer its time, and what still reads gets nothing more. The error is
// the client's, if there was one.
func (u *upload) end() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.over = true
	u.patience.Stop()
	_ = u.c.SetWriteDeadline(time.Now().Add(writeTimeout)) // as above
	return u.err
}
