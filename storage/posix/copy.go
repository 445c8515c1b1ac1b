package posix

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"golang.org/x/sys/unix"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// Copy implements storage.Store: a hard link when the bytes may be shared; else a reflink, copy_file_range, or reading and
// writing, in this order.
func (s *Store) Copy(ctx context.Context, src storage.Object, dst asset.Key, o storage.PutOptions) (storage.Object, error) {
	if err := context.Cause(ctx); err != nil {
		return storage.Object{}, fail("copy", src.Key, err)
	}
	if o.Shared {
		obj, err := s.share(ctx, src, dst, o)
		if !errors.Is(err, unix.EMLINK) && !errors.Is(err, unix.EPERM) && !errors.Is(err, unix.EOPNOTSUPP) {
			return obj, err
		}
	}
	return s.duplicate(ctx, src, dst, o)
}

func (s *Store) share(ctx context.Context, src storage.Object, dst asset.Key, o storage.PutOptions) (storage.Object, error) {
	if err := s.link(src, dst, o.IfAbsent); err != nil {
		return storage.Object{}, fail("link", src.Key, notThere(err))
	}
	if !o.Deferred {
		if err := s.Sync(ctx, dst); err != nil {
			return storage.Object{}, err
		}
	}
	return s.Stat(ctx, dst)
}

func (s *Store) link(src storage.Object, dst asset.Key, ifAbsent bool) error {
	return s.at(src.Key, func(from int, fromBase string) error {
		return s.atMade(dst, func(to int, toBase string) error {
			return s.linkAs(from, fromBase, src, to, toBase, ifAbsent)
		})
	})
}

// linkAs links to a name in tmp, looks there whether it is the version that was asked for, and renames that to the target. A
// rename between two links of one file does nothing and leaves both, so the one in tmp is always deleted.
func (s *Store) linkAs(from int, fromBase string, src storage.Object, to int, toBase string, ifAbsent bool) error {
	if o, err := s.statAt(from, fromBase, src.Key); err != nil {
		return err
	} else if err := wanted(o, src.Version); err != nil {
		return err
	}
	tmp := s.boot.name()
	if err := unix.Linkat(from, fromBase, s.boot.tmp, tmp, 0); err != nil {
		return err
	}
	o, err := s.statAt(s.boot.tmp, tmp, src.Key)
	if err == nil {
		err = wanted(o, src.Version)
	}
	if err == nil && ifAbsent {
		err = s.nameFree(s.boot.tmp, tmp, to, toBase)
	} else if err == nil {
		err = unix.Renameat(s.boot.tmp, tmp, to, toBase)
	}
	if left := unix.Unlinkat(s.boot.tmp, tmp, 0); left != nil && !errors.Is(left, fs.ErrNotExist) {
		err = errors.Join(err, left)
	}
	return err
}

func (s *Store) duplicate(ctx context.Context, src storage.Object, dst asset.Key, o storage.PutOptions) (obj storage.Object, err error) {
	r, err := s.Open(ctx, src.Key, src.Version)
	if err != nil {
		return storage.Object{}, err
	}
	defer r.Close()
	t, err := s.stage()
	if err != nil {
		return storage.Object{}, err
	}
	defer func() { err = errors.Join(err, t.Discard()) }()
	if err := t.fill(ctx, r.(*reader)); err != nil {
		return storage.Object{}, fail("copy", src.Key, err)
	}
	if err := r.Check(ctx); err != nil {
		return storage.Object{}, err
	}
	return t.Publish(ctx, dst, o)
}

// fill copies the bytes of r by the cheapest way that the file system has.
func (t *staged) fill(ctx context.Context, r *reader) error {
	want := r.obj.Size
	if unix.IoctlFileClone(t.f.fd, r.fd) == nil {
		t.size = want
		return nil
	}
	if err := t.copyRange(ctx, r, want); err != nil {
		return err
	}
	if t.size < want {
		if _, err := io.Copy(t, storage.Reading(ctx, io.NewSectionReader(r, t.size, want-t.size))); err != nil {
			return err
		}
	}
	if t.size != want {
		return fmt.Errorf("%w: it has %d bytes instead of %d", storage.ErrChanged, t.size, want)
	}
	return nil
}

// copyRange copies within the kernel as far as that works; what is left is for the caller.
func (t *staged) copyRange(ctx context.Context, r *reader, want int64) error {
	const piece = 64 << 20
	for t.size < want {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		n, err := unix.CopyFileRange(r.fd, nil, t.f.fd, nil, int(min(piece, want-t.size)), 0)
		if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) || errors.Is(err, unix.EIO) {
			return err
		}
		if err != nil || n == 0 {
			return nil
		}
		t.size += int64(n)
	}
	return nil
}
