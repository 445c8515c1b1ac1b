package posix

import (
	"context"
	"fmt"

	"golang.org/x/sys/unix"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

const openFlags = unix.O_RDONLY | unix.O_NONBLOCK | unix.O_NOFOLLOW | unix.O_CLOEXEC | unix.O_NOCTTY

type reader struct {
	*file
	s   *Store
	obj storage.Object
}

// Open implements storage.Store. The kind is looked at before opening (a pipe or device is never touched) and again
// afterwards (the name may have been swapped in between).
func (s *Store) Open(ctx context.Context, key asset.Key, v asset.Version) (storage.Reader, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, fail("open", key, err)
	}
	var r *reader
	err := s.at(key, func(dir int, base string) (err error) {
		r, err = s.openFile(dir, base, key, v)
		return err
	})
	if err != nil {
		return nil, fail("open", key, notThere(err))
	}
	return r, nil
}

func (s *Store) openFile(dir int, base string, key asset.Key, v asset.Version) (*reader, error) {
	before, err := s.statAt(dir, base, key)
	if err != nil {
		return nil, err
	}
	if err := wanted(before, v); err != nil {
		return nil, err
	}
	fd, err := retryEINTR(func() (int, error) { return unix.Openat(dir, base, openFlags, 0) })
	if err != nil {
		return nil, linkError(err)
	}
	after, err := s.statOpen(fd, key)
	if err == nil {
		err = wanted(after, before.Version)
	}
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	return &reader{file: &file{fd: fd}, s: s, obj: after}, nil
}

// wanted checks that o is a file of version v ("" is any).
func wanted(o storage.Object, v asset.Version) error {
	switch {
	case o.Kind != storage.Regular && o.Kind != storage.HardLinked:
		return fmt.Errorf("%w: it is %s", storage.ErrNotRegular, o.Kind)
	case v != "" && o.Version != v:
		return storage.ErrChanged
	}
	return nil
}

func (r *reader) Object() storage.Object { return r.obj }

// Check implements storage.Reader. It asks for writers first: one that closes between the two looks shows itself by the version.
func (r *reader) Check(ctx context.Context) error {
	open, known := r.Writers()
	o, err := r.s.statNow(ctx, r.obj.Key)
	if err != nil {
		return err
	}
	if err := wanted(o, r.obj.Version); err != nil {
		return fail("check", r.obj.Key, err)
	}
	if known && open {
		return fail("check", r.obj.Key, fmt.Errorf("%w: it is open for writing", storage.ErrChanged))
	}
	return nil
}

// Hole implements storage.HoleFinder by SEEK_HOLE. Space that was reserved by fallocate and never written counts as a hole.
func (r *reader) Hole() (offset int64, found bool) {
	at, err := unix.Seek(r.fd, 0, unix.SEEK_HOLE)
	return at, err == nil && at < r.obj.Size
}

// Writers implements storage.WriterFinder.
func (r *reader) Writers() (open, known bool) { return r.s.writersOf(r.fd) }
