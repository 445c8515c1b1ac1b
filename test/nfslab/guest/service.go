package guest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
)

// Service is what a guest does for a test. Each method is one call of net/rpc.
type Service struct {
	mu      sync.Mutex
	started map[int]*process
}

// None is no question, or no answer.
type None struct{}

type process struct {
	cmd   *exec.Cmd
	ended chan struct{}
	err   error
}

func newService() *Service { return &Service{started: map[int]*process{}} }

// Ping answers.
func (s *Service) Ping(None, *None) error { return nil }

// Run runs a command to its end.
func (s *Service) Run(c Command, r *Result) error {
	var out bytes.Buffer
	cmd := c.prepare(&out)
	err := cmd.Run()
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		r.Exit, err = ended.ExitCode(), nil
	}
	r.Output = out.String()
	return err
}

func (c Command) prepare(out io.Writer) *exec.Cmd {
	cmd := exec.Command(c.Argv[0], c.Argv[1:]...)
	cmd.Dir, cmd.Env = c.Dir, append(os.Environ(), c.Env...)
	cmd.Env = append(cmd.Env, "TMPDIR=/run", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
	cmd.Stdout, cmd.Stderr = out, out
	return cmd
}

// Start begins a command; what it says goes to its log.
func (s *Service) Start(c Command, pid *int) error {
	log, err := os.OpenFile(c.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	p := &process{cmd: c.prepare(log), ended: make(chan struct{})}
	if err := p.cmd.Start(); err != nil {
		log.Close()
		return err
	}
	go func() {
		defer close(p.ended)
		defer log.Close()
		p.err = p.cmd.Wait()
	}()
	s.mu.Lock()
	defer s.mu.Unlock()
	*pid = p.cmd.Process.Pid
	s.started[*pid] = p
	return nil
}

// Signal sends a signal to a process that was started.
func (s *Service) Signal(g Signal, _ *None) error {
	if p := s.find(g.PID); p != nil {
		return p.cmd.Process.Signal(syscall.Signal(g.Signal))
	}
	return fmt.Errorf("no process %d was started", g.PID)
}

// Wait waits for the end of a process that was started, and says how it ended where that was no success.
func (s *Service) Wait(pid int, how *string) error {
	p := s.find(pid)
	if p == nil {
		return fmt.Errorf("no process %d was started", pid)
	}
	<-p.ended
	if p.err != nil {
		*how = p.err.Error()
	}
	return nil
}

func (s *Service) find(pid int) *process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.started[pid]
}
