package posix

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// Private is the folder below the root that belongs to the store. It is never listed.
const Private asset.Key = ".hotfolderd"

// Options of [Open]. The zero value works.
type Options struct {
	// Create makes the root folder when it is missing. Without it a missing root is fs.ErrNotExist: a share that is
	// not mounted must not be mistaken for an empty one.
	Create bool
	// Remote forces polling and careful remove even where the file system looks local; for tests and odd mounts.
	Remote bool
}

// Store is a folder. Make one with [Open]; Close it when nothing uses it any more.
type Store struct {
	dir   string // absolute, for people
	root  int    // descriptor of the root
	props storage.Properties
	birth bool // versions hold the time of birth
	// events: only this kernel writes to the file system, so events tell all. False on a share.
	events bool
	dev    atomic.Uint64
	boot   *boot
	sync   *syncer
	keys   keyLocks
	close  sync.Once
}

var (
	_ storage.Store         = (*Store)(nil)
	_ storage.Watcher       = (*Store)(nil)
	_ storage.FolderMaker   = (*Store)(nil)
	_ storage.FolderRemover = (*Store)(nil)
	_ storage.FolderMover   = (*Store)(nil)
	_ storage.TreeRemover   = (*Store)(nil)
	_ storage.Excluder      = (*Store)(nil)
	_ storage.HoleFinder    = (*reader)(nil)
	_ storage.WriterFinder  = (*reader)(nil)
)

// Open opens the folder dir as a store, puts back or deletes what killed processes left in it, and finds out what its file
// system can do.
func Open(ctx context.Context, dir string, o Options) (*Store, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", strconv.Quote(dir), err)
	}
	if o.Create {
		if err := os.MkdirAll(abs, 0o777); err != nil {
			return nil, fmt.Errorf("open store: %w", advise(err))
		}
	}
	root, err := unix.Open(abs, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, advise(&fs.PathError{Op: "open store", Path: abs, Err: err})
	}
	s := &Store{dir: abs, root: root}
	if err := s.start(ctx, o); err != nil {
		unix.Close(root)
		return nil, fmt.Errorf("open store %s: %w", strconv.Quote(abs), advise(err))
	}
	return s, nil
}

func (s *Store) start(ctx context.Context, o Options) error {
	st, err := statFD(s.root)
	if err != nil {
		return err
	}
	s.dev.Store(devOf(st))
	kind := fileSystem(s.root)
	s.events = kind.local
	s.props = storage.Properties{
		URL:    "file://" + s.dir,
		Kind:   kind.name,
		Remote: !kind.local || o.Remote,
		Links:  true,
	}
	s.props.FolderTimes = s.props.Remote && (kind.local || kind.times)
	s.props.SeesWriters = !s.props.Remote && s.leasesWork()
	s.birth = !s.props.Remote && st.Mask&unix.STATX_BTIME != 0
	s.sync = newSyncer(s.root, kind.group && !s.props.Remote, s.syncDir, s.isUp)
	s.boot, err = newBoot(s)
	if err != nil {
		return err
	}
	return s.tidy(ctx)
}

// Close gives back what the process holds in the store. Nothing may use it any more.
func (s *Store) Close() error {
	var err error
	s.close.Do(func() {
		err = errors.Join(s.boot.close(s), unix.Close(s.root))
		s.root = -1 // a late caller gets EBADF, never somebody else's file
	})
	return err
}

// Dir is the absolute path of the root.
func (s *Store) Dir() string { return s.dir }

// FoldsCase reports whether names that differ in upper and lower case only are one name on the file system, or its server.
func (s *Store) FoldsCase() bool {
	dir, err := s.openDir(s.boot.key)
	if err != nil {
		return false
	}
	defer unix.Close(dir)
	return sameFile(dir, tmpName, dir, strings.ToUpper(tmpName))
}

// Properties implements storage.Store.
func (s *Store) Properties() storage.Properties { return s.props }

// Space implements storage.Store by statfs.
func (s *Store) Space(ctx context.Context) (free, total int64, err error) {
	if err := context.Cause(ctx); err != nil {
		return 0, 0, err
	}
	var st unix.Statfs_t
	if err := unix.Fstatfs(s.root, &st); err != nil {
		return 0, 0, fmt.Errorf("space of %s: %w", strconv.Quote(s.dir), err)
	}
	return int64(st.Bavail) * st.Bsize, int64(st.Blocks) * st.Bsize, nil
}

// fail makes the error of an operation on a key: the sentinel where a caller decides by it, the system's error otherwise.
func fail(op string, key asset.Key, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
		err = fmt.Errorf("%w: %w", storage.ErrFull, err)
	}
	return fmt.Errorf("%s %s: %w", op, key.Quoted(), advise(err))
}

// keyLocks serializes the removals of one key within this process.
type keyLocks [64]sync.Mutex

func (l *keyLocks) of(key asset.Key) *sync.Mutex {
	return &l[asset.Partition("", key, len(l))]
}
