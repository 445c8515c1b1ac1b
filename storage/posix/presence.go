package posix

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"

	"hotfolderd/storage"
)

// Ask asks the share's server for the root and looks whether the path of the store still leads there. When it does not, since the
// share was mounted anew, the store goes on in what is there now, if that is the same store: only there is this process's own folder.
// Else the error is [storage.ErrIdentity], and says what to do. It hangs as long as the server is away.
func (s *Store) Ask(context.Context) error {
	var root, now unix.Statx_t
	err := statx(s.root, "", unix.AT_EMPTY_PATH|s.syncFlag(), &root)
	at := statx(unix.AT_FDCWD, s.dir, 0, &now)
	switch {
	case ended(err) && ended(at):
		return s.foreign("the share that is mounted there has ended (%v): unmount it and mount it again", err)
	case errors.Is(at, unix.ENOENT) || errors.Is(at, unix.ENOTDIR):
		return s.foreign("there is no such folder any more: mount the share, or put the folder back")
	case err == nil && at == nil && root.Ino == now.Ino && devOf(&root) == devOf(&now):
		return nil
	case err != nil && !ended(err):
		return fmt.Errorf("look for store %s: %w", strconv.Quote(s.dir), err)
	case at != nil:
		return fmt.Errorf("look for store %s: %w", strconv.Quote(s.dir), at)
	}
	return s.moveTo()
}

// ended tells the errors of a mount that will never work again.
func ended(err error) bool { return errors.Is(err, unix.ESTALE) || errors.Is(err, unix.ENOTCONN) }

func (s *Store) foreign(format string, args ...any) error {
	return fmt.Errorf("%w: %s: "+format, append([]any{storage.ErrIdentity, strconv.Quote(s.dir)}, args...)...)
}

// moveTo goes on in the folder that the path leads to, when it is the same store. Descriptors are replaced, not their numbers: calls
// under way keep what they have.
func (s *Store) moveTo() error {
	root, err := unix.Open(s.dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("look for store %s: %w", strconv.Quote(s.dir), err)
	}
	defer unix.Close(root)
	own, err := s.openAt(root, string(s.boot.key))
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) {
		return s.foreign("it is another folder than the one that was opened: the share may not be mounted any more, or another " +
			"one be mounted there. Mount the right one; when it is to be another one from now on, restart the node")
	}
	if err != nil {
		return fmt.Errorf("look for store %s: %w", strconv.Quote(s.dir), err)
	}
	defer unix.Close(own)
	return s.switchTo(root, own)
}

func (s *Store) switchTo(root, own int) error {
	tmp, err := s.openAt(own, tmpName)
	if err != nil {
		return fail("open", s.boot.key.Join(tmpName), err)
	}
	defer unix.Close(tmp)
	lock, err := unix.Openat(own, lockName, unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return fail("open", s.boot.key.Join(lockName), err)
	}
	defer unix.Close(lock)
	st, err := statFD(root)
	if err != nil {
		return fmt.Errorf("look for store %s: %w", strconv.Quote(s.dir), err)
	}
	for from, to := range map[int]int{root: s.root, tmp: s.boot.tmp, lock: s.boot.lock} {
		if err := unix.Dup3(from, to, unix.O_CLOEXEC); err != nil {
			return fmt.Errorf("go on in store %s: %w", strconv.Quote(s.dir), err)
		}
	}
	s.dev.Store(devOf(st))
	_ = s.hold(s.boot.lock)
	return nil
}
