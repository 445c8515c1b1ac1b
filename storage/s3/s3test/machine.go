package s3test

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
func freePorts(t testing.TB, ip string, n int) (ports []string) {
	t.Helper()
	for range 100 {
		port := strconv.Itoa(10000 + rand.N(20000))
		l, err := net.Listen("tcp", net.JoinHostPort(ip, port))
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

// binary is the path of a server; the test fails when it was not built.
func binary(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join(moduleRoot(t), "bin", name)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("this test needs %s; run make tools: %s", name, strconv.Quote(err.Error()))
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
