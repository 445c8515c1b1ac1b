package consultest

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// address is the nth loopback address that is for this process only: no other test can take its ports.
func address(n int) string {
	pid := os.Getpid()
	return net.IPv4(127, byte(16+pid>>14&0x7f), byte(pid>>6), byte(pid&0x3f<<2|n&3)).String()
}

// freePorts finds ports that nobody listens on.
func freePorts(t testing.TB, ip string, n int) []int {
	t.Helper()
	var ports []int
	for range n {
		l, err := net.Listen("tcp", net.JoinHostPort(ip, "0"))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
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
