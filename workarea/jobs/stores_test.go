package jobs_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"strings"
	"testing"

	"hotfolderd/asset"
	"hotfolderd/storage"
	"hotfolderd/storage/posix"
	"hotfolderd/storage/storagetest"
	"hotfolderd/workarea/files"
	"hotfolderd/workarea/jobs"
)

var filesQuery = files.Query{Limit: 100}

// onFolder is for what only a folder has.
func onFolder(t *testing.T, l jobs.Limits, test func(t *testing.T, h *house)) {
	dir := t.TempDir()
	test(t, newHouse(t, l, func() storage.Store {
		s, err := posix.Open(t.Context(), dir, posix.Options{})
		return storagetest.Closing(t, s, err)
	}))
}

// hookedStore calls before with each operation of a sweep.
type hookedStore struct {
	storage.Store
	before func(op string)
	hits   int
	off    bool
}

func (s *hookedStore) call(op string, key asset.Key) {
	if s.off {
		return
	}
	s.off = true // what the hook itself does goes on
	s.hits++
	s.before(op + " " + strings.TrimPrefix(string(key), "workarea/"))
	s.off = false
}

func (s *hookedStore) List(ctx context.Context, key asset.Key, o storage.ListOptions) iter.Seq2[storage.Object, error] {
	s.call("list", key)
	return s.Store.List(ctx, key, o)
}

func (s *hookedStore) Put(ctx context.Context, key asset.Key, r io.Reader, o storage.PutOptions) (storage.Object, error) {
	s.call("put", key)
	return s.Store.Put(ctx, key, r, o)
}

func (s *hookedStore) MoveFolder(ctx context.Context, from, to asset.Key) error {
	if m, ok := s.Store.(storage.FolderMover); ok {
		return m.MoveFolder(ctx, from, to)
	}
	return errors.ErrUnsupported
}

func (s *hookedStore) RemoveTree(ctx context.Context, key asset.Key) error {
	return s.Store.(storage.TreeRemover).RemoveTree(ctx, key)
}

var errDied = errors.New("the sweeper died here")

// breakingStore does nothing more after so many operations that change something, as a process that was killed.
type breakingStore struct {
	storage.Store
	left int
}

func (s *breakingStore) dead() error {
	if s.left--; s.left < 0 {
		return errDied
	}
	return nil
}

func (s *breakingStore) Put(ctx context.Context, key asset.Key, r io.Reader, o storage.PutOptions) (storage.Object, error) {
	if err := s.dead(); err != nil {
		return storage.Object{}, err
	}
	return s.Store.Put(ctx, key, r, o)
}

func (s *breakingStore) Remove(ctx context.Context, key asset.Key, v asset.Version) error {
	if err := s.dead(); err != nil {
		return err
	}
	return s.Store.Remove(ctx, key, v)
}

func (s *breakingStore) MoveFolder(ctx context.Context, from, to asset.Key) error {
	m, ok := s.Store.(storage.FolderMover)
	if !ok {
		return errors.ErrUnsupported
	}
	if err := s.dead(); err != nil {
		return err
	}
	return m.MoveFolder(ctx, from, to)
}

// RemoveTree that dies has removed a part.
func (s *breakingStore) RemoveTree(ctx context.Context, key asset.Key) error {
	if err := s.dead(); err != nil {
		for o := range s.List(ctx, key, storage.ListOptions{Recursive: true}) {
			if o.Kind == storage.Regular {
				return errors.Join(err, s.Store.Remove(ctx, o.Key, ""))
			}
		}
		return err
	}
	return s.Store.(storage.TreeRemover).RemoveTree(ctx, key)
}
