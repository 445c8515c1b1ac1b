package posix

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// Remove implements storage.Store. A check followed by an unlink could hit a newer file that was renamed over the name in
// between. So the object is first set aside, out of everybody's reach, then looked at, and only then unlinked; another
// version, or one that somebody still writes to, gets its name back. Where it is set aside says what is to go, for whoever
// finds it there when this process has died.
func (s *Store) Remove(ctx context.Context, key asset.Key, v asset.Version) error {
	if err := context.Cause(ctx); err != nil {
		return fail("remove", key, err)
	}
	err := s.takeAway(key, v, s.boot.toGo, func(aside asset.Key) error { return s.unlink(aside, 0) })
	return fail("remove", key, notThere(err))
}

// Move implements storage.Store, in the same way.
func (s *Store) Move(ctx context.Context, src storage.Object, dst asset.Key, o storage.PutOptions) (storage.Object, error) {
	if err := context.Cause(ctx); err != nil {
		return storage.Object{}, fail("move", src.Key, err)
	}
	err := s.takeAway(src.Key, src.Version, s.boot.toStay, func(aside asset.Key) error {
		return s.between(aside, dst, func(fromDir int, from string, toDir int, to string) error {
			return s.renameAt(fromDir, from, toDir, to, o.IfAbsent)
		})
	})
	if err != nil {
		return storage.Object{}, fail("move", src.Key, notThere(err))
	}
	if !o.Deferred {
		if err := s.Sync(ctx, dst, src.Key); err != nil {
			return storage.Object{}, err
		}
	}
	return s.Stat(ctx, dst)
}

// takeAway sets the version v of key aside, where place says, and calls end with it. Whatever goes wrong afterwards, the object
// gets its name back.
func (s *Store) takeAway(
	key asset.Key, v asset.Version, place func(asset.Key, asset.Version) asset.Key, end func(aside asset.Key) error,
) error {
	lock := s.keys.of(key)
	lock.Lock()
	defer lock.Unlock()
	before, err := s.statKey(key, 0)
	if err != nil {
		return err
	}
	if err := wanted(before, v); err != nil {
		return err
	}
	aside := place(key, before.Version)
	if err := s.setAside(key, aside); err != nil {
		return err
	}
	err = s.stillUnchanged(aside, before.Version, v == "")
	if err == nil {
		err = end(aside)
	}
	if err != nil {
		return errors.Join(err, s.restore(aside, key))
	}
	return nil
}

// setAside takes whatever has the name now, in one step: link and unlink would take two, and the second could hit a newer
// file. Nothing can stand at the target: it is this process's own, and one removal of a key runs at a time.
func (s *Store) setAside(key, aside asset.Key) error {
	if _, err := s.statKey(aside, 0); !errors.Is(err, unix.ENOENT) {
		return errors.Join(fs.ErrExist, err)
	}
	return s.rename(key, aside)
}

// stillUnchanged looks at an object that is set aside: nobody can open it by a name any more, so when nobody has it open for
// writing, what it is then it stays. The order matters: a writer may write and close between two looks.
func (s *Store) stillUnchanged(aside asset.Key, v asset.Version, force bool) error {
	return s.at(aside, func(dir int, base string) error {
		fd, err := retryEINTR(func() (int, error) { return unix.Openat(dir, base, openFlags, 0) })
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		if open, known := s.writersOf(fd); known && open && !force {
			return fmt.Errorf("%w: it is open for writing", storage.ErrChanged)
		}
		o, err := s.statOpen(fd, aside)
		if err != nil || force {
			return err
		}
		return wanted(o, v)
	})
}
