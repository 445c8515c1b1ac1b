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

// lockAlone takes the lock of dir, or says who has it. The kernel gives it back when the file is closed or the process
// dies, however it dies.
func lockAlone(dir string) (*os.File, error) {
	path := filepath.Join(dir, lockName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, fmt.Errorf("local leases: %w", err)
	}
	err = flock(f)
	switch {
	case errors.Is(err, unix.EWOULDBLOCK):
		err = fmt.Errorf("another hotfolderd (pid %s) works on this folder, %s: %w", pidIn(f), strconv.Quote(dir), leases.ErrHeld)
	case err != nil:
		err = fmt.Errorf("local leases: lock %s: %w", strconv.Quote(path), err)
	default:
		err = sign(f)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// flock does not wait. A signal may interrupt it.
func flock(f *os.File) error {
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
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
