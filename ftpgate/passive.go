package ftpgate

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"go.uber.org/zap"
)

const (
	publicEvery = time.Minute     // between two lookups of the public host
	publicWait  = 5 * time.Second // for one
)

// passive is a listener for one data connection from the client's own address.
type passive struct {
	l    *net.TCPListener
	done func()
	s    *session
	once sync.Once
}

// open waits for the client. Connections from other addresses are closed at once: they would be thieves.
func (p *passive) open(ctx context.Context) (*net.TCPConn, error) {
	defer p.close()
	defer context.AfterFunc(ctx, p.close)()
	if err := p.l.SetDeadline(time.Now().Add(dataTimeout)); err != nil {
		return nil, fmt.Errorf("data connection: %w", err)
	}
	for {
		conn, err := p.l.AcceptTCP()
		if ctx.Err() != nil && conn == nil {
			return nil, context.Cause(ctx)
		}
		if err != nil {
			return nil, fmt.Errorf("data connection: %w", err)
		}
		if p.s.isOwn(conn) {
			return conn, nil
		}
		_ = conn.Close()
	}
}

// isOwn reports whether a data connection comes from the session's client, by the same way or directly.
func (s *session) isOwn(conn *net.TCPConn) bool {
	if from := addrOf(conn.RemoteAddr()); !s.proxied || !s.g.isProxy(from) {
		return from == s.client
	}
	e, err := s.g.endsOf(conn)
	return err == nil && e.client == s.client
}

func (p *passive) close() {
	p.once.Do(func() {
		_ = p.l.Close()
		p.done()
	})
}

// listenPassive makes a passive opener at the address that the client's connection ends at.
func (s *session) listenPassive() (*passive, error) {
	s.dropData()
	l, done, err := s.g.ports.listen(s.ctx, s.local)
	if err != nil {
		return nil, err
	}
	p := &passive{l: l, done: done, s: s}
	s.data = p
	return p, nil
}

func (s *session) cmdPasv(string) {
	if s.epsvAll {
		s.reply(503, "you said EPSV ALL")
		return
	}
	host, err := s.passiveHost()
	if err != nil {
		s.log.Warn("PASV cannot be answered", zap.Error(err))
		s.reply(425, "PASV cannot be used here; use EPSV")
		return
	}
	p, err := s.listenPassive()
	if err != nil {
		s.noPort(err)
		return
	}
	a, port := host.As4(), portOf(p.l)
	s.reply(227, "Entering Passive Mode (%d,%d,%d,%d,%d,%d).", a[0], a[1], a[2], a[3], port>>8, port&0xff)
}

func (s *session) cmdEpsv(param string) {
	want := "1"
	if s.came.Is6() {
		want = "2"
	}
	switch param {
	case "ALL", "all":
		s.epsvAll = true
		s.reply(200, "EPSV only, from now on")
		return
	case "", want:
	default:
		s.reply(522, "another network protocol than yours cannot be used, use (%s)", want)
		return
	}
	p, err := s.listenPassive()
	if err != nil {
		s.noPort(err)
		return
	}
	s.reply(229, "Entering Extended Passive Mode (|||%d|)", portOf(p.l))
}

func (s *session) noPort(err error) {
	s.log.Warn("no port for a data connection", zap.Error(err))
	s.reply(425, "%s", errNoPort)
}

func portOf(l *net.TCPListener) int { return l.Addr().(*net.TCPAddr).Port }

// passiveHost is the IPv4 address that PASV tells: the public one, except to the machine itself.
func (s *session) passiveHost() (netip.Addr, error) {
	host := s.came
	if s.g.public.host != "" && !s.client.IsLoopback() {
		var err error
		if host, err = s.g.public.resolve(s.ctx); err != nil {
			return host, err
		}
	}
	if !host.Is4() {
		return host, fmt.Errorf("%s is no IPv4 address", host)
	}
	return host, nil
}

// publicHost is the address that clients reach the gate by, a name or an address.
type publicHost struct {
	host string

	mu    sync.Mutex
	addr  netip.Addr
	asked time.Time
}

// resolve looks a name up, at most once a minute; when that fails, the last answer stands.
func (p *publicHost) resolve(ctx context.Context) (netip.Addr, error) {
	if a, err := netip.ParseAddr(p.host); err == nil {
		return a.Unmap(), nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.addr.IsValid() && time.Since(p.asked) < publicEvery {
		return p.addr, nil
	}
	ctx, cancel := context.WithTimeout(ctx, publicWait)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip4", p.host)
	if err != nil || len(found) == 0 {
		if p.addr.IsValid() {
			return p.addr, nil
		}
		return netip.Addr{}, fmt.Errorf("look up the public host: %w", err)
	}
	p.addr, p.asked = found[0].Unmap(), time.Now()
	return p.addr, nil
}
