package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"

	"github.com/minio/minio-go/v7"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// block is how much ReadAt fetches at least: small reads one after the other share a request.
const block = 256 << 10

// drain is how much of an answer is read on Close to keep the connection.
const drain = 64 << 10

// reader reads one version. Read goes along one answer, which is asked for again where it broke off; ReadAt asks for pieces.
type reader struct {
	s    *Store
	ctx  context.Context //nolint:containedctx // of Open: it ends the reading too, as Close does
	end  context.CancelFunc
	obj  storage.Object
	etag string

	body   io.ReadCloser // nil: it broke off, or was never asked for
	off    int64         // where Read goes on
	closed bool

	mu    sync.Mutex // for what follows
	piece []byte     // was fetched last
	at    int64      // its place
}

// Open implements storage.Store. ctx also ends the reading. The bytes are on their way already, so that reading all of an object is one
// request.
func (s *Store) Open(ctx context.Context, key asset.Key, v asset.Version) (storage.Reader, error) {
	if err := ended(ctx, "open", key); err != nil {
		return nil, err
	}
	r, err := s.open(ctx, key, v)
	if err != nil {
		return nil, fail(ctx, "open", key, err)
	}
	return r, nil
}

func (s *Store) open(ctx context.Context, key asset.Key, v asset.Version) (*reader, error) {
	if key == asset.Root {
		return nil, fmt.Errorf("%w: it is %s", storage.ErrNotRegular, storage.Directory)
	}
	if !s.findable(key) {
		return nil, fs.ErrNotExist
	}
	r := &reader{s: s, etag: etagOf(v)}
	r.ctx, r.end = context.WithCancel(ctx)
	body, info, err := r.get(s.name(key), 0, -1)
	if err == nil {
		r.obj, r.etag, r.body = object(key, info), info.ETag, body
		err = wanted(r.obj, v)
	}
	if err != nil {
		r.closeBody()
		r.end()
		return nil, err
	}
	return r, nil
}

// get asks for the bytes from an offset, to the end or n of them, of the version that was opened.
func (r *reader) get(name string, off, n int64) (body io.ReadCloser, info minio.ObjectInfo, err error) {
	var o minio.GetObjectOptions
	if r.etag != "" {
		err = o.SetMatchETag(r.etag)
	}
	switch {
	case n >= 0 && err == nil:
		err = o.SetRange(off, off+n-1)
	case off > 0 && err == nil:
		err = o.SetRange(off, 0)
	}
	if err != nil {
		return nil, info, err
	}
	err = again(r.ctx, func() error {
		body, info, _, err = r.s.client.GetObject(r.ctx, r.s.at.bucket, name, o)
		return err
	})
	if failed(err) || err == nil && r.etag != "" && info.ETag != r.etag {
		if err == nil {
			body.Close()
		}
		return nil, info, storage.ErrChanged
	}
	return body, info, err
}

func (r *reader) Object() storage.Object { return r.obj }

// Read goes on where an answer broke off, with the same version.
func (r *reader) Read(p []byte) (int, error) {
	for n := 1; ; n++ {
		got, err := r.read(p)
		if got > 0 || len(p) == 0 || err == nil {
			return got, nil
		}
		if errors.Is(err, io.EOF) {
			return 0, io.EOF
		}
		if r.closed || n == tries || !passing(r.ctx, err) || !rest(r.ctx, n) {
			return 0, fail(r.ctx, "read", r.obj.Key, err)
		}
	}
}

func (r *reader) read(p []byte) (int, error) {
	switch {
	case r.closed:
		return 0, fs.ErrClosed
	case r.off >= r.obj.Size:
		return 0, io.EOF
	case r.body == nil:
		body, _, err := r.get(r.s.name(r.obj.Key), r.off, -1)
		if err != nil {
			return 0, err
		}
		r.body = body
	}
	n, err := r.body.Read(p)
	r.off += int64(n)
	if err != nil {
		r.closeBody()
		if r.off < r.obj.Size && errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
	}
	return n, err
}

func (r *reader) closeBody() {
	if r.body != nil {
		r.body.Close()
		r.body = nil
	}
}

// Check implements storage.Reader.
func (r *reader) Check(ctx context.Context) error {
	o, err := r.s.Stat(ctx, r.obj.Key)
	if err == nil {
		err = fail(ctx, "check", r.obj.Key, wanted(o, r.obj.Version))
	}
	return err
}

// Close lets go of the connection. Idempotent.
func (r *reader) Close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	if r.body != nil && r.obj.Size-r.off <= drain {
		_, _ = io.Copy(io.Discard, r.body) // what cannot be read costs the connection and nothing else
	}
	r.closeBody()
	r.end()
	return nil
}
