package posix

import (
	"context"

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
	err := s.at(from, func(fromDir int, fromBase string) error {
		return s.atMade(to, func(toDir int, toBase string) error {
			return crossing(unix.Renameat2(fromDir, fromBase, toDir, toBase, unix.RENAME_NOREPLACE))
		})
	})
	if err != nil {
		return fail("move folder", from, err)
	}
	return s.Sync(ctx, from, to)
}

// Rename gives a file, which nobody else touches, another name in one step, replacing what has it; missing folders above are
// made. It is visible at once and durable after a Sync of both keys.
func (s *Store) Rename(ctx context.Context, src storage.Object, dst asset.Key) (storage.Object, error) {
	if err := s.rename(src.Key, dst); err != nil {
		return storage.Object{}, fail("rename", src.Key, err)
	}
	return s.Stat(ctx, dst)
}
