package s3test

import (
	"context"
	"errors"
	"fmt"
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
	patience = 90 * time.Second
	poll     = 5 * time.Millisecond
)

// Server is one S3 server.
type Server struct {
	// Name of the program: "minio", "versitygw" or "radosgw".
	Name string
	// Addr is host:port.
	Addr string
	// CA is a file with the authority of its certificate; empty: it speaks plain HTTP.
	CA string

	args []string
	env  []string
	log  string // a file
	mu   sync.Mutex
	cmd  *exec.Cmd

	behind []*exec.Cmd // other servers that it needs
}

// MinIO runs one MinIO server with one folder. It ends with the test.
func MinIO(t testing.TB) *Server {
	t.Helper()
	return ended(t, newMinIO, "")
}

// MinIOWithTLS is [MinIO] behind a certificate of an authority of its own.
func MinIOWithTLS(t testing.TB) *Server {
	t.Helper()
	return ended(t, newMinIO, t.TempDir())
}

// VersityGW runs one versitygw on a folder. Its temporary folder must know extended attributes, as ext4 and XFS do. It ends with the
// test.
func VersityGW(t testing.TB) *Server {
	t.Helper()
	return ended(t, newVersityGW, "")
}

// Servers start the servers that all tests may use, by the names of their programs.
func Servers() map[string]func(testing.TB) *Server {
	return map[string]func(testing.TB) *Server{"minio": MinIO, "versitygw": VersityGW}
}

// Start runs a server by the name of its program for all tests of a package: its TestMain must End it. What it keeps goes into dir.
func Start(name, dir string) (*Server, error) {
	servers := map[string]maker{"minio": newMinIO, "versitygw": newVersityGW, "radosgw": newRadosGW}
	s, err := servers[name](dir, "")
	if err == nil {
		err = s.restart()
	}
	return s, err
}

// maker prepares a server that keeps everything in dir; certs, if any, is where it has its certificate.
type maker func(dir, certs string) (*Server, error)

func ended(t testing.TB, make maker, certs string) *Server {
	t.Helper()
	s, err := make(t.TempDir(), certs)
	if err == nil {
		t.Cleanup(s.End)
		err = s.restart()
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newMinIO(dir, certs string) (*Server, error) {
	s, err := newServer("minio", dir)
	if err != nil {
		return nil, err
	}
	port, err := freePort(s.host())
	if err != nil {
		return nil, err
	}
	s.args = []string{"server", "--quiet", "--address", s.Addr, "--console-address", net.JoinHostPort(s.host(), port)}
	if certs != "" {
		if s.CA, err = certificate(certs, s.host()); err != nil {
			return nil, err
		}
		s.args = append(s.args, "--certs-dir", certs)
	}
	s.args = append(s.args, filepath.Join(dir, "objects"))
	s.env = []string{
		"MINIO_ROOT_USER=" + AccessKey, "MINIO_ROOT_PASSWORD=" + SecretKey,
		"MINIO_BROWSER=off", "MINIO_UPDATE=off", "MINIO_CALLHOME_ENABLE=off",
	}
	return s, nil
}

func newVersityGW(dir, _ string) (*Server, error) {
	s, err := newServer("versitygw", dir)
	if err != nil {
		return nil, err
	}
	versions := filepath.Join(dir, "versions")
	s.args = []string{"--port", s.Addr, "--keep-alive", "-q", "posix", "--versioning-dir", versions, filepath.Join(dir, "objects")}
	s.env = []string{"ROOT_ACCESS_KEY=" + AccessKey, "ROOT_SECRET_KEY=" + SecretKey}
	return s, os.Mkdir(versions, 0o777)
}

// newServer prepares a server that listens at an address of its own.
func newServer(name, dir string) (*Server, error) {
	ip := address()
	port, err := freePort(ip)
	if err == nil {
		err = os.Mkdir(filepath.Join(dir, "objects"), 0o777)
	}
	return &Server{Name: name, Addr: net.JoinHostPort(ip, port), log: filepath.Join(dir, name+".log")}, err
}

func (s *Server) host() string {
	host, _, _ := net.SplitHostPort(s.Addr)
	return host
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
	if err := s.restart(); err != nil {
		t.Fatal(err)
	}
}

func (s *Server) restart() error {
	if err := s.start(); err != nil {
		return err
	}
	for end := time.Now().Add(patience); !s.answers(); time.Sleep(poll) {
		if time.Now().After(end) {
			log, _ := os.ReadFile(s.log)
			return fmt.Errorf("%s at %s does not answer after %v:\n%s", s.Name, s.Addr, patience, log)
		}
	}
	return nil
}

func (s *Server) start() error {
	path, err := binary(s.Name)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd != nil {
		return errors.New("this server runs already")
	}
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o666)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(path, s.args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = append(os.Environ(), s.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.cmd = cmd
	return nil
}

// answers reports whether the server takes requests; that it refuses one without a signature is an answer, and that it has nothing to show
// to nobody is radosgw's. MinIO says 503 while it starts.
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
	return resp.StatusCode == http.StatusForbidden || s.Name == "radosgw" && resp.StatusCode == http.StatusOK
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

// End is Kill of the server and of all that it needs. Idempotent.
func (s *Server) End() {
	s.Kill()
	for _, cmd := range s.behind {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	s.behind = nil
}
