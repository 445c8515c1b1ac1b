package posix

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// boot is this process's own folder in the store: .hotfolderd/<id>/{tmp,aside,gone,lock}. The lock is held by flock as long as the
// process lives, so that another can tell its leavings from those of the dead. On a share it is not: age tells there, and a server that has
// started anew makes whoever asks for a lock wait for its grace period, a minute and a half, as one without a lock service does without end.
type boot struct {
	key  asset.Key
	lock int
	tmp  int // descriptor of the tmp folder
	next atomic.Uint64
}

const (
	tmpName   = "tmp"
	asideName = "aside" // what is to get a name again
	goneName  = "gone"  // what is to be deleted, if it is still what it was
	lockName  = "lock"
	// remoteGrace is how old a folder on a share must be, by the share's clock, before it is taken for a dead process's.
	remoteGrace = 24 * time.Hour
)

func newBoot(s *Store) (*boot, error) {
	b := &boot{}
	if err := b.lockFolder(s); err != nil {
		return nil, err
	}
	for _, sub := range []asset.Key{tmpName, asideName, goneName} {
		if err := s.makeDir(b.key.Join(sub)); err != nil {
			unix.Close(b.lock)
			return nil, fail("make", b.key.Join(sub), err)
		}
	}
	tmp, err := s.openDir(b.key.Join(tmpName))
	if err != nil {
		unix.Close(b.lock)
		return nil, fail("open", b.key.Join(tmpName), err)
	}
	b.tmp = tmp
	return b, nil
}

// lockFolder makes the folder and takes its lock. Before that, another process that opens the store may take it for a dead one's;
// then a new one is made. After it, nobody does.
func (b *boot) lockFolder(s *Store) (err error) {
	for range 100 {
		b.key = Private.Join(asset.Key(rand.Text()))
		if err := s.makeDir(b.key); err != nil {
			return fail("make", b.key, err)
		}
		b.lock, err = s.flock(b.key)
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.ENOENT) {
			break
		}
	}
	return fail("lock", b.key, err)
}

// flock takes the lock of a process's folder; EWOULDBLOCK when its process lives, or when the lock that was taken is one that
// another process has just deleted.
func (s *Store) flock(key asset.Key) (int, error) {
	dir, err := s.openDir(key)
	if err != nil {
		return -1, err
	}
	defer unix.Close(dir)
	fd, err := unix.Openat(dir, lockName, unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return -1, err
	}
	if err := s.hold(fd); err != nil {
		unix.Close(fd)
		return -1, err
	}
	if st, err := statFD(fd); err != nil || st.Nlink == 0 {
		unix.Close(fd)
		return -1, errors.Join(unix.EWOULDBLOCK, err)
	}
	return fd, nil
}

func (s *Store) hold(lock int) error {
	if s.props.Remote {
		return nil
	}
	return unix.Flock(lock, unix.LOCK_EX|unix.LOCK_NB)
}

func (b *boot) close(s *Store) error {
	err := s.removeBoot(b.key)
	return errors.Join(err, unix.Close(b.tmp), unix.Close(b.lock))
}

// name is a name in tmp that was not given out before.
func (b *boot) name() string { return fmt.Sprintf("%x", b.next.Add(1)) }

// tidy looks after what dead processes left: objects set aside are dealt with, nameless bytes are deleted.
func (s *Store) tidy(ctx context.Context) error {
	var others []storage.Object
	for o, err := range s.List(ctx, Private, storage.ListOptions{}) {
		if err != nil {
			return err
		}
		if o.Kind == storage.Directory && o.Key != s.boot.key {
			others = append(others, o)
		}
	}
	for _, o := range others {
		if err := s.tidyAfter(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

// tidyAfter looks after what one process left, if it is dead. Where locks tell, its lock is held until all is done.
func (s *Store) tidyAfter(ctx context.Context, o storage.Object) error {
	if s.props.Remote {
		if time.Since(o.Changed) <= remoteGrace {
			return nil
		}
	} else {
		lock, err := s.flock(o.Key)
		if err != nil {
			return nil
		}
		defer unix.Close(lock)
	}
	if err := s.settleAside(ctx, o.Key); err != nil {
		return err
	}
	return s.removeBoot(o.Key)
}

// removeBoot deletes a process's folder with all that is in it. When another process does the same at the same time, whoever is
// last finishes it.
func (s *Store) removeBoot(key asset.Key) error {
	var files, dirs []asset.Key
	for o, err := range s.List(context.Background(), key, storage.ListOptions{Recursive: true}) { // cleanup: bounded by what one process left
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if o.Kind == storage.Directory {
			dirs = append(dirs, o.Key)
		} else {
			files = append(files, o.Key)
		}
	}
	for _, f := range files {
		_, aside := f.Below(key.Join(asideName))
		if _, gone := f.Below(key.Join(goneName)); aside || gone {
			return fail("remove", f, errors.New("an object is still set aside"))
		}
		if err := s.unlink(f, 0); err != nil {
			return fail("remove", f, err)
		}
	}
	for i := len(dirs) - 1; i >= 0; i-- {
		if err := s.unlink(dirs[i], unix.AT_REMOVEDIR); err != nil {
			return fail("remove", dirs[i], err)
		}
	}
	if err := s.unlink(key, unix.AT_REMOVEDIR); err != nil && !errors.Is(err, unix.ENOTEMPTY) {
		return fail("remove", key, err)
	}
	return nil
}

func (s *Store) unlink(key asset.Key, flags int) error {
	err := s.at(key, func(dir int, base string) error { return unix.Unlinkat(dir, base, flags) })
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	return err
}
