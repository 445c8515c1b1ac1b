package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"hotfolderd/asset"
	"hotfolderd/config"
	"hotfolderd/storage"
	"hotfolderd/storage/guard"
	"hotfolderd/storage/posix"
	"hotfolderd/storage/s3"
)

// stores opens each store once, however many hotfolders lie in it.
type stores struct {
	settings config.Storage
	wrap     func(storage.Store) storage.Store
	log      *zap.Logger
	metrics  prometheus.Registerer
	paths    paths

	opening  sync.Mutex // one at a time; a share that does not answer holds up nobody who has a store
	mu       sync.Mutex
	all      map[string]*opened // by address
	replaced []*opened          // that others took the place of
}

// opened is a store and what a node must know of it beyond the contract.
type opened struct {
	storage.Store
	folder string // of this machine; empty when the store is a bucket
	maker  storage.FolderMaker
	raw    storage.Store // without the wrapping
	closer io.Closer
	bucket *s3.Store    // nil: it is none
	calls  *guard.Calls // that bound those to a share; nil: they end by themselves
	disk   *posix.Store // nil: it is a bucket

	missing error // it is a mount point without its share; nil: it is not
}

func newStores(o Options) *stores {
	s := &stores{settings: o.Settings.Storage, wrap: o.Wrap, log: o.Log, metrics: o.Registry, all: map[string]*opened{}}
	if s.wrap == nil {
		s.wrap = func(s storage.Store) storage.Store { return s }
	}
	return s
}

// open opens the store of a URL or a plain path. With create a missing folder is made; the main store of a node that was told
// nothing must come to be somehow, while a hotfolder's own share must be there.
func (s *stores) open(ctx context.Context, where string, create bool) (*opened, error) {
	return s.openBy(where, func() (*opened, error) { return s.reach(ctx, where, create) })
}

// openBy opens by reach what is not open.
func (s *stores) openBy(where string, reach func() (*opened, error)) (*opened, error) {
	address, err := addressOf(where)
	if err != nil {
		return nil, err
	}
	if o := s.of(address); o != nil {
		return o, nil
	}
	s.opening.Lock()
	defer s.opening.Unlock()
	if o := s.of(address); o != nil {
		return o, nil
	}
	o, err := reach()
	if err != nil {
		return nil, err
	}
	o.Store = s.wrap(o.Store)
	o.bound()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all[address] = o
	return o, nil
}

// of is the opened store of an address; nil when there is none.
func (s *stores) of(address string) *opened {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all[address]
}

func (s *stores) reach(ctx context.Context, where string, create bool) (*opened, error) {
	if isBucket(where) {
		raw, err := s3.Open(ctx, s.bucketConfig(where))
		if err != nil {
			return nil, err
		}
		return &opened{Store: raw, raw: raw, maker: raw, closer: raw, bucket: raw}, nil
	}
	dir, err := StoreFolder(where)
	if err != nil {
		return nil, err
	}
	raw, err := s.paths.of(dir).open(ctx, create)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w; make the folder, or check that the share is mounted", err)
	}
	if err != nil {
		return nil, err
	}
	s.doubt(ctx, raw.Dir())
	return &opened{Store: raw, raw: raw, folder: raw.Dir(), maker: raw, closer: raw, disk: raw}, nil
}

// doubt tells, where there is a log, how a share is mounted otherwise than nodes need it.
func (s *stores) doubt(ctx context.Context, dir string) {
	if s.log == nil {
		return
	}
	for _, d := range posix.Doubts(s.paths.of(dir).follow(ctx)) {
		s.log.Warn("a share is mounted with an option that does not suit", zap.String("store", asset.Shown(dir)),
			zap.String("mount", asset.Shown(d.Mount)), zap.String("option", d.Option), zap.String("reason", d.Why), zap.String("hint", d.Do))
	}
}

// MountDoubts tells how the share of a store's URL, or of a plain path, is mounted otherwise than nodes need it. It opens nothing,
// and waits some seconds at most for one that does not answer.
func MountDoubts(ctx context.Context, where string) []posix.Doubt {
	dir, err := StoreFolder(where)
	if err != nil {
		return nil // a bucket, or what is told elsewhere
	}
	return posix.Doubts(newPlace(dir).follow(ctx))
}

// OpenedStore is a store as a command uses it, beside a node that may run.
type OpenedStore struct {
	storage.Store
	io.Closer
	// Place is what people write before a key: a folder of this machine, or the bucket's URL.
	Place string
}

// OpenStore opens the store of a URL or a plain path. fs.ErrNotExist when there is none and create is not set. Close it.
func OpenStore(ctx context.Context, s config.Storage, where string, create bool) (*OpenedStore, error) {
	o, err := (&stores{settings: s}).reach(ctx, where, create)
	if err != nil {
		return nil, err
	}
	o.bound()
	return &OpenedStore{o.Store, o, o.path(asset.Root)}, nil
}

// bucketConfig is for the work area in the store of the settings, else for drops. Whether drops lie in the store of the settings too, only
// the rules say; see [opened.holdsDrops].
func (s *stores) bucketConfig(where string) s3.Config {
	use := s3.ForDrops
	if where == s.settings.URL {
		use = s3.ForWorkArea
	}
	return s3.Config{
		URL: where, CredentialsFile: s.settings.CredentialsFile, CA: s.settings.CAFile, AcceptRisk: s.settings.AcceptRisk, Use: use,
		Log: s.log, Metrics: s.metrics,
	}
}

func isBucket(where string) bool { return strings.HasPrefix(where, "s3://") }

// StoreFolder is the folder of this machine that a store URL, or a plain path, names. It wraps [ErrUnsupported] for a bucket.
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
		return "", fmt.Errorf("store %s: a bucket is no folder: %w", strconv.Quote(u.Redacted()), ErrUnsupported)
	case u.Scheme != "file" || u.Host != "" && u.Host != "localhost" || !filepath.IsAbs(u.Path):
		return "", fmt.Errorf("store %s: want file:///absolute/path, s3://bucket/prefix or a plain path", strconv.Quote(u.Redacted()))
	}
	return filepath.Clean(u.Path), nil
}

// addressOf is a store as it was set, links not followed: a link that leads elsewhere now is another store.
func addressOf(where string) (string, error) {
	if isBucket(where) {
		return where, nil
	}
	dir, err := StoreFolder(where)
	return "file://" + dir, err
}

// private is the folder in the store that belongs to its nodes; empty for a bucket.
func (o *opened) private() string {
	if o.folder == "" {
		return ""
	}
	return filepath.Join(o.folder, string(posix.Private))
}

// path is where people find a key.
func (o *opened) path(key asset.Key) string {
	if o.folder == "" {
		base, _, _ := strings.Cut(o.Properties().URL, "?")
		return strings.TrimSuffix(base, "/") + "/" + string(key)
	}
	return filepath.Join(o.folder, string(key))
}

// holdsDrops refuses a bucket that could lose a drop which comes just when another one is removed.
func (o *opened) holdsDrops() error {
	if o.bucket == nil {
		return nil
	}
	return o.bucket.Suffice(s3.ForDrops)
}

func (s *stores) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, o := range s.all {
		errs = append(errs, o.Close())
	}
	for _, o := range s.replaced {
		_ = o.Close() // its folder may be gone
	}
	clear(s.all)
	return errors.Join(errs...)
}

// url is the address of an opened store, for people.
func (s *stores) url(where string) string {
	address, err := addressOf(where)
	if err != nil {
		return where
	}
	if o := s.of(address); o != nil {
		return o.Properties().URL
	}
	return where
}
