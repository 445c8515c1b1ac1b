package posix

import (
	"context"
	"errors"

	"golang.org/x/sys/unix"

	"hotfolderd/asset"
)

// writersOf asks the kernel whether any process holds the file of fd, opened read-only, open for writing: a read lease is
// granted only when nobody does. The lease is given back at once; somebody who opens the file in between waits for that
// moment and no longer. It needs the file's owner or CAP_LEASE, and a local file system; else known is false.
func (s *Store) writersOf(fd int) (open, known bool) {
	if !s.props.SeesWriters {
		return false, false
	}
	_, err := unix.FcntlInt(uintptr(fd), unix.F_SETLEASE, unix.F_RDLCK)
	switch {
	case err == nil:
		_, _ = unix.FcntlInt(uintptr(fd), unix.F_SETLEASE, unix.F_UNLCK)
		return false, true
	case errors.Is(err, unix.EAGAIN):
		return true, true
	}
	return false, false
}

// Writers implements storage.Store.
func (s *Store) Writers(ctx context.Context, key asset.Key, v asset.Version) (open, known bool, err error) {
	if err := context.Cause(ctx); err != nil {
		return false, false, fail("writers", key, err)
	}
	if !s.props.SeesWriters {
		return false, false, nil
	}
	r, err := s.Open(ctx, key, v)
	if err != nil {
		return false, false, err
	}
	defer r.Close()
	open, known = r.(*reader).Writers()
	return open, known, nil
}

// leasesWork tries a lease on a file of this process's own: some file systems refuse all.
func (s *Store) leasesWork() bool {
	fd, err := unix.Open(s.dir, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	// Our own descriptor is open for writing, so the right answer is "somebody writes".
	_, err = unix.FcntlInt(uintptr(fd), unix.F_SETLEASE, unix.F_RDLCK)
	return errors.Is(err, unix.EAGAIN)
}
