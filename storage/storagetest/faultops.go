package storagetest

import (
	"context"
	"errors"
	"io"
	"iter"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// Properties are those of the inner store; asking cannot fail.
func (f *Fault) Properties() storage.Properties { return f.inner.Properties() }

// Stat is "stat".
func (f *Fault) Stat(ctx context.Context, key asset.Key) (storage.Object, error) {
	return f.object(ctx, OpStat, key, func(error) (storage.Object, error) { return f.inner.Stat(ctx, key) })
}

// object is around for operations that answer with an object: no object comes with an error.
func (f *Fault) object(
	ctx context.Context, op string, key asset.Key, do func(half error) (storage.Object, error),
) (storage.Object, error) {
	var got storage.Object
	err := f.around(ctx, op, key, func(half error) (err error) {
		got, err = do(half)
		return err
	})
	if err != nil {
		return storage.Object{}, err
	}
	return got, nil
}

// List is "list", once for a listing. A rule with Partial lets one entry through.
func (f *Fault) List(ctx context.Context, prefix asset.Key, o storage.ListOptions) iter.Seq2[storage.Object, error] {
	return func(yield func(storage.Object, error) bool) {
		stopped := false
		err := f.around(ctx, OpList, prefix, func(half error) error {
			for obj, err := range f.inner.List(ctx, prefix, o) {
				if !yield(obj, err) {
					stopped = true
					return nil
				}
				if half != nil {
					return half
				}
			}
			return half
		})
		if err != nil && !stopped {
			yield(storage.Object{Key: prefix}, err)
		}
	}
}

// Open is "open"; what the reader does then is "read" and "check", under the ctx of Open where it has none.
func (f *Fault) Open(ctx context.Context, key asset.Key, v asset.Version) (storage.Reader, error) {
	var r storage.Reader
	err := f.around(ctx, OpOpen, key, func(error) (err error) {
		r, err = f.inner.Open(ctx, key, v)
		return err
	})
	if err != nil {
		if r != nil {
			err = errors.Join(err, r.Close())
		}
		return nil, err
	}
	return &faultReader{Reader: r, f: f, ctx: ctx}, nil
}

type faultReader struct {
	storage.Reader
	f   *Fault
	ctx context.Context // of the Open, only to end a Hang: Read has none of its own
}

func (r *faultReader) Read(p []byte) (int, error) {
	return r.f.bytes(r.ctx, OpRead, r.Object().Key, p, r.Reader.Read)
}

func (r *faultReader) ReadAt(p []byte, off int64) (int, error) {
	return r.f.bytes(r.ctx, OpRead, r.Object().Key, p, func(p []byte) (int, error) { return r.Reader.ReadAt(p, off) })
}

func (r *faultReader) Check(ctx context.Context) error {
	return r.f.around(ctx, OpCheck, r.Object().Key, func(error) error { return r.Reader.Check(ctx) })
}

// Writers implements storage.WriterFinder as far as the inner reader does. It is no operation either.
func (r *faultReader) Writers() (open, known bool) {
	if w, ok := r.Reader.(storage.WriterFinder); ok {
		return w.Writers()
	}
	return false, false
}

// Hole implements storage.HoleFinder as far as the inner reader does. It is no operation: it cannot fail.
func (r *faultReader) Hole() (offset int64, found bool) {
	if h, ok := r.Reader.(storage.HoleFinder); ok {
		return h.Hole()
	}
	return 0, false
}

// bytes is around for reads and writes. The inner error is kept apart: io.EOF must stay bare.
func (f *Fault) bytes(ctx context.Context, op string, key asset.Key, p []byte, do func([]byte) (int, error)) (int, error) {
	var n int
	err := f.around(ctx, op, key, func(half error) (err error) {
		if half == nil {
			n, err = do(p)
			return err
		}
		if n, err = do(p[:len(p)/2]); err != nil {
			return err
		}
		return half
	})
	return n, err
}

// Stage is "stage"; the staging's own operations are "write", "read", "flush", "publish" and "discard".
func (f *Fault) Stage(ctx context.Context) (storage.Staged, error) {
	var s storage.Staged
	err := f.around(ctx, OpStage, asset.Root, func(error) (err error) {
		s, err = f.inner.Stage(ctx)
		return err
	})
	if err != nil {
		if s != nil {
			err = errors.Join(err, s.Discard())
		}
		return nil, err
	}
	return &faultStaged{Staged: s, f: f, ctx: ctx}, nil
}

type faultStaged struct {
	storage.Staged
	f   *Fault
	ctx context.Context // of the Stage, only to end a Hang: Write has none of its own
}

func (s *faultStaged) Write(p []byte) (int, error) {
	return s.f.bytes(s.ctx, OpWrite, asset.Root, p, s.Staged.Write)
}

func (s *faultStaged) ReadAt(p []byte, off int64) (int, error) {
	return s.f.bytes(s.ctx, OpRead, asset.Root, p, func(p []byte) (int, error) { return s.Staged.ReadAt(p, off) })
}

func (s *faultStaged) Flush(ctx context.Context) error {
	return s.f.around(ctx, OpFlush, asset.Root, func(error) error { return s.Staged.Flush(ctx) })
}

func (s *faultStaged) Publish(ctx context.Context, key asset.Key, o storage.PutOptions) (storage.Object, error) {
	return s.f.object(ctx, OpPublish, key, func(error) (storage.Object, error) { return s.Staged.Publish(ctx, key, o) })
}

// Discard is never made to fail, for its error is one that callers can do nothing about. After a crash it does nothing:
// a dead process tidies nothing up.
func (s *faultStaged) Discard() error {
	r, _, dead := s.f.next(OpDiscard, asset.Root)
	if dead || r != nil && r.Crash && s.f.strike(r, OpDiscard, asset.Root) != nil {
		return ErrCrashed
	}
	return s.Staged.Discard()
}

// Put is "put". Partial gives the inner store half of the content and then the error.
func (f *Fault) Put(ctx context.Context, key asset.Key, r io.Reader, o storage.PutOptions) (storage.Object, error) {
	return f.object(ctx, OpPut, key, func(half error) (storage.Object, error) {
		if half != nil {
			r = &halfReader{r: r, err: half}
		}
		return f.inner.Put(ctx, key, r, o)
	})
}

// halfReader gives half of the first read, then its error.
type halfReader struct {
	r    io.Reader
	err  error
	done bool
}

func (h *halfReader) Read(p []byte) (int, error) {
	if h.done {
		return 0, h.err
	}
	h.done = true
	n, err := h.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		return n, err
	}
	return n / 2, nil
}

// Copy is "copy".
func (f *Fault) Copy(ctx context.Context, src storage.Object, dst asset.Key, o storage.PutOptions) (storage.Object, error) {
	return f.object(ctx, OpCopy, dst, func(error) (storage.Object, error) { return f.inner.Copy(ctx, src, dst, o) })
}

// Sync is "sync".
func (f *Fault) Sync(ctx context.Context, keys ...asset.Key) error {
	first := asset.Root
	if len(keys) > 0 {
		first = keys[0]
	}
	return f.around(ctx, OpSync, first, func(error) error { return f.inner.Sync(ctx, keys...) })
}

// Remove is "remove".
func (f *Fault) Remove(ctx context.Context, key asset.Key, v asset.Version) error {
	return f.around(ctx, OpRemove, key, func(error) error { return f.inner.Remove(ctx, key, v) })
}

// Move is "move".
func (f *Fault) Move(ctx context.Context, src storage.Object, dst asset.Key, o storage.PutOptions) (storage.Object, error) {
	return f.object(ctx, OpMove, dst, func(error) (storage.Object, error) { return f.inner.Move(ctx, src, dst, o) })
}

// Writers is "writers".
func (f *Fault) Writers(ctx context.Context, key asset.Key, v asset.Version) (open, known bool, err error) {
	err = f.around(ctx, OpWriters, key, func(error) (err error) {
		open, known, err = f.inner.Writers(ctx, key, v)
		return err
	})
	return open, known, err
}

// Space is "space".
func (f *Fault) Space(ctx context.Context) (free, total int64, err error) {
	err = f.around(ctx, OpSpace, asset.Root, func(error) (err error) {
		free, total, err = f.inner.Space(ctx)
		return err
	})
	return free, total, err
}

// MakeFolder is "mkdir"; in a store that has no folders it does nothing.
func (f *Fault) MakeFolder(ctx context.Context, key asset.Key) error {
	return f.around(ctx, OpMakeFolder, key, func(error) error {
		if m, ok := f.inner.(storage.FolderMaker); ok {
			return m.MakeFolder(ctx, key)
		}
		return nil
	})
}

// Watch is "watch".
func (f *Fault) Watch(ctx context.Context, prefix asset.Key, o storage.WatchOptions) (<-chan storage.Hint, error) {
	w, ok := f.inner.(storage.Watcher)
	if !ok {
		return nil, errors.New("this store cannot watch; it is polled instead")
	}
	var hints <-chan storage.Hint
	err := f.around(ctx, OpWatch, prefix, func(error) (err error) {
		hints, err = w.Watch(ctx, prefix, o)
		return err
	})
	return hints, err
}
