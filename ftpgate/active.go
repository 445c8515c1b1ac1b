package ftpgate

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

const firstFreePort = 1024 // below are services that a client must not make us talk to

// active connects to the client's own address.
type active struct {
	local netip.Addr
	to    netip.AddrPort
}

func (a *active) open(ctx context.Context) (*net.TCPConn, error) {
	d := net.Dialer{Timeout: dataTimeout, KeepAlive: -1, LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(a.local, 0))}
	conn, err := d.DialContext(ctx, "tcp", a.to.String())
	switch {
	case err == nil:
		return conn.(*net.TCPConn), nil
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	}
	return nil, fmt.Errorf("data connection: %w", err)
}

func (*active) close() {}

func (s *session) cmdPort(param string) {
	to, err := parsePort(param)
	s.setActive(to, err)
}

func (s *session) cmdEprt(param string) {
	to, err := parseEprt(param)
	s.setActive(to, err)
}

// setActive takes an address of the client. Any other would let a client use us against third parties.
func (s *session) setActive(to netip.AddrPort, err error) {
	switch {
	case s.epsvAll:
		s.reply(503, "you said EPSV ALL")
	case err != nil:
		s.reply(501, "%s", err)
	case to.Addr() != s.client || to.Port() < firstFreePort:
		s.reply(504, "only your own address, and a port from %d", firstFreePort)
	default:
		s.dropData()
		s.data = &active{local: s.local, to: to}
		s.reply(200, "data goes there")
	}
}

// parsePort reads "h1,h2,h3,h4,p1,p2".
func parsePort(param string) (netip.AddrPort, error) {
	parts := strings.Split(param, ",")
	if len(parts) != 6 {
		return netip.AddrPort{}, errors.New("expected h1,h2,h3,h4,p1,p2")
	}
	var b [6]byte
	for i, p := range parts {
		n, err := strconv.ParseUint(strings.TrimSpace(p), 10, 8)
		if err != nil {
			return netip.AddrPort{}, errors.New("expected six numbers from 0 to 255")
		}
		b[i] = byte(n)
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[:4])), uint16(b[4])<<8|uint16(b[5])), nil
}

// parseEprt reads "|1|192.0.2.1|6446|" and "|2|2001:db8::1|6446|", with any delimiter.
func parseEprt(param string) (netip.AddrPort, error) {
	wrong := errors.New("expected |1|address|port| or |2|address|port|")
	if len(param) < 2 {
		return netip.AddrPort{}, wrong
	}
	parts := strings.Split(param, param[:1])
	if len(parts) != 5 {
		return netip.AddrPort{}, wrong
	}
	addr, errAddr := netip.ParseAddr(parts[2])
	port, errPort := strconv.ParseUint(parts[3], 10, 16)
	family := map[bool]string{true: "1", false: "2"}[addr.Is4()]
	if errAddr != nil || errPort != nil || addr.Zone() != "" || parts[1] != family {
		return netip.AddrPort{}, wrong
	}
	return netip.AddrPortFrom(addr.Unmap(), uint16(port)), nil
}
