// Package unpacked runs the load balancers that make test unpacks, in tests.
package unpacked

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Command is a program of theirs, by its path below bin/balancers, for a test of a package two folders below the project. It ends
// with the test.
func Command(t testing.TB, program string, args ...string) *exec.Cmd {
	t.Helper()
	root, err := filepath.Abs("../../bin/balancers")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, program)); err != nil {
		t.Fatalf("%v: make bin/balancers unpacks it", err)
	}
	libraries, _ := filepath.Glob(filepath.Join(root, "usr/lib/*-linux-gnu"))
	cmd := exec.CommandContext(t.Context(), filepath.Join(root, program), args...)
	cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+strings.Join(libraries, ":"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}
