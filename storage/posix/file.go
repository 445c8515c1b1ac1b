package posix

import (
	"errors"
	"io"
	"sync"

	"golang.org/x/sys/unix"
)

// file is an open regular file. Unlike os.File it never asks the poller, which knows nothing about regular files: that saves
// four system calls for each one, and an import opens several. Reads have their own offset. Close is idempotent.
type file struct {
	fd   int
	off  int64
	once sync.Once
}

func (f *file) Read(p []byte) (int, error) {
	n, err := f.ReadAt(p, f.off)
	f.off += int64(n)
	if n > 0 && err == io.EOF {
		err = nil
	}
	return n, err
}

func (f *file) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		m, err := retryEINTR(func() (int, error) { return unix.Pread(f.fd, p[n:], off+int64(n)) })
		if err != nil {
			return n, err
		}
		if m == 0 {
			return n, io.EOF
		}
		n += m
	}
	return n, nil
}

func (f *file) Write(p []byte) (n int, err error) {
	for n < len(p) {
		m, err := retryEINTR(func() (int, error) { return unix.Write(f.fd, p[n:]) })
		if err != nil {
			return n, err
		}
		if m == 0 {
			return n, io.ErrShortWrite
		}
		n += m
	}
	return n, nil
}

func (f *file) Sync() error {
	_, err := retryEINTR(func() (int, error) { return 0, unix.Fsync(f.fd) })
	return err
}

func (f *file) Close() error {
	err := errors.New("already closed")
	f.once.Do(func() {
		err = unix.Close(f.fd)
		f.fd = -1
	})
	return err
}
