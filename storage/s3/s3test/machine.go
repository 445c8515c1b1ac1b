package s3test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// address is a loopback address that most likely nobody else uses, so that nobody takes its ports.
func address() string {
	n := rand.Uint32()
	return net.IPv4(127, byte(16+n>>16%200), byte(n>>8), byte(1+n%250)).String()
}

// freePort finds a port that nobody listens on, outside of those that the system gives to outgoing connections.
func freePort(ip string) (string, error) {
	for range 100 {
		port := strconv.Itoa(10000 + rand.N(20000))
		l, err := net.Listen("tcp", net.JoinHostPort(ip, port))
		if err == nil {
			return port, l.Close()
		}
	}
	return "", errors.New("no free port at " + ip)
}

// binary is the path of a server that make tools built, or of Debian's.
func binary(name string) (string, error) {
	if name == "radosgw" {
		return exec.LookPath(name)
	}
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	path := filepath.Join(root, "bin", name)
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("this test needs %s; run make tools: %w", name, err)
	}
	return path, nil
}

func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
	return "", err
}
