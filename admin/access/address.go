package access

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Address is where a request comes from: the peer, or where a proxy that is believed says that it comes from. Each proxy appends whom
// it was asked by, so that the last entry that is no such proxy is true; all before it anybody may have written.
func (c *Control) Address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	if len(c.o.Proxies) == 0 {
		return host
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && c.proxy(host); i-- {
		a, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		host = a.Unmap().WithZone("").String()
	}
	return host
}

func (c *Control) proxy(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && slices.ContainsFunc(c.o.Proxies, func(p netip.Prefix) bool { return p.Contains(a.Unmap().WithZone("")) })
}
