package posix

import (
	"context"
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// RemoveFolder removes an empty folder, durably; a file or a folder that holds something is an error.
func (s *Store) RemoveFolder(ctx context.Context, key asset.Key) error {
	err := s.at(key, func(dir int, base string) error { return unix.Unlinkat(dir, base, unix.AT_REMOVEDIR) })
	if err != nil {
		return fail("remove folder", key, err)
	}
	return s.Sync(ctx, key)
}

// MoveFolder gives a folder another name, with all that is in it, durably; fs.ErrExist when the name is taken.
func (s *Store) MoveFolder(ctx context.Context, from, to asset.Key) error {
	err := s.between(from, to, func(fromDir int, fromBase string, toDir int, toBase string) error {
		return crossing(folderFree(fromDir, fromBase, toDir, toBase))
	})
	if err != nil {
		return fail("move folder", from, err)
	}
	return s.Sync(ctx, from, to)
}

// Rename gives a file, which nobody else touches, another name in one step, replacing what has it unless IfAbsent; missing folders
// above are made. It is visible at once and durable after a Sync of both keys.
func (s *Store) Rename(_ context.Context, src storage.Object, dst asset.Key, o storage.PutOptions) (obj storage.Object, err error) {
	err = s.between(src.Key, dst, func(fromDir int, from string, toDir int, to string) error {
		if err := s.renameAt(fromDir, from, toDir, to, o.IfAbsent); err != nil {
			return err
		}
		found, err := s.statAt(toDir, to, dst)
		if errors.Is(err, unix.ENOENT) { // somebody was quick to take it; a rename keeps the version
			found, err = src, nil
			found.Key = dst
		}
		obj = found
		return err
	})
	return obj, fail("rename", src.Key, err)
}

// folderFree renames a folder to a name that must be free. Where a share cannot promise that, it looks first; what could come in
// between is an empty folder, which is replaced.
func folderFree(fromDir int, from string, toDir int, to string) error {
	err := unix.Renameat2(fromDir, from, toDir, to, unix.RENAME_NOREPLACE)
	if !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOSYS) {
		return err
	}
	var st unix.Statx_t
	if statx(toDir, to, unix.AT_SYMLINK_NOFOLLOW, &st) == nil {
		return fs.ErrExist
	}
	return unix.Renameat(fromDir, from, toDir, to)
}
