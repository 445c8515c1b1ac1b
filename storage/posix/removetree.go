package posix

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"

	"hotfolderd/asset"
)

// mostFaults of one folder are told; then nothing more of it is tried.
const mostFaults = 10

// RemoveTree implements storage.TreeRemover. Folders are opened without following links, so nothing outside can be reached. One
// that its owner made unreadable is made readable, where this account may.
func (s *Store) RemoveTree(ctx context.Context, key asset.Key) error {
	if key == asset.Root {
		return fail("remove tree", key, asset.ErrKey)
	}
	err := s.at(key, func(dir int, base string) error { return s.removeAll(ctx, dir, base, 0) })
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return fail("remove tree", key, err)
}

// removeAll removes one name, and what is below it. What cannot be removed does not keep the rest.
func (s *Store) removeAll(ctx context.Context, dir int, base string, depth int) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	err := unix.Unlinkat(dir, base, 0)
	if !errors.Is(err, unix.EISDIR) && !errors.Is(err, unix.EPERM) {
		return notFound(err)
	}
	var st unix.Statx_t
	if err := statx(dir, base, unix.AT_SYMLINK_NOFOLLOW, &st); err != nil {
		return notFound(err)
	}
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFDIR:
		return err
	case devOf(&st) != s.dev.Load():
		return fmt.Errorf("another file system is mounted at %q", base)
	case depth > maxDepth:
		return errors.New("folders lie too deep below one another")
	}
	if err := s.emptyFolder(ctx, dir, base, depth); err != nil {
		return err
	}
	return notFound(unix.Unlinkat(dir, base, unix.AT_REMOVEDIR))
}

func (s *Store) emptyFolder(ctx context.Context, dir int, base string, depth int) error {
	fd, err := s.openAt(dir, base)
	if errors.Is(err, unix.EACCES) && unix.Fchmodat(dir, base, 0o700, 0) == nil {
		fd, err = s.openAt(dir, base)
	}
	if err != nil {
		return notFound(err)
	}
	defer unix.Close(fd)
	err = s.emptyOpened(ctx, fd, depth)
	if errors.Is(err, unix.EACCES) && unix.Fchmod(fd, 0o700) == nil {
		err = s.emptyOpened(ctx, fd, depth)
	}
	return err
}

// emptyOpened reads the folder again until it is empty: entries may be passed over while others are removed.
func (s *Store) emptyOpened(ctx context.Context, fd, depth int) error {
	buf := make([]byte, direntBuffer)
	for {
		if _, err := unix.Seek(fd, 0, unix.SEEK_SET); err != nil {
			return err
		}
		removed, err := s.emptyOnce(ctx, fd, buf, depth)
		if err != nil || removed == 0 {
			return err
		}
	}
}

// emptyOnce goes through the folder once and says how many entries it removed.
func (s *Store) emptyOnce(ctx context.Context, fd int, buf []byte, depth int) (removed int, err error) {
	var errs []error
	for {
		n, err := retryEINTR(func() (int, error) { return unix.ReadDirent(fd, buf) })
		if err != nil || n == 0 {
			return removed, errors.Join(append(errs, err)...)
		}
		for rest := buf[:n]; len(rest) > 0; {
			var e dirent
			e, rest = nextDirent(rest)
			if e.name == "." || e.name == ".." {
				continue
			}
			if err := s.removeAll(ctx, fd, e.name, depth+1); err != nil {
				errs = append(errs, fmt.Errorf("%q: %w", e.name, err))
				if ctx.Err() != nil || len(errs) == mostFaults {
					return removed, errors.Join(errs...)
				}
				continue
			}
			removed++
		}
	}
}

func notFound(err error) error {
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	return err
}
