package client

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"net/http"
	"os"
	"sync"

	"hotfolderd/asset"
)

// Stored is what a [Client.Put] came to.
type Stored struct {
	Name   asset.Key  `json:"name"`
	Number int        `json:"number"` // version of the name, from 1; the current one's when it had these bytes already
	Hash   asset.Hash `json:"sha256"`
	Size   int64      `json:"size"`
	Type   string     `json:"type"`  // MIME type by the bytes
	Index  string     `json:"index"` // what readers elsewhere send as X-Hotfolder-Index; empty: there is nothing to wait for
}

// PutOptions of [Client.Put]. The zero value stores whatever the name has.
type PutOptions struct {
	IfAbsent bool             // only when the name has nothing: else ErrCondition
	IfMatch  asset.Hash       // only when the name has these bytes: else ErrCondition
	Progress func(sent int64) // told of the bytes that were handed over, again from 0 when they are sent again; may be nil
}

// Put stores all of r, from where it stands, as the next version of a name, whole or not at all. When the answer is lost r is read
// again for another node; the write is still done once. When it returns, nobody reads r any more.
func (c *Client) Put(ctx context.Context, name string, r io.ReadSeeker, o PutOptions) (Stored, error) {
	key, err := asset.ParseKey(name)
	if err != nil {
		return Stored{}, err
	}
	s, err := newSource(r, o.Progress)
	if err != nil {
		return Stored{}, fmt.Errorf("put %s: %w", key.Quoted(), err)
	}
	got, err := c.put(ctx, key, s, o)
	if err != nil {
		return Stored{}, fmt.Errorf("put %s: %w", key.Quoted(), err)
	}
	return got, nil
}

func (c *Client) put(ctx context.Context, name asset.Key, s *source, o PutOptions) (got Stored, err error) {
	h := http.Header{"Idempotency-Key": {word()}}
	if o.IfAbsent {
		h.Set("If-None-Match", "*")
	}
	if !o.IfMatch.IsZero() {
		h.Set("If-Match", `"`+o.IfMatch.String()+`"`)
	}
	a, err := c.do(ctx, request{method: http.MethodPut, path: assetPath(name), header: h, writes: true, body: s.again, broken: s.fault})
	if err == nil {
		defer drained(a.Body)
		err = json.NewDecoder(io.LimitReader(a.Body, maxProblem)).Decode(&got)
		got.Index = a.Header.Get(indexHeader)
	}
	if read := s.fault(); read != nil {
		return got, read
	}
	if err == nil && got.Hash != s.hash() {
		err = fmt.Errorf("%w: %s were sent and %s stored", ErrCorrupt, s.hash(), got.Hash)
	}
	return got, err
}

// PutFile is [Client.Put] of a file.
func (c *Client) PutFile(ctx context.Context, name, file string, o PutOptions) (Stored, error) {
	f, err := os.Open(file)
	if err != nil {
		return Stored{}, err
	}
	defer f.Close() // it was only read
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = &fs.PathError{Op: "put", Path: file, Err: errors.New("it is no regular file")}
	}
	if err != nil {
		return Stored{}, err
	}
	return c.Put(ctx, name, f, o)
}

// source is what is stored. Each time that it is sent it is read from its beginning, by one upload at a time.
type source struct {
	mu       sync.Mutex
	r        io.ReadSeeker
	start    int64
	size     int64
	sum      hash.Hash
	sent     int64
	err      error // of r
	progress func(int64)
	now      *upload
}

func newSource(r io.ReadSeeker, progress func(int64)) (*source, error) {
	start, err := r.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, err
	}
	end, err := r.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	return &source{r: r, start: start, size: end - start, sum: sha256.New(), progress: progress}, nil
}

// again begins anew.
func (s *source) again() *upload { return s.from(0) }

// from begins at an offset; the hash is that of what comes from there on.
func (s *source) from(offset int64) *upload {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.r.Seek(s.start+offset, io.SeekStart); err != nil {
		s.err = err
	}
	s.sum.Reset()
	s.sent = offset
	s.now = &upload{s: s, size: s.size - offset}
	return s.now
}

func (s *source) hash() (h asset.Hash) {
	s.mu.Lock()
	defer s.mu.Unlock()
	copy(h[:], s.sum.Sum(nil))
	return h
}

// fault is why the source could not be read, which is no fault of a node.
func (s *source) fault() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// upload is the body of one request. The transport may read of it for a moment after the request has ended: closing it ends that.
type upload struct {
	s     *source
	size  int64
	moved func()
}

var errUploadOver = errors.New("the request has ended")

func (u *upload) Read(b []byte) (int, error) {
	s := u.s
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.now != u:
		return 0, errUploadOver
	case s.err != nil:
		return 0, s.err
	case s.sent == s.size:
		return 0, io.EOF
	}
	n, err := s.r.Read(b[:min(int64(len(b)), s.size-s.sent)])
	s.sum.Write(b[:n])
	s.sent += int64(n)
	if errors.Is(err, io.EOF) && s.sent < s.size {
		err = fmt.Errorf("it ends at %d of %d bytes: %w", s.sent, s.size, io.ErrUnexpectedEOF)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	u.moved()
	if s.progress != nil && n > 0 {
		s.progress(s.sent)
	}
	return n, err
}

func (u *upload) Close() error {
	u.s.mu.Lock()
	defer u.s.mu.Unlock()
	if u.s.now == u {
		u.s.now = nil
	}
	return nil
}
