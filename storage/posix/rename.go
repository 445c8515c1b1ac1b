package posix

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"hotfolderd/asset"
)

// nameFree renames a file to a name that must be free, atomically. renameat2 does it in one call on local file systems; NFS
// and others that refuse the flag get link and unlink, where any error is checked against the inode: a repeated link may
// say EEXIST although it was ours (its first answer was lost).
func (s *Store) nameFree(fromDir int, from string, toDir int, to string) error {
	if !s.props.Remote {
		err := unix.Renameat2(fromDir, from, toDir, to, unix.RENAME_NOREPLACE)
		if !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOSYS) {
			return crossing(err)
		}
	}
	if err := s.linkFree(fromDir, from, toDir, to); err != nil {
		return err
	}
	return s.unlinkLinked(fromDir, from)
}

// linkFree gives a file one more name, which must be free.
func (s *Store) linkFree(fromDir int, from string, toDir int, to string) error {
	err := unix.Linkat(fromDir, from, toDir, to, 0)
	if err != nil && !sameFile(fromDir, from, toDir, to) {
		return crossing(err)
	}
	return nil
}

// unlinkLinked takes the former name away from a file that has another one now.
func (s *Store) unlinkLinked(fromDir int, from string) error {
	err := unix.Unlinkat(fromDir, from, 0)
	if s.props.Remote && errors.Is(err, unix.ENOENT) {
		return nil // done by a call whose answer was lost
	}
	return err
}

func sameFile(dirA int, a string, dirB int, b string) bool {
	var x, y unix.Statx_t
	if statx(dirA, a, unix.AT_SYMLINK_NOFOLLOW, &x) != nil || statx(dirB, b, unix.AT_SYMLINK_NOFOLLOW, &y) != nil {
		return false
	}
	return x.Ino == y.Ino && devOf(&x) == devOf(&y)
}

// renameFree is nameFree by keys; missing folders above the target are made.
func (s *Store) renameFree(from, to asset.Key) error { return s.between(from, to, s.nameFree) }

// rename replaces what is at to.
func (s *Store) rename(from, to asset.Key) error { return s.between(from, to, s.replace) }

func (s *Store) replace(fromDir int, from string, toDir int, to string) error {
	return crossing(s.renameOver(fromDir, from, toDir, to))
}

// renameAt is nameFree with free, else replace.
func (s *Store) renameAt(fromDir int, from string, toDir int, to string, free bool) error {
	if free {
		return s.nameFree(fromDir, from, toDir, to)
	}
	return s.replace(fromDir, from, toDir, to)
}

// between calls f with the folders of two keys and the names in them; missing folders above the second are made.
func (s *Store) between(from, to asset.Key, f func(fromDir int, from string, toDir int, to string) error) error {
	return s.at(from, func(fromDir int, fromBase string) error {
		return s.atMade(to, func(toDir int, toBase string) error { return f(fromDir, fromBase, toDir, toBase) })
	})
}

// crossing says what a rename between two file systems means for the person who mounted one inside the other.
func crossing(err error) error {
	if errors.Is(err, unix.EXDEV) {
		return fmt.Errorf("%w: another file system is mounted there; give it a hotfolder of its own with a file URL as its path", err)
	}
	return err
}
