package cluster_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// process is one node: its settings stay the same over its starts.
type process struct {
	t        testing.TB
	id, addr string
	settings string // file
	home     string
	token    string   // of its HTTP, if it wants one
	inside   []string // the command that runs it where it lives, if that is elsewhere
	program  string   // in place of the one that all run

	// startThere starts it where it lives, if that is a machine of its own.
	startThere func(argv, env []string) (running, error)

	mu  sync.Mutex
	cmd running
	log *logged
}

// running is a process that was started.
type running interface {
	signal(sig syscall.Signal) error
	wait() error
}

type child struct{ *exec.Cmd }

func (c child) signal(sig syscall.Signal) error { return c.Process.Signal(sig) }
func (c child) wait() error                     { return c.Wait() }

// logged keeps what a node wrote, of this start and, in a file, of all.
type logged struct {
	mu   sync.Mutex
	b    bytes.Buffer
	file *os.File
}

func newLog(t testing.TB, path string) *logged {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	return &logged{file: f}
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = l.file.Write(p)
	return l.b.Write(p)
}

// tail is the end of it.
func (l *logged) tail() string {
	s := l.String()
	return s[max(0, len(s)-3000):]
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.b.Len() == 0 { // a guest writes there by itself
		b, _ := os.ReadFile(l.file.Name())
		return string(b)
	}
	return l.b.String()
}

// has reports whether a line was logged.
func (l *logged) has(text string) bool { return strings.Contains(l.String(), text) }

// given counts the addresses.
var given atomic.Int32

// freeAddr is an address of loopback that stays free: its IP belongs to this process, and no connection begins there.
func freeAddr(t testing.TB) string {
	t.Helper()
	pid := os.Getpid()
	ip := net.IPv4(127, byte(144+pid>>14&0x3f), byte(pid>>6), byte(pid&0x3f<<2|1))
	return net.JoinHostPort(ip.String(), strconv.Itoa(20000+int(given.Add(1))))
}

// start begins the process and does not wait until it is ready.
func (p *process) start() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.log = newLog(p.t, filepath.Join(p.home, "log"))
	argv := append(slices.Clone(p.inside), cmp.Or(p.program, program), "run", "--config", p.settings)
	begin := p.startHere
	if p.startThere != nil {
		begin = p.startThere
	}
	var err error
	if p.cmd, err = begin(argv, []string{"HOME=" + p.home, "XDG_STATE_HOME=" + p.home}); err != nil {
		p.t.Fatal(err)
	}
}

func (p *process) startHere(argv, env []string) (running, error) {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env, cmd.Dir = append(os.Environ(), env...), p.home
	cmd.Stdout, cmd.Stderr = p.log, p.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return child{cmd}, cmd.Start()
}

// signal sends one to the process.
func (p *process) signal(sig syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		_ = p.cmd.signal(sig)
	}
}

// kill ends the process as a power cut would, and waits for its end. Idempotent.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	_ = p.wait()
}

// wait returns the exit error of the process.
func (p *process) wait() error {
	p.mu.Lock()
	cmd := p.cmd
	p.cmd = nil
	p.mu.Unlock()
	if cmd == nil {
		return nil
	}
	defer p.log.file.Close()
	return cmd.wait()
}

// stop ends the process in order.
func (p *process) stop() {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	if err := p.wait(); err != nil {
		p.t.Errorf("%s: want an orderly end, got %v\n%s", p.id, err, p.log)
	}
}

// get reads a route into JSON; false when the node does not answer 200 within a second.
func (p *process) get(route string, into any) bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.addr+route, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	p.show(req)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	if into == nil {
		_, _ = io.Copy(io.Discard, res.Body)
		return res.StatusCode == http.StatusOK
	}
	return res.StatusCode == http.StatusOK && json.NewDecoder(res.Body).Decode(into) == nil
}

// show has a request carry the token.
func (p *process) show(req *http.Request) {
	if p.token != "" {
		req.Header.Set("Authorization", "Bearer "+p.token)
	}
}

// tail is the end of what it wrote.
func (p *process) tail() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.log == nil {
		return ""
	}
	return p.log.tail()
}

func (p *process) ready() bool { return p.get("/readyz", nil) }

// awaitReady waits until the node says that it is ready.
func (p *process) awaitReady() {
	p.t.Helper()
	within(p.t, 40*time.Second, p.id+" is ready", func() bool { return p.ready() }, p.log)
}

// hotfolderd runs a command with the settings of this node.
func (p *process) hotfolderd(args ...string) (string, error) {
	cmd := exec.Command(program, append([]string{"--config", p.settings}, args...)...)
	cmd.Env = append(os.Environ(), "HOME="+p.home, "XDG_STATE_HOME="+p.home)
	cmd.Dir = p.home
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// within polls until ok says yes; on failure it shows what is given.
func within(t testing.TB, d time.Duration, what string, ok func() bool, show ...fmt.Stringer) {
	t.Helper()
	for end := time.Now().Add(d); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %s: %s\n%v", d, what, show)
		}
	}
}

func write(t testing.TB, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
}
