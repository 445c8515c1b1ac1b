package ftpgate

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/pires/go-proxyproto"
)

const (
	proxyTimeout = 5 * time.Second // for a proxy to say who its client is
	proxyFixed   = 16              // bytes of a header before what its length speaks of
	proxyMost    = 4 << 10         // bytes of a header that may follow
)

// ends are the two addresses of a connection as its client sees them.
type ends struct {
	client, came netip.Addr // whose it is, and the address that it came to
	proxied      bool       // by a proxy that is believed
}

// endsOf are the ends of a connection; a proxy tells them first.
func (g *Gate) endsOf(raw *net.TCPConn) (ends, error) {
	direct := ends{client: addrOf(raw.RemoteAddr()), came: addrOf(raw.LocalAddr())}
	if !g.isProxy(direct.client) {
		return direct, nil
	}
	return readEnds(raw, direct)
}

func (g *Gate) isProxy(a netip.Addr) bool {
	return slices.ContainsFunc(g.o.Proxies, func(p netip.Prefix) bool { return p.Contains(a) })
}

// readEnds takes the header of PROXY protocol v2 off a connection, and nothing of what follows it. A header that speaks of no client
// is the proxy's own look whether somebody is here.
func readEnds(raw *net.TCPConn, direct ends) (ends, error) {
	if err := raw.SetReadDeadline(time.Now().Add(proxyTimeout)); err != nil {
		return ends{}, err
	}
	text := make([]byte, proxyFixed)
	if _, err := io.ReadFull(raw, text); err != nil {
		return ends{}, fmt.Errorf("header of a proxy: %w", err)
	}
	if !bytes.HasPrefix(text, proxyproto.SIGV2) {
		return ends{}, errors.New("a proxy did not say by PROXY protocol v2 who its client is")
	}
	rest := int(binary.BigEndian.Uint16(text[proxyFixed-2:]))
	if rest > proxyMost {
		return ends{}, fmt.Errorf("header of a proxy: %d bytes, at most %d are read", rest, proxyMost)
	}
	text = append(text, make([]byte, rest)...)
	if _, err := io.ReadFull(raw, text[proxyFixed:]); err != nil {
		return ends{}, fmt.Errorf("header of a proxy: %w", err)
	}
	h, err := proxyproto.Read(bufio.NewReader(bytes.NewReader(text)))
	if err != nil {
		return ends{}, fmt.Errorf("header of a proxy: %w", err)
	}
	if h.Command.IsLocal() {
		return direct, raw.SetReadDeadline(time.Time{})
	}
	from, to, ok := h.TCPAddrs()
	if !ok {
		return ends{}, errors.New("header of a proxy: it speaks of no TCP connection")
	}
	return ends{addrOf(from), addrOf(to), true}, raw.SetReadDeadline(time.Time{})
}
