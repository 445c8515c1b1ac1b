package ftpgate

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// lobby is where the newcomers of a listener wait, all of them by one goroutine, which the kernel tells of what comes. Nothing of that is
// taken: what has come of a line is left with the kernel.
type lobby struct {
	epoll  int
	events *os.File // the same, in the way in which Go waits

	mu     sync.Mutex
	in     map[int32]*newcomer
	room   [maxLine]byte // for what somebody has said so far
	closed bool
}

func newLobby() (*lobby, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, errors.Join(fmt.Errorf("epoll: %w", err), unix.Close(fd))
	}
	return &lobby{epoll: fd, events: os.NewFile(uintptr(fd), "epoll"), in: map[int32]*newcomer{}}, nil
}

// enter has a newcomer wait, unless it was sent away already.
func (b *lobby) enter(n *newcomer) error {
	conn, err := n.raw.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	err = conn.Control(func(fd uintptr) {
		b.mu.Lock()
		defer b.mu.Unlock()
		if n.out || b.closed {
			return
		}
		n.fd = int32(fd)
		b.in[n.fd] = n
		inner = unix.EpollCtl(b.epoll, unix.EPOLL_CTL_ADD, int(fd), &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLRDHUP | edges, Fd: n.fd})
	})
	return errors.Join(err, inner)
}

const edges = unix.EPOLLET & (1<<32 - 1) // the constant is negative

// leave has nobody wait for a client any more. Its connection is still open.
func (b *lobby) leave(n *newcomer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n.out = true
	if b.in[n.fd] != n {
		return
	}
	delete(b.in, n.fd)
	if !b.closed {
		_ = unix.EpollCtl(b.epoll, unix.EPOLL_CTL_DEL, int(n.fd), nil) // it goes with the connection, too
	}
}

// run calls said for each newcomer who has said a line, or all it will, until close.
func (b *lobby) run(said func(*newcomer)) error {
	conn, err := b.events.SyscallConn()
	if err != nil {
		return err
	}
	var came [128]unix.EpollEvent
	var broken error
	err = conn.Read(func(uintptr) bool {
		n := len(came)
		for n == len(came) && broken == nil {
			n, broken = b.wait(came[:])
			for _, e := range came[:n] {
				if n := b.look(e); n != nil {
					said(n)
				}
			}
		}
		return broken != nil
	})
	if b.isClosed() {
		return nil
	}
	return errors.Join(err, broken)
}

func (b *lobby) isClosed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.closed
}

// wait takes the events that there are already.
func (b *lobby) wait(came []unix.EpollEvent) (int, error) {
	for {
		n, err := unix.EpollWait(b.epoll, came, 0)
		if !errors.Is(err, unix.EINTR) {
			return max(n, 0), err
		}
	}
}

// look is the newcomer of an event, if there is something to do now.
func (b *lobby) look(e unix.EpollEvent) *newcomer {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.in[e.Fd]
	if n == nil || e.Events&^unix.EPOLLIN == 0 && !n.l.implicit && !b.hasLine(int(e.Fd)) {
		return nil
	}
	return n
}

// hasLine reports whether a line has come, or more than one may have, or an error, of which whoever reads learns more. mu is held, by which
// the connection is open.
func (b *lobby) hasLine(fd int) bool {
	n, _, err := unix.Recvfrom(fd, b.room[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) {
		return false
	}
	return err != nil || n == 0 || n == len(b.room) || bytes.IndexByte(b.room[:n], '\n') >= 0
}

// close ends run, and returns when it makes no further call. Idempotent.
func (b *lobby) close() {
	b.mu.Lock()
	was := b.closed
	b.closed = true
	b.mu.Unlock()
	if !was {
		_ = b.events.Close() // it waits for run, which may want mu
	}
}
