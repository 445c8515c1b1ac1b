package posix

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// boot is this process's own folder in the store: .hotfolderd/<id>/{tmp,aside,lock}. The lock is held by flock as long as the
// process lives, so that another can tell its leavings from those of the dead.
type boot struct {
	key  asset.Key
	lock int
	tmp  int // descriptor of the tmp folder
	next atomic.Uint64
}

const (
	tmpName   = "tmp"
	asideName = "aside"
	lockName  = "lock"
	// remoteGrace is how old a folder on a share must be, by the share's clock, before it is taken for a dead process's.
	remoteGrace = 24 * time.Hour
)

func newBoot(s *Store) (*boot, error) {
	b := &boot{key: Private.Join(asset.Key(rand.Text()))}
	for _, sub := range []asset.Key{tmpName, asideName} {
		if err := s.makeDir(b.key.Join(sub)); err != nil {
			return nil, fail("make", b.key.Join(sub), err)
		}
	}
	tmp, err := s.openDir(b.key.Join(tmpName))
	if err != nil {
		return nil, fail("open", b.key.Join(tmpName), err)
	}
	b.tmp = tmp
	b.lock, err = s.flock(b.key)
	if err != nil {
		unix.Close(tmp)
		return nil, fail("lock", b.key, err)
	}
	return b, nil
}

// flock takes the lock of a process's folder; EWOULDBLOCK when its process lives.
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
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func (b *boot) close(s *Store) error {
	err := s.removeBoot(b.key)
	return errors.Join(err, unix.Close(b.tmp), unix.Close(b.lock))
}

// name is a name in tmp that was not given out before.
func (b *boot) name() string { return fmt.Sprintf("%x", b.next.Add(1)) }

// tidy looks after what dead processes left: objects set aside go back to their place, nameless bytes are deleted.
func (s *Store) tidy(ctx context.Context) error {
	var dead []asset.Key
	for o, err := range s.List(ctx, Private, storage.ListOptions{}) {
		if err != nil {
			return err
		}
		if o.Kind == storage.Directory && o.Key != s.boot.key && s.isDead(o) {
			dead = append(dead, o.Key)
		}
	}
	for _, key := range dead {
		if err := s.putBack(ctx, key); err != nil {
			return err
		}
		if err := s.removeBoot(key); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) isDead(o storage.Object) bool {
	if s.props.Remote {
		return time.Since(o.Changed) > remoteGrace
	}
	fd, err := s.flock(o.Key)
	if err != nil {
		return false
	}
	unix.Close(fd)
	return true
}

// putBack gives every object that a dead process had set aside its name again, or, where something new stands there, a name
// beside it.
func (s *Store) putBack(ctx context.Context, boot asset.Key) error {
	aside := boot.Join(asideName)
	for o, err := range s.List(ctx, aside, storage.ListOptions{Recursive: true}) {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		key, below := o.Key.Below(aside)
		if o.Kind == storage.Directory || !below {
			continue
		}
		if err := s.restore(o.Key, key); err != nil {
			return fail("put back", key, err)
		}
	}
	return nil
}

// restore renames aside to key, or to "key (restored 2)" and so on when something new stands there: nothing is ever lost.
func (s *Store) restore(aside, key asset.Key) error {
	for n := 1; n < 1000; n++ {
		err := s.renameFree(aside, restoredName(key, n))
		if !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return fs.ErrExist
}

func restoredName(key asset.Key, n int) asset.Key {
	if n == 1 {
		return key
	}
	base, mark := key.Base(), fmt.Sprintf(" (restored %d)", n)
	ext := key.Ext()
	stem := base[:len(base)-len(ext)]
	if over := len(stem) + len(mark) + len(ext) - asset.MaxComponent; over > 0 {
		stem = stem[:max(0, len(stem)-over)]
	}
	return key.Dir().Join(asset.Key(stem + mark + base[len(base)-len(ext):]))
}

// removeBoot deletes a process's folder with all that is in it.
func (s *Store) removeBoot(key asset.Key) error {
	var files, dirs []asset.Key
	for o, err := range s.List(context.Background(), key, storage.ListOptions{Recursive: true}) { // cleanup: bounded by what one process left
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
		if strings.HasPrefix(string(f), string(key.Join(asideName))+"/") {
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
	return s.unlink(key, unix.AT_REMOVEDIR)
}

func (s *Store) unlink(key asset.Key, flags int) error {
	err := s.at(key, func(dir int, base string) error { return unix.Unlinkat(dir, base, flags) })
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	return err
}
