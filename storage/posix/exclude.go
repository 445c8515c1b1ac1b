package posix

import (
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"time"

	"golang.org/x/sys/unix"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// excludeName is a file of [Private] in which a byte stands for each key.
const excludeName = "exclude"

const (
	excludeFirst = 200 * time.Microsecond // pauses between two tries, which double
	excludeMost  = 20 * time.Millisecond
)

// Exclude implements storage.Excluder by a lock on a byte of one file, which the kernel gives back when the process dies; on a share
// its server keeps it. Keys may share a byte, which costs them time. On a share, a machine that its server took for dead has lost
// its locks and may not know for a moment.
func (s *Store) Exclude(ctx context.Context, key asset.Key) (release func(), err error) {
	fd, err := s.openExclude()
	if err != nil {
		return nil, fail("exclude", key, err)
	}
	lock := unix.Flock_t{Type: unix.F_WRLCK, Start: int64(key.Mark() >> 2), Len: 1}
	for pause := excludeFirst; ; pause = min(2*pause, excludeMost) {
		_, err := retryEINTR(func() (int, error) {
			err := unix.FcntlFlock(uintptr(fd), unix.F_OFD_SETLK, &lock)
			if errors.Is(err, unix.EAGAIN) {
				err = unix.EACCES // the other word for a lock that another has
			}
			return 0, err
		})
		if err == nil {
			return func() { unix.Close(fd) }, nil
		}
		if errors.Is(err, unix.EACCES) {
			err = wait(ctx, pause/2+rand.N(pause))
		}
		if err != nil {
			unix.Close(fd)
			return nil, fail("exclude", key, err)
		}
	}
}

// openExclude opens the file anew for each lock: locks of one opening do not see each other.
func (s *Store) openExclude() (fd int, err error) {
	const flags = unix.O_RDWR | unix.O_CREAT | unix.O_CLOEXEC | unix.O_NOFOLLOW
	err = s.atMade(Private.Join(excludeName), func(dir int, base string) error {
		fd, err = retryEINTR(func() (int, error) { return unix.Openat(dir, base, flags, 0o666) })
		return err
	})
	return fd, err
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

// stillIs looks whether a key has a version. It opens the file: on a share only that asks the server for certain.
func (s *Store) stillIs(ctx context.Context, key asset.Key, v asset.Version) error {
	r, err := s.Open(ctx, key, v)
	if errors.Is(err, fs.ErrNotExist) {
		return errors.Join(storage.ErrChanged, err)
	}
	if err != nil {
		return err
	}
	return r.Close()
}
