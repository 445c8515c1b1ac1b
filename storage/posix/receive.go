package posix

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

const pipeSize = 1 << 20 // of a pipe between a connection and a file; the kernel may allow less

// pipe leads from a connection to a file within the kernel; full is how many bytes are in it.
type pipe struct{ r, w, full int }

var _ storage.Receiver = (*staged)(nil)

// Receive implements storage.Receiver by splice: one copy of the bytes instead of two.
func (t *staged) Receive(conn syscall.Conn, n int) (int, error) {
	if t.broken != nil {
		return 0, t.broken
	}
	if err := t.openPipe(); err != nil {
		return 0, err
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, err
	}
	t.pipe.full, err = t.pipe.fill(raw, min(n, pipeSize))
	return t.pipe.full, err
}

// Append implements storage.Receiver.
func (t *staged) Append() error {
	if t.broken != nil {
		return t.broken
	}
	t.flushed = false
	if err := t.drain(t.pipe.full); err != nil {
		t.broken = fail("write", asset.Key(t.name), err)
		return t.broken
	}
	t.size += int64(t.pipe.full)
	t.pipe.full = 0
	return nil
}

func (t *staged) openPipe() error {
	if t.pipe != nil {
		return nil
	}
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return errors.Join(errors.ErrUnsupported, err)
	}
	t.pipe = &pipe{r: fds[0], w: fds[1]}
	_, _ = unix.FcntlInt(uintptr(fds[1]), unix.F_SETPIPE_SZ, pipeSize) // smaller is slower, and no more
	return nil
}

// fill waits for bytes on the connection and takes what fits. The pipe is empty, so it is the connection that is waited for.
func (p *pipe) fill(raw syscall.RawConn, most int) (int, error) {
	var n int64
	var inner error
	err := raw.Read(func(fd uintptr) bool {
		for {
			n, inner = unix.Splice(int(fd), nil, p.w, nil, most, unix.SPLICE_F_MOVE|unix.SPLICE_F_NONBLOCK)
			if !errors.Is(inner, unix.EINTR) {
				return !errors.Is(inner, unix.EAGAIN) // nothing is there yet
			}
		}
	})
	switch {
	case err != nil:
		return 0, err
	case errors.Is(inner, unix.EINVAL):
		return 0, errors.Join(errors.ErrUnsupported, inner)
	case inner != nil:
		return 0, &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("splice", inner)}
	case n == 0:
		return 0, io.EOF
	}
	return int(n), nil
}

// drain moves n bytes of the pipe to the end of the file; by hand where the file system has no splice.
func (t *staged) drain(n int) error {
	for n > 0 {
		m, err := retryEINTR(func() (int, error) {
			m, err := unix.Splice(t.pipe.r, nil, t.f.fd, nil, n, unix.SPLICE_F_MOVE)
			return int(m), err
		})
		switch {
		case errors.Is(err, unix.EINVAL):
			return t.drainByHand(n)
		case err != nil:
			return err
		case m == 0:
			return io.ErrShortWrite
		}
		n -= m
	}
	return nil
}

func (t *staged) drainByHand(n int) error {
	buf := make([]byte, min(n, copyBuffer))
	for n > 0 {
		m, err := retryEINTR(func() (int, error) { return unix.Read(t.pipe.r, buf[:min(n, len(buf))]) })
		if err == nil && m == 0 {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		if _, err := t.f.Write(buf[:m]); err != nil {
			return err
		}
		n -= m
	}
	return nil
}

func (t *staged) closePipe() {
	if t.pipe != nil {
		_, _ = unix.Close(t.pipe.r), unix.Close(t.pipe.w)
		t.pipe = nil
	}
}
