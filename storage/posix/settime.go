package posix

import (
	"context"
	"time"

	"golang.org/x/sys/unix"

	"hotfolderd/storage"
)

// SetTime sets the modification time of a file that nobody else touches. That makes it another version, which is returned; ErrChanged when
// it was another one already. It is as durable as a rename that follows it.
func (s *Store) SetTime(_ context.Context, o storage.Object, t time.Time) (dated storage.Object, err error) {
	err = s.at(o.Key, func(dir int, base string) error {
		now, err := s.statAt(dir, base, o.Key)
		if err != nil {
			return err
		}
		if now.Version != o.Version {
			return storage.ErrChanged
		}
		times := []unix.Timespec{{Nsec: unix.UTIME_OMIT}, unix.NsecToTimespec(t.UnixNano())}
		if err := unix.UtimesNanoAt(dir, base, times, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			return err
		}
		dated, err = s.statAt(dir, base, o.Key)
		return err
	})
	return dated, fail("set the time of", o.Key, err)
}
