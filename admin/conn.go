package admin

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// early is how much earlier than asked for a deadline of a connection may come. All of ours are tens of seconds.
const early = time.Second

// spare are the connections of a listener. net/http moves the deadlines of one eight times for a request, and sends an answer whose body
// is larger than its buffer in two pieces: both cost more than a thumbnail in memory.
type spare struct{ net.Listener }

// Accept implements net.Listener.
func (l spare) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if tcp, ok := c.(*net.TCPConn); ok && err == nil {
		return &conn{TCPConn: tcp}, nil
	}
	return c, err
}

// conn moves its deadlines when somebody waits for them, and can send the head and the body of an answer in one piece, with lines in the
// head that net/http need not know of.
type conn struct {
	*net.TCPConn
	reads, writes deadline
	lines         []byte // headers that go out in the next Write, which begins with a head: behind its first line
	holds         bool   // the next Write is a head
	head          []byte // that goes out with what comes next
	pieces        [2][]byte
	both          net.Buffers
}

type connKey struct{}

// withConn is http.Server's ConnContext, for connOf.
func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// connOf is the connection of a request; nil when it is none of ours, as in a test.
func connOf(r *http.Request) *conn {
	c, _ := r.Context().Value(connKey{}).(*conn)
	return c
}

// Read implements net.Conn.
func (c *conn) Read(b []byte) (int, error) {
	if err := c.reads.begin(c.TCPConn.SetReadDeadline); err != nil {
		return 0, err
	}
	defer c.reads.end()
	return c.TCPConn.Read(b)
}

// Write implements net.Conn.
func (c *conn) Write(b []byte) (int, error) {
	switch {
	case c.holds:
		c.hold(b)
		return len(b), nil
	case len(c.lines) > 0:
		return c.writeWithLines(b)
	}
	return c.write(b)
}

func (c *conn) write(b []byte) (int, error) {
	if err := c.writes.begin(c.TCPConn.SetWriteDeadline); err != nil {
		return 0, err
	}
	defer c.writes.end()
	return c.TCPConn.Write(b)
}

// hold keeps a piece of an answer until the rest comes, the lines in their place.
func (c *conn) hold(b []byte) {
	if len(c.lines) > 0 {
		first := bytes.IndexByte(b, '\n') + 1
		c.head = append(append(c.head, b[:first]...), c.lines...)
		c.lines, b = c.lines[:0], b[first:]
	}
	c.head = append(c.head, b...)
}

// writeWithLines tells of b alone how much was written.
func (c *conn) writeWithLines(b []byte) (int, error) {
	more := len(c.lines)
	c.hold(b)
	n, err := c.write(c.head)
	c.head = c.head[:0]
	return min(max(n-more, 0), len(b)), err
}

// ReadFrom implements io.ReaderFrom: net/http comes here with the rest of a body when the head is out.
func (c *conn) ReadFrom(r io.Reader) (int64, error) {
	if err := c.writes.begin(c.TCPConn.SetWriteDeadline); err != nil {
		return 0, err
	}
	defer c.writes.end()
	if b, ok := r.(*piece); ok && c.holds {
		return c.sendBoth(b)
	}
	return c.TCPConn.ReadFrom(r)
}

// sendBoth tells how much of the body was sent.
func (c *conn) sendBoth(b *piece) (int64, error) {
	held := int64(len(c.head))
	c.pieces = [2][]byte{c.head, b.data}
	c.both = c.pieces[:]
	n, err := c.both.WriteTo(c.TCPConn)
	c.pieces, c.head, c.holds = [2][]byte{}, c.head[:0], false
	n = max(n-held, 0)
	b.data = b.data[n:]
	return n, err
}

// send answers with data, in one piece with what stands before it. w leads to this connection.
func (c *conn) send(w io.Writer, data []byte) {
	c.holds = true
	_, _ = io.Copy(w, &piece{data}) // a client that is gone needs no answer
	c.holds = false
	if len(c.head) > 0 { // w had no use for the body
		_, _ = c.write(c.head)
		c.head = c.head[:0]
	}
}

// piece is what of the body of an answer was not sent yet.
type piece struct{ data []byte }

func (b *piece) Read(p []byte) (int, error) {
	if len(b.data) == 0 {
		return 0, io.EOF
	}
	n := copy(p, b.data)
	b.data = b.data[n:]
	return n, nil
}

// SetDeadline implements net.Conn.
func (c *conn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// SetReadDeadline implements net.Conn.
func (c *conn) SetReadDeadline(t time.Time) error { return c.reads.want(t, c.TCPConn.SetReadDeadline) }

// SetWriteDeadline implements net.Conn.
func (c *conn) SetWriteDeadline(t time.Time) error {
	return c.writes.want(t, c.TCPConn.SetWriteDeadline)
}

// deadline of one direction of a connection.
type deadline struct {
	mu          sync.Mutex
	waits       bool
	wanted, set time.Time
}

// want makes t the deadline of who waits, and of all who wait later.
func (d *deadline) want(t time.Time, set func(time.Time) error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wanted = t
	if !d.waits {
		return nil
	}
	return d.move(set)
}

// begin is called by who is going to wait. One that is long over is no reason to move the other.
func (d *deadline) begin(set func(time.Time) error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.wanted.IsZero() && d.wanted.Unix() <= 1 {
		return os.ErrDeadlineExceeded
	}
	d.waits = true
	return d.move(set)
}

func (d *deadline) end() {
	d.mu.Lock()
	d.waits = false
	d.mu.Unlock()
}

func (d *deadline) move(set func(time.Time) error) error {
	if later := d.wanted.Sub(d.set); later == 0 || !d.set.IsZero() && later > 0 && later < early {
		return nil
	}
	d.set = d.wanted
	return set(d.wanted)
}
