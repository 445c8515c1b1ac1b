package ftpgate

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"go.uber.org/zap"
)

const (
	refuseTimeout = 2 * time.Second        // to tell a client why it is not served
	acceptPause   = 100 * time.Millisecond // after an accept that failed, when there are no descriptors left
	keepAlive     = 30 * time.Second
)

// listener hands the library connections that are worth a session. It ends with ctx.
type listener struct {
	net.Listener
	g        *Gate
	ctx      context.Context //nolint:containedctx // lives as long as the listener
	hard     context.Context //nolint:containedctx // of the sessions: outlives ctx by the grace
	implicit bool
}

// Accept waits for a client that is served; others are refused here. Its error is the end.
func (l *listener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) || l.ctx.Err() != nil {
				return nil, net.ErrClosed
			}
			l.g.o.Log.Warn("accept failed", zap.Error(err))
			wait(l.ctx, acceptPause)
			continue
		}
		if c := l.welcome(conn.(*net.TCPConn)); c != nil {
			return c, nil
		}
	}
}

// welcome makes a session of a connection, or refuses it.
func (l *listener) welcome(raw *net.TCPConn) *control {
	g := l.g
	ctx, cancel := context.WithCancelCause(l.hard)
	c := newControl(raw, g.secure)
	c.s = g.begin(ctx, cancel, c, rand.Text()[:10], l.implicit)
	why := ""
	if left := g.o.Bans.Banned(c.s.remote.String()); left > 0 {
		why = fmt.Sprintf("too many wrong passwords; try again in %s", left.Round(time.Second))
	} else if err := errors.Join(prepareControl(raw), raw.SetKeepAlivePeriod(keepAlive)); err != nil {
		why = "the connection cannot be used"
	} else {
		why = g.admit(c.s)
	}
	if why != "" {
		refuse(raw, why, l.implicit)
		cancel(errClosed)
		return nil
	}
	go l.tend(ctx, c)
	return c
}

// tend runs the pump until the library has closed the connection.
func (l *listener) tend(ctx context.Context, c *control) {
	c.pump(ctx, l.implicit)
	<-c.closed
	l.g.goodbye(c.s)
	l.g.leave(c.s)
}

// refuse says why, as far as that does not make the next client wait: what does not fit into the connection's buffer is lost.
func refuse(raw *net.TCPConn, why string, implicit bool) {
	if !implicit {
		_ = raw.SetWriteDeadline(time.Now().Add(refuseTimeout))
		_, _ = fmt.Fprintf(raw, "421 %s\r\n", printable(why))
	}
	_ = raw.Close()
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// addrOf is the plain IP address of a TCP address.
func addrOf(a net.Addr) netip.Addr {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return tcp.AddrPort().Addr().Unmap()
}
