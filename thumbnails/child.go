package thumbnails

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
)

const (
	childGrace = 2 * time.Second // for a child to end after its input did
	tailBytes  = 2 << 10         // of a line that a child says
	niceness   = 5               // of a child beside ours: rendering gives way to importing
)

// child is one rendering process. Its input closed, it ends by itself; it ends with this process in any case.
type child struct {
	*wire
	cmd  *exec.Cmd
	in   *os.File
	out  *os.File
	said *lastWords
	done chan struct{} // closed when the process has been waited for
	exit error         // after done
}

// startChild returns when the process runs.
func startChild(o PoolOptions) (*child, error) {
	c := &child{said: &lastWords{log: o.Log}, done: make(chan struct{})}
	theirIn, theirOut, err := c.pipes()
	if err != nil {
		return nil, err
	}
	c.cmd = exec.Command(o.Command[0], o.Command[1:]...)
	c.cmd.Dir = "/"
	c.cmd.Env = append([]string{"GOMAXPROCS=" + strconv.Itoa(min(runtime.NumCPU(), 4)), "GOTRACEBACK=single"}, o.Env...)
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = theirIn, theirOut, c.said
	c.cmd.WaitDelay = childGrace
	confine(c.cmd)
	started := make(chan error, 1)
	ownThread(func() { c.live(started) })
	err = <-started
	_, _ = theirIn.Close(), theirOut.Close()
	if err != nil {
		<-c.done
		return nil, fmt.Errorf("start the thumbnail worker %q: %w", o.Command[0], err)
	}
	return c, nil
}

func (c *child) pipes() (theirIn, theirOut *os.File, err error) {
	if theirIn, c.in, err = os.Pipe(); err != nil {
		return nil, nil, err
	}
	if c.out, theirOut, err = os.Pipe(); err != nil {
		_, _ = theirIn.Close(), c.in.Close()
		return nil, nil, err
	}
	c.wire = newWire(c.out, c.in)
	return theirIn, theirOut, nil
}

// live starts the process and waits for its end. It has a thread of its own: the system ends the process when the
// thread that started it ends, and the thread's niceness is what all threads of the process inherit.
func (c *child) live(started chan<- error) {
	defer close(c.done)
	lowerPriority()
	err := c.cmd.Start()
	started <- err
	if err == nil {
		c.exit = c.cmd.Wait()
		c.said.flush()
	}
	_, _ = c.in.Close(), c.out.Close()
}

// ownThread returns when f runs on a thread that no other goroutine uses and that ends with f. It is not the process's
// main thread, which cannot end and whose niceness people see.
func ownThread(f func()) {
	placed := make(chan struct{})
	go func() {
		runtime.LockOSThread()
		if onMainThread() {
			ownThread(f) // cannot get this thread as long as we hold it
			runtime.UnlockOSThread()
			close(placed)
			return
		}
		close(placed)
		f()
	}()
	<-placed
}

// stop ends the process, kindly first, and waits for it.
func (c *child) stop() {
	_ = c.in.Close()
	select {
	case <-c.done:
	case <-time.After(childGrace):
		c.kill()
	}
}

// kill ends the process at once and waits for it.
func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	<-c.done
}

// death says in words how a child that is done ended.
func (c *child) death() string {
	how := "it ended"
	if c.exit != nil {
		how = c.exit.Error()
	}
	if words := c.said.text(); words != "" {
		how += ": " + words
	}
	return how
}

// lastWords logs what a child says, line by line, and keeps the first line of its end for the error.
type lastWords struct {
	log  *zap.Logger
	mu   sync.Mutex
	line []byte
	kept string
}

// Write never fails.
func (l *lastWords) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, part := range bytes.SplitAfter(p, []byte("\n")) {
		l.line = append(l.line, part[:min(len(part), tailBytes-min(len(l.line), tailBytes))]...)
		if bytes.HasSuffix(part, []byte("\n")) {
			l.endLine()
		}
	}
	return len(p), nil
}

func (l *lastWords) endLine() {
	line := strings.TrimSpace(string(l.line))
	l.line = l.line[:0]
	if line == "" {
		return
	}
	l.log.Debug("a thumbnail worker says", zap.String("line", line))
	if l.kept == "" {
		l.kept = clip(line)
	}
}

func (l *lastWords) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.endLine()
}

func (l *lastWords) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.kept
}
