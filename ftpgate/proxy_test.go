package ftpgate_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"hotfolderd/ftpgate"
)

// proxyHeader is what a proxy says of a client, as PROXY protocol v2 has it.
func proxyHeader(client, came netip.AddrPort) []byte {
	h := append([]byte("\r\n\r\n\x00\r\nQUIT\n"), 0x21, 0x11, 0, 12)
	from, to := client.Addr().As4(), came.Addr().As4()
	h = append(append(h, from[:]...), to[:]...)
	return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(h, client.Port()), came.Port())
}

// relay listens at an address, as a load balancer does, and hands each connection to the same port of the gate's machine.
func relay(t *testing.T, listen, to string) string {
	t.Helper()
	l, err := net.Listen("tcp", listen)
	check(t, err)
	var work sync.WaitGroup
	t.Cleanup(func() { _ = l.Close(); work.Wait() })
	work.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			work.Go(func() { pass(c, to) })
		}
	})
	return l.Addr().String()
}

func pass(c net.Conn, to string) {
	defer c.Close()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)}}
	g, err := d.Dial("tcp", to)
	if err != nil {
		return
	}
	defer g.Close()
	_, _ = g.Write(proxyHeader(netip.MustParseAddrPort(c.RemoteAddr().String()), netip.MustParseAddrPort(c.LocalAddr().String())))
	var back sync.WaitGroup
	back.Go(func() { _, _ = io.Copy(c, g); _ = c.(*net.TCPConn).CloseWrite() })
	_, _ = io.Copy(g, c)
	_ = g.(*net.TCPConn).CloseWrite()
	back.Wait()
}

// balanced runs a gate that believes 127.0.0.9, with a few passive ports that are relayed too.
func balanced(t *testing.T, change ...func(*ftpgate.Options)) (g *gate, address string) {
	t.Helper()
	first := freePorts(t, 3)
	g = newWorld(t).run(append(change, func(o *ftpgate.Options) {
		o.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.9/32")}
		o.PassivePorts = ftpgate.PortRange{First: first, Last: first + 2}
	})...)
	for port := first; port < first+3; port++ {
		relay(t, fmt.Sprintf("127.0.0.9:%d", port), fmt.Sprintf("127.0.0.1:%d", port))
	}
	return g, relay(t, "127.0.0.9:0", g.Addr().String())
}

// freePorts is the first of n ports in a row that nobody uses.
func freePorts(t *testing.T, n int) int {
	t.Helper()
next:
	for first := 40000 + os.Getpid()%10000; first < 60000; first += n {
		for i := range n {
			for _, ip := range []string{"127.0.0.1", "127.0.0.9"} {
				l, err := net.Listen("tcp", fmt.Sprintf("%s:%d", ip, first+i))
				if err != nil {
					continue next
				}
				check(t, l.Close())
			}
		}
		return first
	}
	t.Fatal("no free ports")
	return 0
}

// Behind a load balancer clients are who it says, in sessions, rules and events, and data takes the same way.
func TestProxy_clientsAreWhoItSays(t *testing.T) {
	g, address := balanced(t)
	file := filepath.Join(t.TempDir(), "a.txt")
	check(t, os.WriteFile(file, []byte("by a load balancer"), 0o600))
	for _, way := range []string{"--disable-eprt", "--disable-epsv"} {
		out, err := exec.CommandContext(t.Context(), "curl", "-sS", "-v", way, "--interface", "127.0.0.7", "-u", user+":"+password,
			"-T", file, "ftp://"+address+"/a.txt").CombinedOutput()
		if err != nil {
			t.Fatalf("curl %s: %v\n%s", way, err, out)
		}
	}
	eventually(t, "two uploads heard", func() bool { return len(g.uploads()) == 2 })
	if got := g.w.content("inbox/a.txt"); got != "by a load balancer" {
		t.Errorf("want the file, got %q", got)
	}
	for _, e := range g.uploads() {
		if e.Address != "127.0.0.7" || e.Refused != "" {
			t.Errorf("want an upload from 127.0.0.7, got %+v", e)
		}
	}
}

// Nobody else is believed: their header is no command, and ends the session of whoever they are.
func TestProxy_othersAreNotBelieved(t *testing.T) {
	g, _ := balanced(t)
	c := dial(t, g)
	_, err := c.conn.Write(proxyHeader(netip.MustParseAddrPort("10.1.2.3:5"), netip.MustParseAddrPort("10.0.0.1:21")))
	check(t, err)
	c.send("USER cam")
	if code, text, err := c.read(); err == nil && code < 400 {
		t.Errorf("want no answer but a refusal, got %q", text)
	}
	for _, s := range g.Sessions() {
		if s.Address != "127.0.0.1" {
			t.Errorf("want the client's own address, got %s", s.Address)
		}
	}
}

// A proxy must say who its client is; one that says nothing keeps nobody else waiting.
func TestProxy_mustSpeak(t *testing.T) {
	g, _ := balanced(t)
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)}}
	silent, err := d.Dial("tcp", g.Addr().String())
	check(t, err)
	closing(t, silent)
	rude, err := d.Dial("tcp", g.Addr().String())
	check(t, err)
	closing(t, rude)
	_, err = io.WriteString(rude, "USER cam\r\nPASS open sesame\r\n")
	check(t, err)
	login(t, g)
	if got, _ := io.ReadAll(rude); len(got) != 0 {
		t.Errorf("want no answer without a header, got %q", got)
	}
	if n := len(g.Sessions()); n != 1 {
		t.Errorf("want one session, got %d", n)
	}
}

// A load balancer's look whether somebody is here is a session of its own.
func TestProxy_mayLook(t *testing.T) {
	g, _ := balanced(t)
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)}}
	c, err := d.Dial("tcp", g.Addr().String())
	check(t, err)
	closing(t, c)
	_, err = io.WriteString(c, "\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00QUIT\r\n")
	check(t, err)
	got, err := io.ReadAll(c)
	if err != nil || !strings.HasPrefix(string(got), "220 ") || !strings.Contains(string(got), "221 ") {
		t.Errorf("want a greeting and a goodbye, got %q, %v", got, err)
	}
}

// A data connection that the proxy brings from another client is a stolen one.
func TestProxy_dataOfAnotherClient(t *testing.T) {
	g, address := balanced(t)
	c := dialAt(t, address)
	c.login(user)
	port := strings.Split(c.do(229, "EPSV"), "|")[3]
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)}}
	thief, err := d.Dial("tcp", fmt.Sprintf("127.0.0.1:%s", port))
	check(t, err)
	closing(t, thief)
	_, err = thief.Write(proxyHeader(netip.MustParseAddrPort("127.0.0.66:5"), netip.MustParseAddrPort(fmt.Sprintf("127.0.0.9:%s", port))))
	check(t, err)
	_, _ = io.WriteString(thief, "stolen")
	c.send("STOR a.txt")
	if got, _ := io.ReadAll(thief); len(got) != 0 {
		t.Errorf("want the thief's connection closed, got %q", got)
	}
	own, err := net.Dial("tcp", fmt.Sprintf("127.0.0.9:%s", port))
	check(t, err)
	_, err = io.WriteString(own, "own")
	check(t, err)
	check(t, own.Close())
	c.want(150)
	c.want(226)
	eventually(t, "the client's own bytes", func() bool { return g.w.content("inbox/a.txt") == "own" })
}
