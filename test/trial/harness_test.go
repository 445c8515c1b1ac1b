package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// bin holds the program, built once, and Consul.
var bin string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "hotfolderd-trial-")
	if err == nil {
		bin = dir
		err = build()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	http.DefaultClient.CloseIdleConnections()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

func build() error {
	for _, name := range []string{"consul", "minio"} {
		path, err := filepath.Abs("../../bin/" + name)
		if err == nil {
			err = os.Symlink(path, filepath.Join(bin, name))
		}
		if err != nil {
			return err
		}
	}
	out, err := exec.Command("go", "build", "-o", bin, "../../cmd/hotfolderd").CombinedOutput()
	if err != nil {
		return fmt.Errorf("build hotfolderd: %w\n%s", err, out)
	}
	return nil
}

// site is a copy of configs with ports that nobody has.
type site struct {
	t       *testing.T
	dir     string
	configs string
	trial   *trial
	out     lines
}

func newSite(t *testing.T) *site {
	t.Helper()
	return siteOf(t, "cluster")
}

func siteOf(t *testing.T, name string) *site {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("XDG_STATE_HOME", filepath.Join(dir, "state"))
	s := &site{t: t, dir: dir, configs: filepath.Join(dir, "configs", name)}
	if err := os.CopyFS(filepath.Join(dir, "configs"), os.DirFS("../../configs")); err != nil {
		t.Fatal(err)
	}
	base := freePorts(t)
	for i, id := range []string{"a", "b", "c"} {
		s.edit(id, ":8590", fmt.Sprint(":", base))
		s.edit(id, fmt.Sprint(":", 8481+i), fmt.Sprint(":", base+3+i))
		if name == "cluster-s3" {
			s.edit(id, ":8594", fmt.Sprint(":", base+6))
		}
	}
	return s
}

// freePorts is the first of seven in a row.
func freePorts(t *testing.T) int {
	t.Helper()
search:
	for base := 20000 + os.Getpid()%10000; base < 32000; base += 7 {
		for port := base; port < base+7; port++ {
			l, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", port))
			if err != nil {
				continue search
			}
			l.Close()
		}
		return base
	}
	t.Fatal("no free ports")
	return 0
}

func (s *site) edit(id, from, to string) {
	s.t.Helper()
	file := filepath.Join(s.configs, id+".yaml")
	text, err := os.ReadFile(file)
	if err == nil && !bytes.Contains(text, []byte(from)) {
		err = fmt.Errorf("%s does not say %q", file, from)
	}
	if err == nil {
		err = os.WriteFile(file, bytes.Replace(text, []byte(from), []byte(to), 1), 0o666)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// run begins the trial; end is its Ctrl-C, and wants an orderly end and nothing left.
func (s *site) run() (end func()) {
	s.t.Helper()
	t, err := prepare(s.configs, bin, &s.out)
	if err != nil {
		s.t.Fatal(err)
	}
	t.pause = 100 * time.Millisecond
	s.trial = t
	ctx, cancel := context.WithCancel(s.t.Context())
	done := make(chan error, 1)
	go func() { done <- t.run(ctx) }()
	s.t.Cleanup(cancel)
	return func() {
		s.t.Helper()
		cancel()
		if err := <-done; err != nil {
			s.t.Error(err)
		}
		s.wantNothingLeft()
	}
}

var pids = regexp.MustCompile(`pid (\d+)`)

func (s *site) wantNothingLeft() {
	s.t.Helper()
	for _, m := range pids.FindAllStringSubmatch(s.out.String(), -1) {
		pid, _ := strconv.Atoi(m[1])
		if err := syscall.Kill(pid, 0); err == nil {
			s.t.Errorf("process %d is left\n%s", pid, &s.out)
		}
	}
	if err := s.trial.hasPorts(); err != nil {
		s.t.Error(err)
	}
}

func (s *site) await(text string) {
	s.t.Helper()
	for end := time.Now().Add(time.Minute); !strings.Contains(s.out.String(), text); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("want to see %q, got\n%s", text, &s.out)
		}
	}
}

// lines is what was shown so far.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
