package posix

import (
	"errors"
	"io/fs"
	"time"

	"golang.org/x/sys/unix"

	"hotfolderd/asset"
)

// A kernel keeps what it knows of a share for a while (NFS: files 3 to 60 s, folders 30 to 60 s by default), also that a name is
// not there. What this store decides by is therefore asked of the server, at one small call each:
//
//	a folder that is listed             its attributes; when they changed, the kernel reads it anew
//	a name that is not there            the attributes of its folder, then once more the name
//	a file that was opened, or checked  its attributes, by the open itself or forced
//
// A handle can also become stale, since its file was replaced on the server: then the name is resolved again.

const (
	staleTries = 4
	staleFirst = 5 * time.Millisecond // pause after a stale handle; doubles
)

// syncFlag has statx ask the server, where there is one.
func (s *Store) syncFlag() int {
	if s.props.Remote {
		return unix.AT_STATX_FORCE_SYNC
	}
	return 0
}

// at calls f with the descriptor of the key's folder and the name in it, on a share as often as its first answers may be wrong. So f may be
// called again after ENOENT and ESTALE.
func (s *Store) at(key asset.Key, f func(dir int, base string) error) error {
	err := s.atOnce(key, f)
	if !s.props.Remote || err == nil {
		return err
	}
	for try, pause := 1, staleFirst; errors.Is(err, unix.ESTALE) && try < staleTries; try, pause = try+1, 2*pause {
		time.Sleep(pause)
		err = s.atOnce(key, f)
	}
	if errors.Is(err, unix.ENOENT) && s.refresh(key.Dir()) {
		err = s.atOnce(key, f)
	}
	return err
}

// refresh has the kernel ask for a folder's attributes, and forget what it believes of the names there when they changed. It reports
// whether there is such a folder.
func (s *Store) refresh(dir asset.Key) bool {
	fd, err := s.openDir(dir)
	if errors.Is(err, fs.ErrNotExist) && dir != asset.Root && s.refresh(dir.Dir()) {
		fd, err = s.openDir(dir)
	}
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	return s.refreshFD(fd) == nil
}

func (s *Store) refreshFD(fd int) error {
	if !s.props.Remote {
		return nil
	}
	var st unix.Statx_t
	return statx(fd, "", unix.AT_EMPTY_PATH|unix.AT_STATX_FORCE_SYNC, &st)
}

// renameOver is renameat2(2) without flags. On a share its answer may be lost and the repeated call find nothing to rename: then the file at
// the target tells whether it was ours.
func (s *Store) renameOver(fromDir int, from string, toDir int, to string) error {
	if !s.props.Remote {
		return unix.Renameat(fromDir, from, toDir, to)
	}
	var before, after unix.Statx_t
	if err := statx(fromDir, from, unix.AT_SYMLINK_NOFOLLOW, &before); err != nil {
		return err
	}
	err := unix.Renameat(fromDir, from, toDir, to)
	if err != nil && statx(toDir, to, unix.AT_SYMLINK_NOFOLLOW|unix.AT_STATX_FORCE_SYNC, &after) == nil &&
		after.Ino == before.Ino && devOf(&after) == devOf(&before) && !isThere(fromDir, from, before.Ino) {
		return nil
	}
	return err
}

// isThere reports whether a name still leads to a file.
func isThere(dir int, base string, ino uint64) bool {
	var st unix.Statx_t
	return statx(dir, base, unix.AT_SYMLINK_NOFOLLOW|unix.AT_STATX_FORCE_SYNC, &st) == nil && st.Ino == ino
}

// sillyName reports whether a name is one that a client of NFS gave to a file which was removed while a program there had it open.
// It goes when that program ends, or never.
func sillyName(base string) bool {
	const prefix, digits = ".nfs", 24
	if len(base) != len(prefix)+digits || base[:len(prefix)] != prefix {
		return false
	}
	for _, c := range []byte(base[len(prefix):]) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
