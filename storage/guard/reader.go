package guard

import (
	"context"

	"hotfolderd/storage"
)

// reader is an open file. Reads have no context: they end when the store is silent.
type reader struct {
	inner storage.Reader
	held
}

func (r *reader) Object() storage.Object { return r.inner.Object() }

func (r *reader) Read(p []byte) (int, error) {
	return readPiece(unbound(), &r.held, p[:min(len(p), piece)], r.inner.Read)
}

func (r *reader) ReadAt(p []byte, off int64) (int, error) {
	return readPieces(unbound(), &r.held, p, func(b []byte, done int) (int, error) { return r.inner.ReadAt(b, off+int64(done)) })
}

func (r *reader) Check(ctx context.Context) error {
	_, err := call(ctx, &r.held, func() (struct{}, error) { return struct{}{}, r.inner.Check(ctx) })
	return err
}

// Hole implements storage.HoleFinder, when the inner reader does.
func (r *reader) Hole() (offset int64, found bool) {
	h, ok := r.inner.(storage.HoleFinder)
	if !ok {
		return 0, false
	}
	type hole struct {
		offset int64
		found  bool
	}
	at, err := call(unbound(), &r.held, func() (hole, error) {
		offset, found := h.Hole()
		return hole{offset, found}, nil
	})
	return at.offset, err == nil && at.found
}

// Writers implements storage.WriterFinder, when the inner reader does.
func (r *reader) Writers() (open, known bool) {
	w, ok := r.inner.(storage.WriterFinder)
	if !ok {
		return false, false
	}
	type found struct{ open, known bool }
	f, err := call(unbound(), &r.held, func() (found, error) {
		open, known := w.Writers()
		return found{open, known}, nil
	})
	return f.open, f.known && err == nil
}

func (r *reader) Close() error { return r.finish() }
