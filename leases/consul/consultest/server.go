// Package consultest runs real Consul servers for tests, on free ports of loopback. The binary is bin/consul, which make tools
// builds; a test without it fails and says so.
package consultest

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"

	"hotfolderd/leases/consul"
)

const startTime = 30 * time.Second

// Server is one Consul server. It ends with the test.
type Server struct {
	// Addr is its HTTP address, host:port.
	Addr string

	args []string
	mu   sync.Mutex
	cmd  *exec.Cmd
	out  *bytes.Buffer
}

// Start runs a server that is a cluster by itself and keeps everything in memory: when it is killed, all is forgotten. Each
// line of hcl is added to its settings. Sessions may be as short as half a second.
func Start(t testing.TB, hcl ...string) *Server {
	t.Helper()
	s := newServer(t, "127.0.0.1", append(hcl, `session_ttl_min = "500ms"`)...)
	s.args = append(s.args, "-dev")
	s.start(t)
	s.awaitLeader(t)
	return s
}

// newServer prepares a server that listens on ip only.
func newServer(t testing.TB, ip string, hcl ...string) *Server {
	t.Helper()
	ports := freePorts(t, ip, 3)
	s := &Server{Addr: net.JoinHostPort(ip, strconv.Itoa(ports[0]))}
	s.args = []string{
		"agent", "-bind", ip, "-client", ip, "-http-port", strconv.Itoa(ports[0]), "-server-port", strconv.Itoa(ports[1]),
		"-serf-lan-port", strconv.Itoa(ports[2]), "-serf-wan-port", "-1", "-grpc-port", "-1", "-grpc-tls-port", "-1", "-dns-port", "-1",
		"-log-level", "err", "-hcl", "disable_update_check = true",
	}
	for _, line := range hcl {
		s.args = append(s.args, "-hcl", line)
	}
	return s
}

// freePorts finds ports that nobody listened on a moment ago.
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
	dir, err := os.Getwd()
	for err == nil {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
	path := filepath.Join(dir, "bin", "consul")
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("this test needs Consul; run make tools: %v", err)
	}
	return path
}

func (s *Server) start(t testing.TB) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out = new(bytes.Buffer)
	s.cmd = exec.Command(Binary(t), s.args...)
	s.cmd.Stdout, s.cmd.Stderr = s.out, s.out
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Kill)
}

func (s *Server) awaitLeader(t testing.TB) {
	t.Helper()
	cl := s.Client(t)
	for end := time.Now().Add(startTime); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if leader, err := cl.Status().Leader(); err == nil && leader != "" {
			if nodes, _, err := cl.Catalog().Nodes(nil); err == nil && len(nodes) > 0 {
				return
			}
		}
	}
	t.Fatalf("consul has no leader after %v:\n%s", startTime, s.out.String())
}

// Client is the library's client of this server, for looking behind the back of what is tested.
func (s *Server) Client(t testing.TB) *api.Client {
	t.Helper()
	cl, err := api.NewClient(&api.Config{Address: s.Addr})
	if err != nil {
		t.Fatal(err)
	}
	return cl
}

// Dial makes a connection to this server that ends with the test.
func (s *Server) Dial(t testing.TB) *consul.Conn {
	t.Helper()
	return Dial(t, s)
}

// Dial makes a connection to several servers of one cluster, tried in this order.
func Dial(t testing.TB, servers ...*Server) *consul.Conn {
	t.Helper()
	var c consul.Config
	for _, s := range servers {
		c.Addresses = append(c.Addresses, s.Addr)
	}
	conn, err := consul.Dial(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

// Pause stops the process where it is (SIGSTOP); it keeps its connections.
func (s *Server) Pause(t testing.TB) { s.signal(t, syscall.SIGSTOP) }

// Resume lets a paused server go on.
func (s *Server) Resume(t testing.TB) { s.signal(t, syscall.SIGCONT) }

func (s *Server) signal(t testing.TB, sig syscall.Signal) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// Kill ends the server at once (SIGKILL). Idempotent.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	s.cmd = nil
}

// Restart starts a killed server again, at the same address.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.start(t)
	s.awaitLeader(t)
}

// RaftIndex counts what was written to this cluster.
func (s *Server) RaftIndex(t testing.TB) uint64 {
	t.Helper()
	self, err := s.Client(t).Agent().Self()
	if err != nil {
		t.Fatal(err)
	}
	stats, _ := self["Stats"]["raft"].(map[string]any)
	n, err := strconv.ParseUint(fmt.Sprint(stats["commit_index"]), 10, 64)
	if err != nil {
		t.Fatalf("no raft index in %v: %v", stats, err)
	}
	return n
}

// Namespace is a name that no other test uses.
func Namespace(t testing.TB) string {
	return strings.NewReplacer("/", "-", "#", "-", " ", "-").Replace(t.Name())
}

// Eventually waits up to 20 s until ok is true.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it never came: %s", what)
		}
	}
}
