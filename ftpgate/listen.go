package ftpgate

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"go.uber.org/zap"
)

const (
	refuseTimeout = 2 * time.Second        // to tell a client why it is not served
	acceptPause   = 100 * time.Millisecond // after an accept that failed, when there are no descriptors left
	keepAlive     = 30 * time.Second
)

// listenTCP listens for plain TCP: of connections that are made of several the kernel cannot be asked what it must be. alive is the time
// after which a silent connection is probed; negative: never.
func listenTCP(address string, alive time.Duration) (*net.TCPListener, error) {
	c := net.ListenConfig{KeepAlive: alive}
	c.SetMultipathTCP(false)
	l, err := c.Listen(context.Background(), "tcp", address) // cleanup: an address of this machine: there is nothing to wait for
	if err != nil {
		return nil, err
	}
	return l.(*net.TCPListener), nil
}

// listener hands the library connections that are worth a session, while take runs. It ends with ctx.
type listener struct {
	net.Listener
	g        *Gate
	ctx      context.Context //nolint:containedctx // lives as long as the listener
	hard     context.Context //nolint:containedctx // of the sessions: outlives ctx by the grace
	implicit bool
	lobby    *lobby
	welcomed chan *control
}

// hear makes sessions of the newcomers that have said something, until the lobby is closed.
func (l *listener) hear() error {
	return l.lobby.run(func(n *newcomer) {
		if s := l.begin(n); l.g.settle(n, s) {
			l.lobby.leave(n)
			go l.tend(s)
		} else {
			s.end()
		}
	})
}

// Accept gives the library a client that is served. Its error is the end.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.welcomed:
		return known{c}, nil
	case <-l.ctx.Done():
		return nil, net.ErrClosed
	}
}

// take accepts connections until ctx ends. Nobody waits for a proxy that does not say who its client is.
func (l *listener) take() {
	var slow sync.WaitGroup
	defer slow.Wait()
	for {
		conn, err := l.Listener.Accept()
		switch {
		case err == nil:
		case errors.Is(err, net.ErrClosed) || l.ctx.Err() != nil:
			return
		default:
			l.g.o.Log.Warn("accept failed", zap.Error(err))
			wait(l.ctx, acceptPause)
			continue
		}
		raw := conn.(*net.TCPConn)
		if l.g.isProxy(addrOf(raw.RemoteAddr())) {
			slow.Go(func() { l.meet(raw) })
		} else {
			l.meet(raw)
		}
	}
}

// meet finds out whose a connection is.
func (l *listener) meet(raw *net.TCPConn) {
	defer context.AfterFunc(l.ctx, func() { _ = raw.SetReadDeadline(time.Now()) })()
	e, err := l.g.endsOf(raw)
	if err != nil {
		l.g.o.Log.Warn("connection of a proxy refused", zap.Stringer("address", addrOf(raw.RemoteAddr())), zap.Error(err))
		_ = raw.Close()
		return
	}
	l.welcome(raw, e)
}

// welcome lets a client in, or refuses it.
func (l *listener) welcome(raw *net.TCPConn, e ends) {
	g := l.g
	n := &newcomer{ends: e, l: l, raw: raw, id: rand.Text()[:10], since: time.Now()}
	why := ""
	if left := g.o.Bans.Banned(e.client.String()); left > 0 {
		why = fmt.Sprintf("too many wrong passwords; try again in %s", left.Round(time.Second))
	} else if err := prepareControl(raw); err != nil {
		why = "the connection cannot be used"
	} else {
		why = g.admit(n)
	}
	if why != "" {
		n.refuse(why)
		return
	}
	n.greet()
	if err := l.lobby.enter(n); err != nil {
		g.sendAway(n, err)
	}
}

// tend runs the pump of a session until the library has closed the connection, if it came to know of it.
func (l *listener) tend(s *session) {
	s.c.pump(s.ctx, l.implicit, func(r *bufio.Reader) (line, error) { return l.first(s.c, r) })
	if !s.c.isKnown {
		_ = s.c.Close()
	}
	<-s.c.closed
	l.g.goodbye(s)
	s.end()
	l.g.leave(s.id, s.client, s.account())
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
