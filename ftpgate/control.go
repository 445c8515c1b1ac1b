package ftpgate

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Reasons for the end of a session or a transfer.
var (
	errGone     = errors.New("the client is gone")
	errReset    = errors.New("the client was cut off")
	errAborted  = errors.New("aborted by the client")
	errDraining = errors.New("this node is going down")
	errEnded    = errors.New("ended by an administrator")
	errSilent   = errors.New("nothing was said for too long")
	errClosed   = errors.New("the session is over")
)

const (
	queuedLines = 32  // commands that a client may send ahead
	readAhead   = 512 // bytes: most commands are much shorter, and there may be many clients
)

// control is the control connection of one session. Its pump reads it all the time, also during a transfer, so that the end of
// the client is seen at once. To the library it is a net.Conn that gives one good command at a time.
type control struct {
	raw     *net.TCPConn
	secure  *tls.Config // nil: no encryption here
	ready   chan struct{}
	lines   chan line     // made when there is a first one
	upgrade chan bool     // after AUTH: go on encrypted, or as before
	gone    chan struct{} // closed when the client will say no more; why has the reason
	why     error
	closed  chan struct{} // closed by Close
	close   sync.Once

	received atomic.Uint64           // commands that have come
	aborts   atomic.Int32            // of them, ABOR that were not answered yet
	wake     chan struct{}           // something came, or nothing will
	watch    atomic.Pointer[watcher] // of the transfer in hand
	isTLS    atomic.Bool

	write sync.Mutex
	conn  net.Conn // raw, or TLS on it; changed by the pump, under write
	rest  []byte   // of a line that the library has not read yet
	s     *session

	isKnown bool // to the library, which will close it; set by the pump
}

// watcher looks at what a client does during a transfer. The pump calls it.
type watcher struct {
	line func(l line) (taken bool) // sees commands before they are queued; true takes it out of the queue
	gone func(why error)           // is told when no more will come
}

func newControl(raw *net.TCPConn, secure *tls.Config) *control {
	return &control{
		raw: raw, secure: secure, conn: raw,
		ready: make(chan struct{}), upgrade: make(chan bool),
		gone: make(chan struct{}), closed: make(chan struct{}), wake: make(chan struct{}, 1),
	}
}

// Read gives the library one command, canonical and complete. What is no command is answered here.
func (c *control) Read(p []byte) (int, error) {
	for len(c.rest) == 0 {
		l, ok := c.s.next()
		if !ok {
			return 0, io.EOF
		}
		c.rest = []byte(l.verb + " " + l.param + "\r\n")
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// Write is called by reply.
func (c *control) Write(p []byte) (int, error) {
	select {
	case <-c.ready:
	case <-c.gone:
	}
	c.write.Lock()
	defer c.write.Unlock()
	if err := c.conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return 0, err
	}
	return c.conn.Write(p)
}

// Close ends the connection. Idempotent; the library calls it when its loop has ended.
func (c *control) Close() error {
	err := net.ErrClosed
	c.close.Do(func() {
		close(c.closed)
		err = c.raw.Close()
	})
	return err
}

// LocalAddr is the address that the client came to.
func (c *control) LocalAddr() net.Addr { return c.raw.LocalAddr() }

// RemoteAddr is the client's address, and leads each command of the library to its session.
func (c *control) RemoteAddr() net.Addr { return peer{c.raw.RemoteAddr(), c.s} }

// peer is an address that knows its session.
type peer struct {
	net.Addr
	s *session
}

// SetDeadline and its sisters do nothing: the gate keeps its own time.
func (c *control) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing.
func (c *control) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing.
func (c *control) SetWriteDeadline(time.Time) error { return nil }

// encrypted reports whether the connection is.
func (c *control) encrypted() bool { return c.isTLS.Load() }

// handshake makes the connection an encrypted one. Only the pump calls it, and nothing is read from outside meanwhile.
func (c *control) handshake(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, dataTimeout)
	defer cancel()
	conn := tls.Server(c.raw, c.secure)
	if err := conn.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("encrypt the connection: %w", err)
	}
	c.write.Lock()
	c.conn = conn
	c.write.Unlock()
	c.isTLS.Store(true)
	return nil
}

// state asks the kernel about the connection.
func (c *control) state() (lineState, error) { return askKernel(c.raw) }
