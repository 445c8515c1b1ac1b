package posix

import (
	"context"
	"errors"
	"io/fs"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

const statMask = unix.STATX_BASIC_STATS | unix.STATX_BTIME

// Stat implements storage.Store.
func (s *Store) Stat(ctx context.Context, key asset.Key) (storage.Object, error) {
	if err := context.Cause(ctx); err != nil {
		return storage.Object{}, fail("stat", key, err)
	}
	o, err := s.statKey(key, 0)
	return o, fail("stat", key, notThere(err))
}

// statNow is Stat by the word of the share's server.
func (s *Store) statNow(ctx context.Context, key asset.Key) (storage.Object, error) {
	if err := context.Cause(ctx); err != nil {
		return storage.Object{}, fail("stat", key, err)
	}
	s.refresh(key.Dir()) // the name may lead to another file by now
	o, err := s.statKey(key, s.syncFlag())
	return o, fail("stat", key, notThere(err))
}

func (s *Store) statKey(key asset.Key, flags int) (o storage.Object, err error) {
	if key == asset.Root {
		return s.statFile(s.root, key)
	}
	hasFolder := false
	err = s.at(key, func(dir int, base string) error {
		hasFolder = true
		o, err = s.statWith(dir, base, key, flags)
		return err
	})
	if !hasFolder && (errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR)) {
		return o, errors.Join(storage.ErrNoFolder, err)
	}
	return o, err
}

// notThere says fs.ErrNotExist also where a file stands in the way of a folder: the key is not there.
func notThere(err error) error {
	if errors.Is(err, unix.ENOTDIR) {
		return errors.Join(fs.ErrNotExist, err)
	}
	return err
}

func (s *Store) statAt(dir int, base string, key asset.Key) (storage.Object, error) {
	return s.statWith(dir, base, key, 0)
}

func (s *Store) statWith(dir int, base string, key asset.Key, flags int) (storage.Object, error) {
	var st unix.Statx_t
	if err := statx(dir, base, unix.AT_SYMLINK_NOFOLLOW|flags, &st); err != nil {
		return storage.Object{}, err
	}
	return s.object(key, &st), nil
}

// statOpen looks at a file that was just opened, by the word of the share's server: a mount with nocto would answer from memory.
func (s *Store) statOpen(fd int, key asset.Key) (storage.Object, error) {
	var st unix.Statx_t
	if err := statx(fd, "", unix.AT_EMPTY_PATH|s.syncFlag(), &st); err != nil {
		return storage.Object{}, err
	}
	return s.object(key, &st), nil
}

func (s *Store) statFile(fd int, key asset.Key) (storage.Object, error) {
	st, err := statFD(fd)
	if err != nil {
		return storage.Object{}, err
	}
	return s.object(key, st), nil
}

func statFD(fd int) (*unix.Statx_t, error) {
	var st unix.Statx_t
	err := statx(fd, "", unix.AT_EMPTY_PATH, &st)
	return &st, err
}

func statx(dir int, path string, flags int, st *unix.Statx_t) error {
	_, err := retryEINTR(func() (int, error) { return 0, unix.Statx(dir, path, flags, statMask, st) })
	return err
}

func (s *Store) object(key asset.Key, st *unix.Statx_t) storage.Object {
	o := storage.Object{
		Key:     key,
		Kind:    s.kind(st),
		Size:    int64(st.Size),
		ModTime: time.Unix(st.Mtime.Sec, int64(st.Mtime.Nsec)),
		Changed: time.Unix(st.Ctime.Sec, int64(st.Ctime.Nsec)),
	}
	if o.Kind == storage.Regular || o.Kind == storage.HardLinked {
		o.Version = s.version(st)
	}
	return o
}

func (s *Store) kind(st *unix.Statx_t) storage.Kind {
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		if st.Nlink > 1 {
			return storage.HardLinked
		}
		return storage.Regular
	case unix.S_IFDIR:
		if devOf(st) != s.dev.Load() {
			return storage.Mount
		}
		return storage.Directory
	case unix.S_IFLNK:
		return storage.Link
	}
	return storage.Special
}

// version is "inode.size.mtime" and, where every reader of the store sees it alike, ".birth".
func (s *Store) version(st *unix.Statx_t) asset.Version {
	b := make([]byte, 0, 64)
	b = strconv.AppendUint(b, st.Ino, 36)
	b = append(b, '.')
	b = strconv.AppendUint(b, st.Size, 36)
	b = append(b, '.')
	b = strconv.AppendInt(b, st.Mtime.Sec*1e9+int64(st.Mtime.Nsec), 36)
	if s.birth {
		b = append(b, '.')
		b = strconv.AppendInt(b, st.Btime.Sec*1e9+int64(st.Btime.Nsec), 36)
	}
	return asset.Version(b)
}

func devOf(st *unix.Statx_t) uint64 { return unix.Mkdev(st.Dev_major, st.Dev_minor) }
