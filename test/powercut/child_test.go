//go:build powercut

package powercut

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"hotfolderd/asset"
	"hotfolderd/config"
	"hotfolderd/node"
	"hotfolderd/storage"
	"hotfolderd/storage/storagetest"
)

// plan tells a child what to work on, and where to stand still and ask for the cut. Of Step and Op at most one is set.
type plan struct {
	Dir  string
	Rule config.Rule
	Step string // stand still before this step of the walk; "end" is after the last
	Op   int    // stand still at this operation on the store, from 1, counted from the first drop on
	Nth  int    // of the drops that come to Step, from 1
	// After stands still when the operation has taken effect.
	After bool
}

// report is a line that a child says: its log, and beyond that what the words below mean.
type report struct {
	Msg, Key, Step, Error string
}

const (
	saidStep     = "step"     // a walk comes to a step
	saidHold     = "hold"     // a walk stands still: now
	saidImported = "imported" // the node's own word to people
)

// runChild is the main of a child: a node that tells every step over the pipe that it was given.
func runChild(text string) {
	var p plan
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		fatal(err)
	}
	lines := zapcore.NewJSONEncoder(zapcore.EncoderConfig{MessageKey: "msg", EncodeDuration: zapcore.StringDurationEncoder})
	log := zap.New(zapcore.NewCore(lines, zapcore.Lock(os.NewFile(3, "reports")), zapcore.InfoLevel))
	n, err := node.New(context.Background(), p.options(log))
	if err != nil {
		fatal(err)
	}
	fatal(n.Run(context.Background()))
}

func fatal(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(3)
}

// options are the node's, with the place where it stands still.
func (p *plan) options(log *zap.Logger) node.Options {
	o := nodeOptions(p.Dir, p.Rule, log)
	hold := func() {
		log.Info(saidHold)
		select {}
	}
	arm := func() {}
	if p.Op > 0 {
		o.Wrap = func(s storage.Store) storage.Store {
			fault := storagetest.NewFault(s)
			fault.OnCrash = func(string, asset.Key) { hold() }
			arm = sync.OnceFunc(func() { fault.Inject(p.fault()) })
			return fault
		}
	}
	var seen atomic.Int64
	o.Step = func(step, _ string, key asset.Key) {
		if step == "" {
			step = "end"
		}
		log.Info(saidStep, zap.String("step", step), zap.String("key", key.Shown()))
		arm()
		if step == p.Step && seen.Add(1) == int64(p.Nth) {
			hold()
		}
	}
	return o
}

func (p *plan) fault() storagetest.Rule {
	r := storagetest.Rule{After: p.Op - 1, Times: 1, Crash: true}
	if p.After {
		r.When = storagetest.After
	}
	return r
}

// nodeOptions are those of every node here, dying and healthy.
func nodeOptions(dir string, r config.Rule, log *zap.Logger) node.Options {
	s := config.Default()
	s.Node.ID, s.Storage.URL = "node", dir
	s.Node.Roles = []string{config.RoleImport, config.RoleThumbnails}
	return node.Options{Settings: s, Rules: fixedRules{r}, Log: log, Registry: prometheus.NewRegistry()}
}

// fixedRules is a rule set that a test holds in its hand.
type fixedRules []config.Rule

func (r fixedRules) Mark(context.Context) (string, error)        { return "", nil }
func (r fixedRules) Load(context.Context) ([]config.Rule, error) { return r, nil }

// child is a node in a process of its own.
type child struct {
	cmd   *exec.Cmd
	errs  strings.Builder
	ended chan struct{} // the pipe is at its end
}

// startChild runs a plan; hear is called for each report, in order, by one goroutine.
func startChild(t *testing.T, p plan, hear func(report)) *child {
	t.Helper()
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c := &child{cmd: exec.Command(os.Args[0]), ended: make(chan struct{})}
	c.cmd.Env = append(os.Environ(), envChild+"="+string(text))
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	c.cmd.ExtraFiles = []*os.File{w}
	c.cmd.Stderr = &c.errs
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	go func() {
		defer close(c.ended)
		defer r.Close()
		for s := bufio.NewScanner(r); s.Scan(); {
			var said report
			if json.Unmarshal(s.Bytes(), &said) == nil {
				if key, err := strconv.Unquote(said.Key); err == nil {
					said.Key = key
				}
				hear(said)
			}
		}
	}()
	return c
}

// kill ends the child and waits until everything that it said was heard.
func (c *child) kill(t *testing.T) {
	t.Helper()
	_ = c.cmd.Process.Kill()
	err := c.cmd.Wait()
	<-c.ended
	if status, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() {
		t.Logf("the node ended by itself: %v: %s", err, c.errs.String())
	}
}

// within polls until ok says yes.
func within(t *testing.T, d time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(d); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %s: %s", d, what)
		}
	}
}
