package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// process is one that this program started, and starts again.
type process struct {
	name     string // for people
	settings string // file; empty for Consul
	address  string // host:port of its HTTP
	answers  string // path that is 200 when it is ready
	says     bool   // and not empty
	path     string
	args     []string
	env      []string  // beside this program's own
	once     []string  // further arguments, of the first start alone
	shown    io.Writer // gets its standard error; nil: kept for when it fails

	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	err  error         // of its end
	tail bytes.Buffer
}

// start returns when the process runs; ended is called once it does no more. It is in a group of its own, so that a terminal's
// Ctrl-C reaches this program alone, and it dies with it.
func (p *process) start(ended func()) error {
	p.tail.Reset()
	p.cmd = exec.Command(p.path, append(p.args[:len(p.args):len(p.args)], p.once...)...)
	p.once = nil
	p.cmd.Env = append(os.Environ(), p.env...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	p.cmd.WaitDelay = 5 * time.Second
	if p.cmd.Stderr = p.shown; p.shown == nil {
		p.cmd.Stdout, p.cmd.Stderr = &p.tail, &p.tail
	}
	if err := p.cmd.Start(); err != nil {
		p.cmd = nil
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	cmd, done := p.cmd, make(chan struct{})
	p.done = done
	go func() {
		p.err = cmd.Wait()
		close(done)
		ended()
	}()
	return nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// ready asks once.
func (p *process) ready(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.address+p.answers, nil)
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<10))
	said := len(strings.Trim(string(body), "\"\n")) > 0
	return err == nil && res.StatusCode == http.StatusOK && (said || !p.says)
}

// terminate asks the process to end. What has ended, or never ran, is left alone.
func (p *process) terminate() { p.signal(syscall.SIGTERM) }

func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	p.await(time.Minute)
}

func (p *process) signal(s syscall.Signal) {
	if p.cmd != nil {
		_ = p.cmd.Process.Signal(s) // it fails when it has ended
	}
}

// await returns whether the process has ended by then.
func (p *process) await(most time.Duration) bool {
	if p.cmd == nil {
		return true
	}
	select {
	case <-p.done:
		return true
	case <-time.After(most):
		return false
	}
}

// end says how it ended.
func (p *process) end() string {
	if p.err == nil {
		return "in order"
	}
	return p.err.Error()
}

// lastWords are the end of what was kept.
func (p *process) lastWords() string {
	text := strings.TrimSpace(p.tail.String())
	if text == "" {
		return ""
	}
	return ":\n" + text[max(0, len(text)-2000):]
}
