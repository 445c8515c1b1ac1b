package consultest

import (
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// address is a loopback address that most likely nobody else uses, so that nobody takes its ports.
func address() string {
	n := rand.Uint32()
	return net.IPv4(127, byte(16+n>>16%200), byte(n>>8), byte(1+n%250)).String()
}

// freePorts finds ports that nobody listens on, outside of those that the system gives to outgoing connections.
func freePorts(t testing.TB, ip string, n int) (ports []int) {
	t.Helper()
	for range 100 {
		port := 10000 + rand.N(20000)
		l, err := net.Listen("tcp", net.JoinHostPort(ip, strconv.Itoa(port)))
		if err != nil {
			continue
		}
		defer l.Close()
		if ports = append(ports, port); len(ports) == n {
			return ports
		}
	}
	t.Fatalf("no free ports at %s", ip)
	return nil
}

// Binary is the path of Consul; the test fails when it was not built.
func Binary(t testing.TB) string {
	t.Helper()
	path := filepath.Join(moduleRoot(t), "bin", "consul")
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("this test needs Consul; run make tools: %s", strconv.Quote(err.Error()))
	}
	return path
}

func moduleRoot(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
}
