package s3test

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The secrets of every server here. They are worth nothing elsewhere.
const (
	AccessKey = "hotfolder"
	SecretKey = "hotfolder-secret"
)

const (
	patience = 20 * time.Second
	poll     = 5 * time.Millisecond
)

// Server is one S3 server. It ends with the test.
type Server struct {
	// Name of the program: "minio" or "versitygw".
	Name string
	// Addr is host:port.
	Addr string
	// CA is a file with the authority of its certificate; empty: it speaks plain HTTP.
	CA string
	// Certain says that nothing newer is lost when a version is removed from a versioned bucket while others write.
	Certain bool
	// Listens says that it tells of changes.
	Listens bool

	args []string
	env  []string
	log  string // a file
	mu   sync.Mutex
	cmd  *exec.Cmd
}

// MinIO runs one MinIO server with one folder.
func MinIO(t testing.TB) *Server {
	t.Helper()
	s, dir := newServer(t, "minio")
	s.Certain, s.Listens = true, true
	return s.minio(t, dir)
}

// MinIOWithTLS is [MinIO] behind a certificate of an authority of its own.
func MinIOWithTLS(t testing.TB) *Server {
	t.Helper()
	s, dir := newServer(t, "minio")
	s.Certain, s.Listens = true, true
	certs := t.TempDir()
	s.CA = certificate(t, certs, s.host())
	s.args = append(s.args, "--certs-dir", certs)
	return s.minio(t, dir)
}

func (s *Server) minio(t testing.TB, dir string) *Server {
	t.Helper()
	console := net.JoinHostPort(s.host(), freePorts(t, s.host(), 1)[0])
	s.args = append([]string{"server", "--quiet", "--address", s.Addr, "--console-address", console}, append(s.args, dir)...)
	s.env = []string{
		"MINIO_ROOT_USER=" + AccessKey, "MINIO_ROOT_PASSWORD=" + SecretKey,
		"MINIO_BROWSER=off", "MINIO_UPDATE=off", "MINIO_CALLHOME_ENABLE=off",
	}
	return s.run(t)
}

// VersityGW runs one versitygw on a folder. Its temporary folder must know extended attributes, as ext4 and XFS do.
func VersityGW(t testing.TB) *Server {
	t.Helper()
	s, dir := newServer(t, "versitygw")
	versions := filepath.Join(t.TempDir(), "versions")
	if err := os.Mkdir(versions, 0o777); err != nil {
		t.Fatal(err)
	}
	s.args = []string{"--port", s.Addr, "--keep-alive", "-q", "posix", "--versioning-dir", versions, dir}
	s.env = []string{"ROOT_ACCESS_KEY=" + AccessKey, "ROOT_SECRET_KEY=" + SecretKey}
	return s.run(t)
}

// newServer prepares a server that listens at an address of its own, and its folder.
func newServer(t testing.TB, name string) (s *Server, dir string) {
	t.Helper()
	ip := address()
	s = &Server{Name: name, Addr: net.JoinHostPort(ip, freePorts(t, ip, 1)[0]), log: filepath.Join(t.TempDir(), name+".log")}
	dir = filepath.Join(t.TempDir(), "objects")
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Kill)
	return s, dir
}

func (s *Server) host() string {
	host, _, _ := net.SplitHostPort(s.Addr)
	return host
}

func (s *Server) run(t testing.TB) *Server {
	t.Helper()
	s.Restart(t)
	return s
}

// Endpoint is the URL of the server.
func (s *Server) Endpoint() string {
	if s.CA != "" {
		return "https://" + s.Addr
	}
	return "http://" + s.Addr
}

// Restart starts a server that was killed, at the same address, and waits until it answers.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.start(t)
	for end := time.Now().Add(patience); !s.answers(); time.Sleep(poll) {
		if time.Now().After(end) {
			log, _ := os.ReadFile(s.log)
			t.Fatalf("%s at %s does not answer after %v:\n%s", s.Name, s.Addr, patience, log)
		}
	}
}

func (s *Server) start(t testing.TB) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd != nil {
		t.Fatal("this server runs already")
	}
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(binary(t, s.Name), s.args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = append(os.Environ(), s.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.cmd = cmd
}

// answers reports whether the server takes requests; that it refuses one without a signature is an answer. MinIO says 503 while
// it starts.
func (s *Server) answers() bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second) // cleanup: it may be asked when the test has ended
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Endpoint(), nil)
	if err != nil {
		return false
	}
	transport := &http.Transport{DisableKeepAlives: true, TLSClientConfig: anyCertificate()}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusForbidden
}

// Pause stops the process where it is (SIGSTOP); it keeps its connections.
func (s *Server) Pause(t testing.TB) { s.signal(t, syscall.SIGSTOP) }

// Resume lets a paused server go on.
func (s *Server) Resume(t testing.TB) { s.signal(t, syscall.SIGCONT) }

func (s *Server) signal(t testing.TB, sig syscall.Signal) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		t.Fatal("this server was killed")
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
