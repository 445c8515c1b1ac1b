//go:build unix

package local

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"hotfolderd/leases"
)

const lockName = "alone.lock"

// Share keeps nodes that are alone away from a folder that a cluster works on, and refuses one where a node is alone: the
// error says which and wraps [leases.ErrHeld]. Any number of nodes may share. Close gives it back.
func Share(dir string) (io.Closer, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("share: %w", err)
	}
	f, err := lock(dir, unix.LOCK_SH)
	if err != nil {
		return nil, err // not f: an interface that holds a nil pointer is not nil
	}
	return f, nil
}

// lockAlone takes the lock of dir, or says who has it.
func lockAlone(dir string) (*os.File, error) {
	f, err := lock(dir, unix.LOCK_EX)
	if err == nil {
		err = sign(f)
	}
	if err != nil && f != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, err
}

// lock takes the lock in one way or the other. The kernel gives it back when the file is closed or the process dies, however
// it dies.
func lock(dir string, how int) (*os.File, error) {
	path := filepath.Join(dir, lockName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, fmt.Errorf("local leases: %w", err)
	}
	err = flock(f, how)
	switch {
	case errors.Is(err, unix.EWOULDBLOCK) && how == unix.LOCK_EX && pidIn(f) == "unknown":
		err = fmt.Errorf("the nodes of a cluster work on this folder, %s: %w", strconv.Quote(dir), leases.ErrHeld)
	case errors.Is(err, unix.EWOULDBLOCK):
		err = fmt.Errorf("another hotfolderd (pid %s) works on this folder, %s: %w", pidIn(f), strconv.Quote(dir), leases.ErrHeld)
	case err != nil:
		err = fmt.Errorf("local leases: lock %s: %w", strconv.Quote(path), err)
	case how == unix.LOCK_SH:
		err = f.Truncate(0) // whoever was alone here is gone
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// flock does not wait. A signal may interrupt it.
func flock(f *os.File, how int) error {
	for {
		err := unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// pidIn is what the holder wrote about itself. It is for people: nothing is decided by it.
func pidIn(f *os.File) string {
	b, err := io.ReadAll(io.NewSectionReader(f, 0, 32))
	pid, convErr := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || convErr != nil {
		return "unknown"
	}
	return strconv.Itoa(pid)
}

// sign writes our pid for whoever is refused.
func sign(f *os.File) error {
	err := f.Truncate(0)
	if err == nil {
		_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	if err != nil {
		return fmt.Errorf("local leases: sign the lock: %w", err)
	}
	return nil
}
