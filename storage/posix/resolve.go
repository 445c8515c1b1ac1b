package posix

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

const dirFlags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC | unix.O_NOFOLLOW

// openDir opens a directory below the root without following any link. The caller closes the descriptor.
func (s *Store) openDir(key asset.Key) (int, error) {
	if key == asset.Root {
		return s.openAt(s.root, ".")
	}
	return s.openAt(s.root, string(key))
}

var noOpenat2 atomic.Bool // an old kernel or a sandbox: found out once, true for the whole process

func (s *Store) openAt(dir int, path string) (int, error) {
	if !noOpenat2.Load() {
		how := unix.OpenHow{Flags: dirFlags, Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS}
		fd, err := retryEINTR(func() (int, error) { return unix.Openat2(dir, path, &how) })
		switch {
		case errors.Is(err, unix.ENAMETOOLONG) && len(path) >= unix.PathMax-1: // a key that fits, below this process's own folder
		case !errors.Is(err, unix.ENOSYS) && !errors.Is(err, unix.EPERM):
			return fd, linkError(err)
		default:
			noOpenat2.Store(true)
		}
	}
	return openStepwise(dir, path)
}

// openStepwise does what openat2 does, one component at a time.
func openStepwise(dir int, path string) (int, error) {
	fd, err := unix.Dup(dir)
	if err != nil {
		return -1, err
	}
	for part := range strings.SplitSeq(path, "/") {
		next, err := retryEINTR(func() (int, error) { return unix.Openat(fd, part, dirFlags, 0) })
		unix.Close(fd)
		if err != nil {
			return -1, linkError(err)
		}
		fd = next
	}
	return fd, nil
}

// linkError turns "there is a link on the way" into the word for it.
func linkError(err error) error {
	if errors.Is(err, unix.ELOOP) {
		return errors.Join(storage.ErrNotRegular, errors.New("a symbolic link is on the way; links are never followed"))
	}
	return err
}

// atOnce calls f once with the descriptor of the key's folder and the name in it.
func (s *Store) atOnce(key asset.Key, f func(dir int, base string) error) error {
	dir, err := s.openDir(key.Dir())
	if err != nil {
		return err
	}
	defer unix.Close(dir)
	return f(dir, key.Base())
}

// atMade is at for writing: missing folders are made.
func (s *Store) atMade(key asset.Key, f func(dir int, base string) error) error {
	err := s.at(key, f)
	for range 3 { // somebody may remove the folder, since it is empty
		if !errors.Is(err, unix.ENOENT) {
			return err
		}
		if err := s.makeDir(key.Dir()); err != nil {
			return err
		}
		err = s.at(key, f)
	}
	return err
}

// makeDir makes a folder and what is missing above it. Folders are made so that other accounts can read them, as far as the
// process's umask allows.
func (s *Store) makeDir(key asset.Key) error {
	if key == asset.Root {
		return nil
	}
	err := s.at(key, func(dir int, base string) error { return unix.Mkdirat(dir, base, 0o777) })
	if errors.Is(err, unix.ENOENT) {
		if err := s.makeDir(key.Dir()); err != nil {
			return err
		}
		err = s.at(key, func(dir int, base string) error { return unix.Mkdirat(dir, base, 0o777) })
	}
	if errors.Is(err, unix.EEXIST) {
		return nil
	}
	return err
}

func retryEINTR(f func() (int, error)) (int, error) {
	for {
		n, err := f()
		// EAGAIN comes from openat2 when a rename raced with the resolution.
		if !errors.Is(err, unix.EINTR) && !errors.Is(err, unix.EAGAIN) {
			return n, err
		}
	}
}

// MakeFolder implements storage.FolderMaker.
func (s *Store) MakeFolder(ctx context.Context, key asset.Key) error {
	if err := s.makeDir(key); err != nil {
		return fail("make folder", key, err)
	}
	fd, err := s.openDir(key)
	if err != nil {
		return fail("make folder", key, err)
	}
	unix.Close(fd)
	return s.Sync(ctx, key.Join("x"))
}
