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
	if err := s.link(src.Key, dst, o.IfAbsent); err != nil {
		return storage.Object{}, fail("link", src.Key, notThere(err))
	}
	obj, err := s.Stat(ctx, dst)
	if err != nil {
		return storage.Object{}, err
	}
	if src.Version != "" && obj.Version != src.Version {
		return storage.Object{}, fail("link", src.Key, errors.Join(storage.ErrChanged, s.unlink(dst, 0)))
	}
	if o.Deferred {
		return obj, nil
	}
	return obj, s.Sync(ctx, dst)
}

func (s *Store) link(src, dst asset.Key, ifAbsent bool) error {
	return s.at(src, func(from int, fromBase string) error {
		return s.atMade(dst, func(to int, toBase string) error {
			if ifAbsent {
				return linkFree(from, fromBase, to, toBase)
			}
			return s.linkOver(from, fromBase, to, toBase)
		})
	})
}

// linkFree links to a free name. fs.ErrExist is also the answer when the name is already a link to the same file: it is taken,
// by whomever.
func linkFree(from int, fromBase string, to int, toBase string) error {
	return unix.Linkat(from, fromBase, to, toBase, 0)
}

// linkOver links to a name in tmp and renames that over the target. A rename between two links of one file does nothing and
// leaves both, so the one in tmp is always deleted.
func (s *Store) linkOver(from int, fromBase string, to int, toBase string) error {
	tmp := s.boot.name()
	if err := unix.Linkat(from, fromBase, s.boot.tmp, tmp, 0); err != nil {
		return err
	}
	err := unix.Renameat(s.boot.tmp, tmp, to, toBase)
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
	if unix.IoctlFileClone(int(t.f.Fd()), int(r.Fd())) == nil {
		t.size = want
		return nil
	}
	if err := t.copyRange(ctx, r, want); err != nil {
		return err
	}
	if t.size < want {
		if _, err := io.Copy(t, ctxReader{ctx, io.NewSectionReader(r, t.size, want-t.size)}); err != nil {
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
		n, err := unix.CopyFileRange(int(r.Fd()), nil, int(t.f.Fd()), nil, int(min(piece, want-t.size)), 0)
		if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) || errors.Is(err, unix.EIO) {
			return err
		}
		if err != nil || n == 0 {
			_, err = r.Seek(t.size, io.SeekStart)
			return err
		}
		t.size += int64(n)
	}
	return nil
}
