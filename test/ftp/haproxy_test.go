//go:build ftpsuite

package ftp_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hotfolderd/test/unpacked"
)

const (
	balancerPorts = "3000-3049"
	balanced      = 200 // uploads
)

// TestSuite_haproxy has a real load balancer before the gate, which tells by PROXY protocol v2 who its clients are, on both connections.
func TestSuite_haproxy(t *testing.T) {
	source := ownIP()
	n := begin(t, options{ports: balancerPorts, ftp: fmt.Sprintf("  proxies: [%s]\n", source)})
	at := haproxy(t, n, source)
	var names []string
	for i, way := range [][]string{{"--disable-eprt"}, {"--disable-epsv"}, {"--ssl-reqd", "-k"}} {
		name := named("balanced", i, 1<<20)
		names = append(names, name)
		file, remove := fileOf(t, name)
		cmd := curl(at, user, file, false, false)
		cmd.Args = append(cmd.Args, append(way, "--interface", client(i))...)
		if out, err := output(cmd); err != nil {
			t.Fatalf("curl %v: %v: %s", way, err, out)
		}
		remove()
		if said := n.log.about(name); !strings.Contains(said, `"address":"`+client(i)+`"`) {
			t.Errorf("want it from %s, got %s", client(i), said)
		}
	}
	n.awaitImported(t, names)
}

// TestSuite_haproxyAndClientsThatDie: the balancer hands the two ends of a dead client on one after the other.
func TestSuite_haproxyAndClientsThatDie(t *testing.T) {
	source := ownIP()
	n := begin(t, options{ports: balancerPorts, ftp: fmt.Sprintf("  proxies: [%s]\n", source)})
	at := haproxy(t, n, source)
	sideBySide(uploads(t, balanced), atOnce, func(i int) {
		name := named("cut", i, 1000+rand.IntN(1<<20))
		death := deaths[i%len(deaths)]
		cut := rand.IntN(len(contentOf(name)))
		if err := cutOne(at, client(i), name, cut, i/len(deaths)%2 == 1, death.die); err != nil {
			t.Errorf("%s, %s: %v", name, death.name, err)
		}
	})
	n.settle(t)
	if got := n.imported(t); len(got) > 0 {
		t.Errorf("want nothing, got %d", len(got))
	}
}

// haproxy runs one before a node, from an address of its own, and returns where it listens.
func haproxy(t *testing.T, n *node, source string) string {
	t.Helper()
	ip, conf, out := ownIP(), filepath.Join(t.TempDir(), "conf"), &logged{}
	host, _, _ := net.SplitHostPort(n.addr)
	write(t, conf, fmt.Sprintf(`global
  maxconn 2000
defaults
  mode tcp
  timeout connect 10s
  timeout client 1m
  timeout server 1m
listen control
  bind %[1]s:2121
  server gate %[2]s:2121 source %[3]s send-proxy-v2
listen data
  bind %[1]s:%[4]s
  server gate %[2]s source %[3]s send-proxy-v2
`, ip, host, source, balancerPorts))
	cmd := unpacked.Command(t, "usr/sbin/haproxy", "-db", "-f", conf)
	cmd.Stdout, cmd.Stderr = out, out
	check(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	at := ip + ":2121"
	within(t, 20*time.Second, "haproxy answers\n"+out.tail(), func() bool {
		c, err := login(at, client(0), user, false)
		if err == nil {
			c.tcp.Close()
		}
		return err == nil
	})
	return at
}
