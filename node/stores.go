package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"hotfolderd/asset"
	"hotfolderd/storage"
	"hotfolderd/storage/posix"
)

// stores opens each store once, however many hotfolders lie in it.
type stores struct {
	wrap func(storage.Store) storage.Store

	mu  sync.Mutex
	all map[string]*opened
}

// opened is a store and what a node must know of it beyond the contract.
type opened struct {
	storage.Store
	raw *posix.Store
}

func newStores(wrap func(storage.Store) storage.Store) *stores {
	if wrap == nil {
		wrap = func(s storage.Store) storage.Store { return s }
	}
	return &stores{wrap: wrap, all: map[string]*opened{}}
}

// open opens the store of a URL or a plain path. With create a missing folder is made; the main store of a node that was told
// nothing must come to be somehow, while a hotfolder's own share must be there.
func (s *stores) open(ctx context.Context, where string, create bool) (*opened, error) {
	dir, err := StoreFolder(where)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.all[dir]; o != nil {
		return o, nil
	}
	raw, err := posix.Open(ctx, dir, posix.Options{Create: create})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w; make the folder, or check that the share is mounted", err)
	}
	if err != nil {
		return nil, err
	}
	o := &opened{Store: s.wrap(raw), raw: raw}
	s.all[dir] = o
	return o, nil
}

// StoreFolder is the folder that a store URL, or a plain path, names. It wraps [ErrUnsupported] for a kind of store that this
// version does not know.
func StoreFolder(where string) (string, error) {
	if !strings.Contains(where, "://") {
		return filepath.Abs(where)
	}
	u, err := url.Parse(where)
	if err != nil {
		return "", fmt.Errorf("store %s: %w", strconv.Quote(where), err)
	}
	switch {
	case u.Scheme == "s3":
		return "", fmt.Errorf("store %s: buckets: %w", strconv.Quote(u.Redacted()), ErrUnsupported)
	case u.Scheme != "file" || u.Host != "" && u.Host != "localhost" || !filepath.IsAbs(u.Path):
		return "", fmt.Errorf("store %s: want file:///absolute/path or a plain path", strconv.Quote(u.Redacted()))
	}
	return filepath.Clean(u.Path), nil
}

// private is the folder in the store that belongs to its nodes.
func (o *opened) private() string { return filepath.Join(o.raw.Dir(), string(posix.Private)) }

// path is where people find a key.
func (o *opened) path(key asset.Key) string { return filepath.Join(o.raw.Dir(), string(key)) }

// makeFolder makes a folder for people to drop into, where the store has folders.
func (o *opened) makeFolder(ctx context.Context, key asset.Key) error {
	if key == asset.Root {
		return nil
	}
	return o.raw.MakeFolder(ctx, key)
}

// Watch passes hints through the wrapping, if that can.
func (o *opened) Watch(ctx context.Context, prefix asset.Key, enter func(asset.Key) bool) (<-chan storage.Hint, error) {
	w, ok := o.Store.(storage.Watcher)
	if !ok {
		return nil, errors.New("this store sends no events")
	}
	return w.Watch(ctx, prefix, enter)
}

func (s *stores) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, o := range s.all {
		errs = append(errs, o.raw.Close())
	}
	clear(s.all)
	return errors.Join(errs...)
}

// url is the address of an opened store, for people.
func (s *stores) url(where string) string {
	dir, err := StoreFolder(where)
	if err != nil {
		return where
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.all[dir]; o != nil {
		return o.Properties().URL
	}
	return where
}
