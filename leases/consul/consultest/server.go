package consultest

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"hotfolderd/leases/consul"
)

// Server is one Consul server. It ends with the test.
type Server struct {
	// Addr is its HTTP address, host:port.
	Addr string

	scheme string     // empty: http
	tls    consul.TLS // of clients
	token  string     // may do everything; empty when everybody may
	serf   string     // its address for the other servers

	args []string
	log  string // a file
	mu   sync.Mutex
	cmd  *exec.Cmd
}

// Start runs a server that is a cluster by itself and keeps everything in memory: when it is killed, all is forgotten. Each
// line of hcl is added to its settings. Sessions may be as short as half a second.
func Start(t testing.TB, hcl ...string) *Server {
	t.Helper()
	return newServer(t, hcl...).run(t)
}

// run starts a single server.
func (s *Server) run(t testing.TB) *Server {
	t.Helper()
	s.args = append(s.args, "-dev")
	s.start(t)
	s.awaitLeader(t)
	return s
}

// settings that all servers have. Many nodes of one test come from one address.
const settings = `
disable_update_check = true
session_ttl_min = "500ms"
limits { http_max_conns_per_client = 2000 }
connect { enabled = false }
`

// newServer prepares a server that listens at an address of its own.
func newServer(t testing.TB, hcl ...string) *Server {
	t.Helper()
	ip := address()
	ports := freePorts(t, ip, 3)
	s := &Server{
		Addr: net.JoinHostPort(ip, strconv.Itoa(ports[0])), serf: net.JoinHostPort(ip, strconv.Itoa(ports[2])),
		log: filepath.Join(t.TempDir(), "consul.log"),
	}
	s.args = []string{
		"agent", "-bind", ip, "-client", ip, "-http-port", strconv.Itoa(ports[0]), "-server-port", strconv.Itoa(ports[1]),
		"-serf-lan-port", strconv.Itoa(ports[2]), "-serf-wan-port", "-1", "-grpc-port", "-1", "-grpc-tls-port", "-1", "-dns-port", "-1",
		"-log-level", "err", "-hcl", settings,
	}
	for _, line := range hcl {
		s.args = append(s.args, "-hcl", line)
	}
	t.Cleanup(s.Kill) // here, for a test below this one may start it again
	return s
}

func (s *Server) start(t testing.TB) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd != nil {
		t.Fatal("this consul server runs already")
	}
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(Binary(t), s.args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.cmd = cmd
}

// Pause stops the process where it is (SIGSTOP); it keeps its connections. When it returns, nothing of it runs any more.
func (s *Server) Pause(t testing.TB) {
	t.Helper()
	s.signal(t, syscall.SIGSTOP)
	Eventually(t, "every thread stands still", func() bool { return stopped(s.pid()) })
}

func (s *Server) pid() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cmd.Process.Pid
}

// stopped looks at the state of each thread, which follows the name in parentheses.
func stopped(pid int) bool {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	for _, path := range threads {
		b, rerr := os.ReadFile(path)
		if _, after, ok := bytes.Cut(b, []byte(") ")); rerr != nil || !ok || after[0] != 'T' {
			return false
		}
	}
	return err == nil && len(threads) > 0
}

// Resume lets a paused server go on.
func (s *Server) Resume(t testing.TB) { s.signal(t, syscall.SIGCONT) }

func (s *Server) signal(t testing.TB, sig syscall.Signal) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		t.Fatal("this consul server was killed")
	}
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

// Restart starts a killed server again, at the same address, and waits until it knows a leader.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.start(t)
	s.awaitLeader(t)
}
