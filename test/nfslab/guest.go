package nfslab

import (
	"errors"
	"fmt"
	"net"
	"net/rpc"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"hotfolderd/test/nfslab/guest"
)

const (
	bootTime = 6 * time.Minute // on a machine that does much else
	memory   = "320M"
)

// Guest is one Linux.
type Guest struct {
	Name, IP string

	t    testing.TB
	l    *Lab
	argv []string

	mu   sync.Mutex
	cmd  *exec.Cmd
	conn *rpc.Client
}

// guest prepares one; more is added to its kernel's command line.
func (l *Lab) guest(name string, number int, more ...string) *Guest {
	l.t.Helper()
	g := &Guest{Name: name, IP: fmt.Sprintf("%s%d", l.net.part, number), t: l.t, l: l}
	tap := "tap" + name
	l.net.tap(tap)
	g.argv = append([]string{
		"ip", "netns", "exec", l.net.Name, "unshare", "--fork", "--pid", "--mount-proc", "--kill-child", Kernel, "mem=" + memory, "umid=" + l.net.Name + name, "uml_dir=" + l.Dir + "/",
		"root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro", "init=" + l.init, "con=null", "con0=null,fd:1",
		"vec0:transport=tap,ifname=" + tap + ",depth=128", guest.EnvAddress + "=" + g.IP, guest.EnvShared + "=" + l.Dir, guest.EnvModules + "=" + l.modules,
	}, more...)
	return g
}

func (g *Guest) console() string { return filepath.Join(g.l.Dir, g.Name+".console") }

// start begins the guest and does not wait.
func (g *Guest) start() {
	g.t.Helper()
	console, err := os.OpenFile(g.console(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		g.t.Error(err)
		return
	}
	defer console.Close()
	cmd := exec.Command(g.argv[0], g.argv[1:]...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = console, console, g.l.Dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		g.t.Error(err)
		return
	}
	g.mu.Lock()
	g.cmd = cmd
	g.mu.Unlock()
	g.t.Cleanup(g.Kill)
}

// await waits until the guest answers.
func (g *Guest) await() {
	g.t.Helper()
	for end := time.Now().Add(bootTime); g.call("Ping", guest.None{}, &guest.None{}) != nil; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			said, _ := os.ReadFile(g.console())
			g.t.Errorf("guest %s does not answer after %v:\n%s", g.Name, bootTime, said)
			return
		}
	}
}

// Kill takes the guest's power away: no more than what its server has is left of it. Idempotent.
func (g *Guest) Kill() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.conn != nil {
		g.conn.Close()
		g.conn = nil
	}
	if g.cmd == nil {
		return
	}
	_ = syscall.Kill(-g.cmd.Process.Pid, syscall.SIGKILL) // its own group: a guest is several processes
	_ = g.cmd.Wait()
	g.cmd = nil
}

// Restart starts a killed guest again and waits until it answers.
func (g *Guest) Restart() {
	g.t.Helper()
	g.start()
	g.await()
}

// Stop has the whole guest stand still, with all that it does, until Continue.
func (g *Guest) Stop()     { g.signal(syscall.SIGSTOP) }
func (g *Guest) Continue() { g.signal(syscall.SIGCONT) }

// signal is for the guest's kernel, which has a session of its own. It is the only child of the process that was started.
func (g *Guest) signal(sig syscall.Signal) {
	g.t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.cmd == nil {
		return
	}
	pid := g.cmd.Process.Pid
	child, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err == nil {
		pid, err = strconv.Atoi(strings.TrimSpace(string(child)))
	}
	if err = errors.Join(err, syscall.Kill(pid, sig)); err != nil {
		g.t.Errorf("%v for guest %s: %v", sig, g.Name, err)
	}
}

// Cut takes the guest's wire away, without a word to anybody; Mend puts it back.
func (g *Guest) Cut()  { g.l.net.inside("ip", "link", "set", "tap"+g.Name, "nomaster") }
func (g *Guest) Mend() { g.l.net.inside("ip", "link", "set", "tap"+g.Name, "master", "br0") }

// call asks the guest; an answer that does not come is an error after a minute or two.
func (g *Guest) call(method string, question, answer any) error {
	conn, err := g.connect()
	if err != nil {
		return err
	}
	call := conn.Go("Service."+method, question, answer, make(chan *rpc.Call, 1))
	select {
	case <-call.Done:
	case <-time.After(callTime):
		call = &rpc.Call{Error: fmt.Errorf("%s of %s: no answer in %v", method, g.Name, callTime)}
	}
	var said rpc.ServerError
	if call.Error != nil && !errors.As(call.Error, &said) {
		g.forget(conn)
	}
	return call.Error
}

const callTime = 3 * time.Minute

func (g *Guest) connect() (*rpc.Client, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.conn != nil {
		return g.conn, nil
	}
	conn, err := net.DialTimeout("tcp", net.JoinHostPort(g.IP, guest.Port), time.Second)
	if err != nil {
		return nil, err
	}
	g.conn = rpc.NewClient(conn)
	return g.conn, nil
}

func (g *Guest) forget(conn *rpc.Client) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.conn == conn {
		g.conn = nil
	}
	conn.Close()
}

// Call asks for one method of [guest.Service]; what went wrong there fails the test.
func (g *Guest) Call(method string, question, answer any) {
	g.t.Helper()
	if err := g.call(method, question, answer); err != nil {
		g.t.Fatalf("%s on %s: %v", method, g.Name, err)
	}
}

// Try is Call for what may go wrong.
func (g *Guest) Try(method string, question, answer any) error {
	return g.call(method, question, answer)
}

// Run runs a command there and wants that it ends well.
func (g *Guest) Run(argv ...string) (output string) {
	g.t.Helper()
	var r guest.Result
	g.Call("Run", guest.Command{Argv: argv}, &r)
	if r.Exit != 0 {
		g.t.Fatalf("%s on %s: exit %d\n%s", strings.Join(argv, " "), g.Name, r.Exit, r.Output)
	}
	return r.Output
}
