package ftpgate_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"hotfolderd/ftpgate"
)

func TestIPv6(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.run(func(o *ftpgate.Options) { o.Listen = "[::1]:0" })
	c := login(t, g)
	c.steps([]step{
		{"PASV", 425, "EPSV"},
		{"EPSV 1", 522, "(2)"},
		{"EPSV 2", 229, ""},
		{"EPRT |1|127.0.0.1|50000|", 504, ""},
		{"EPRT |2|::2|50000|", 504, ""},
	})
	c.upload("a.jpg", "passive")
	l, err := net.Listen("tcp", "[::1]:0")
	check(t, err)
	closing(t, l)
	c.do(200, "EPRT |2|::1|%d|", l.Addr().(*net.TCPAddr).Port)
	c.send("STOR b.jpg")
	d, err := l.Accept()
	check(t, err)
	c.want(150)
	_, err = io.WriteString(d, "active")
	check(t, err)
	check(t, d.Close())
	c.want(226)
	c.do(200, "NOOP")
	if got := w.content("inbox/a.jpg") + w.content("inbox/b.jpg"); got != "passiveactive" {
		t.Errorf("want both, got %q", got)
	}
}

func TestPASV_tellsThePublicAddress(t *testing.T) {
	t.Parallel()
	g := newWorld(t).run(func(o *ftpgate.Options) { o.PublicHost = "203.0.113.7" })
	if got := login(t, g).do(227, "PASV"); !strings.Contains(got, "(127,0,0,1,") {
		t.Errorf("want the machine itself told its own address, got %q", got)
	}
	if c := fromOutside(t, g); c != nil {
		c.do(331, "USER %s", user)
		c.do(230, "PASS %s", password)
		if got := c.do(227, "PASV"); !strings.Contains(got, "(203,0,113,7,") {
			t.Errorf("want the public address, got %q", got)
		}
	}
}

// fromOutside is a client that does not come from a loopback address; nil on a machine without another one.
func fromOutside(t *testing.T, _ *gate) *client {
	t.Helper()
	addrs, err := net.InterfaceAddrs()
	check(t, err)
	for _, a := range addrs {
		ip, ok := a.(*net.IPNet)
		if !ok || ip.IP.IsLoopback() || ip.IP.To4() == nil {
			continue
		}
		g := newWorld(t).run(func(o *ftpgate.Options) { o.PublicHost, o.Listen = "203.0.113.7", fmt.Sprintf("%s:0", ip.IP) })
		return dial(t, g)
	}
	return nil
}
