// Package netns makes network namespaces for tests, and ways from this machine to them. It needs root and iproute2; all is gone when the
// test ends.
package netns

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Space is a namespace. Its loopback is up.
type Space struct {
	// Name is that of the namespace, and what the names of interfaces on this machine begin with: of ten letters at most.
	Name string

	t testing.TB
}

// Usable reports whether this process may make namespaces.
func Usable() bool { return os.Getuid() == 0 }

// Address is one for an end of a way, of those that this process takes: host is from 1 to 254.
func Address(host int) string { return fmt.Sprintf("198.18.%d.%d", os.Getpid()&0xff, host) }

// New makes a namespace.
func New(t testing.TB, name string) *Space {
	t.Helper()
	if _, err := exec.LookPath("ip"); err != nil {
		t.Fatalf("%v: install iproute2, as make test does", err)
	}
	s := &Space{name, t}
	s.Run("ip", "netns", "add", name)
	t.Cleanup(func() { s.Run("ip", "netns", "del", name) })
	s.Run(s.Inside("ip", "link", "set", "lo", "up")...)
	return s
}

// Way ties the namespace to this machine by a pair of interfaces, of which the far one is called kind0. Both are in the same /30.
func (s *Space) Way(kind, near, far string) {
	s.t.Helper()
	here, there := s.Name+kind, kind+"0"
	s.Run("ip", "link", "add", here, "type", "veth", "peer", "name", there, "netns", s.Name)
	s.Run("ip", "addr", "add", near+"/30", "dev", here)
	s.Run("ip", "link", "set", here, "up")
	s.Run(s.Inside("ip", "addr", "add", far+"/30", "dev", there)...)
	s.Run(s.Inside("ip", "link", "set", there, "up")...)
}

// Inside is the command that runs another one in the namespace.
func (s *Space) Inside(argv ...string) []string {
	return append([]string{"ip", "netns", "exec", s.Name}, argv...)
}

// Run runs a command, which must not fail.
func (s *Space) Run(argv ...string) {
	s.t.Helper()
	if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
		s.t.Errorf("%s: %v\n%s", strings.Join(argv, " "), err, out)
	}
}
