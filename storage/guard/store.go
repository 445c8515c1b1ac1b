package guard

import (
	"context"
	"errors"
	"io"
	"iter"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// Store is a store whose calls are bounded. Beside those of [storage.Store] these are its Watch and what its readers and stagings can do.
type Store struct {
	inner storage.Store
	c     *Calls
}

var (
	_ storage.Store        = (*Store)(nil)
	_ storage.Watcher      = (*Store)(nil)
	_ storage.HoleFinder   = (*reader)(nil)
	_ storage.WriterFinder = (*reader)(nil)
)

// New bounds the calls to inner by c.
func New(inner storage.Store, c *Calls) *Store { return &Store{inner, c} }

// Properties implements storage.Store.
func (s *Store) Properties() storage.Properties { return s.inner.Properties() }

// Stat implements storage.Store.
func (s *Store) Stat(ctx context.Context, key asset.Key) (storage.Object, error) {
	return Call(ctx, s.c, func() (storage.Object, error) { return s.inner.Stat(ctx, key) }, nil)
}

// Open implements storage.Store.
func (s *Store) Open(ctx context.Context, key asset.Key, v asset.Version) (storage.Reader, error) {
	r, err := Call(ctx, s.c, func() (storage.Reader, error) { return s.inner.Open(ctx, key, v) }, func(r storage.Reader) { _ = r.Close() })
	if err != nil {
		return nil, err
	}
	return &reader{inner: r, held: held{c: s.c, end: r.Close}}, nil
}

// Stage implements storage.Store.
func (s *Store) Stage(ctx context.Context) (storage.Staged, error) {
	t, err := Call(ctx, s.c, func() (storage.Staged, error) { return s.inner.Stage(ctx) }, func(t storage.Staged) { _ = t.Discard() })
	if err != nil {
		return nil, err
	}
	return &staged{inner: t, held: held{c: s.c, end: t.Discard}}, nil
}

// Put implements storage.Store by a staging: r is the caller's, and is read by nobody when Put has returned.
func (s *Store) Put(ctx context.Context, key asset.Key, r io.Reader, o storage.PutOptions) (obj storage.Object, err error) {
	t, err := s.Stage(ctx)
	if err != nil {
		return storage.Object{}, err
	}
	defer func() { err = errors.Join(err, t.Discard()) }()
	if _, err := io.Copy(t, storage.Reading(ctx, r)); err != nil {
		return storage.Object{}, err
	}
	return t.Publish(ctx, key, o)
}

// Copy implements storage.Store.
func (s *Store) Copy(ctx context.Context, src storage.Object, dst asset.Key, o storage.PutOptions) (storage.Object, error) {
	return Call(ctx, s.c, func() (storage.Object, error) { return s.inner.Copy(ctx, src, dst, o) }, nil)
}

// Sync implements storage.Store.
func (s *Store) Sync(ctx context.Context, keys ...asset.Key) error {
	return s.c.Do(ctx, func() error { return s.inner.Sync(ctx, keys...) })
}

// Remove implements storage.Store.
func (s *Store) Remove(ctx context.Context, key asset.Key, v asset.Version) error {
	return s.c.Do(ctx, func() error { return s.inner.Remove(ctx, key, v) })
}

// Move implements storage.Store.
func (s *Store) Move(ctx context.Context, src storage.Object, dst asset.Key, o storage.PutOptions) (storage.Object, error) {
	return Call(ctx, s.c, func() (storage.Object, error) { return s.inner.Move(ctx, src, dst, o) }, nil)
}

// Writers implements storage.Store.
func (s *Store) Writers(ctx context.Context, key asset.Key, v asset.Version) (open, known bool, err error) {
	type found struct{ open, known bool }
	f, err := Call(ctx, s.c, func() (found, error) {
		open, known, err := s.inner.Writers(ctx, key, v)
		return found{open, known}, err
	}, nil)
	return f.open, f.known, err
}

// Space implements storage.Store.
func (s *Store) Space(ctx context.Context) (free, total int64, err error) {
	type space struct{ free, total int64 }
	f, err := Call(ctx, s.c, func() (space, error) {
		free, total, err := s.inner.Space(ctx)
		return space{free, total}, err
	}, nil)
	return f.free, f.total, err
}

// Watch implements storage.Watcher, when the inner store does.
func (s *Store) Watch(ctx context.Context, prefix asset.Key, o storage.WatchOptions) (<-chan storage.Hint, error) {
	w, ok := s.inner.(storage.Watcher)
	if !ok {
		return nil, errors.New("this store sends no events")
	}
	wctx, cancel := context.WithCancel(ctx) // it ends with ctx, or when its caller has left
	hints, err := Call(ctx, s.c, func() (<-chan storage.Hint, error) { return w.Watch(wctx, prefix, o) }, nil)
	if err != nil {
		cancel()
		return nil, err
	}
	context.AfterFunc(ctx, cancel)
	return hints, nil
}

// List implements storage.Store. What the caller does with each thing, and Enter, are called by the caller's goroutine.
func (s *Store) List(ctx context.Context, prefix asset.Key, o storage.ListOptions) iter.Seq2[storage.Object, error] {
	if s.c == nil {
		return s.inner.List(ctx, prefix, o)
	}
	return func(yield func(storage.Object, error) bool) {
		l := &listing{s: s, o: o, steps: make(chan step), answers: make(chan bool), left: make(chan struct{})}
		defer close(l.left)
		lctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		if err := l.run(lctx, prefix, yield); err != nil {
			yield(storage.Object{Key: prefix}, err)
		}
	}
}
