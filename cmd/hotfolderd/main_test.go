package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

// TestMain makes this binary the program too: scripts find it as hotfolderd, and a node under test starts it as its rendering
// child.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == workerCommand {
		main()
	}
	testscript.Main(leakChecked{m}, map[string]func(){"hotfolderd": main})
}

type leakChecked struct{ m *testing.M }

func (l leakChecked) Run() int {
	code := l.m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	return code
}

// TestScripts runs testdata/*.txtar: each is a session with the real program.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			assets, err := filepath.Abs("../../testdata/assets")
			e.Setenv("ASSETS", assets)
			e.Setenv("XDG_STATE_HOME", filepath.Join(e.WorkDir, "state"))
			return errors.Join(err, setNobody(e))
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"wait_for": waitFor, "address_of": addressOf, "exits": exits, "id_of": idOf,
		},
	})
}

// setNobody sets $NOBODY to an address where nobody answers: it is taken while the script runs, and not listened to.
func setNobody(e *testscript.Env) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	e.Defer(func() { unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return err
	}
	at, err := unix.Getsockname(fd)
	if bound, ok := at.(*unix.SockaddrInet4); ok {
		e.Setenv("NOBODY", fmt.Sprint("127.0.0.1:", bound.Port))
	}
	return err
}

// waitFor DURATION COMMAND... runs a command again and again until it succeeds.
func waitFor(ts *testscript.TestScript, neg bool, args []string) {
	most, err := time.ParseDuration(args[0])
	ts.Check(err)
	poll(ts, most, fmt.Sprintf("%q", args[1:]), func() bool { return (ts.Exec(args[1], args[2:]...) == nil) != neg })
}

func poll(ts *testscript.TestScript, most time.Duration, what string, done func() bool) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(most); !done(); <-tick.C {
		if time.Now().After(end) {
			ts.Fatalf("%s did not come about within %s", what, most)
		}
	}
}

var pageAddress = regexp.MustCompile(`http://([0-9.:]+)/`)

// addressOf FILE waits until a node has printed its address there, and sets $NODE to it.
func addressOf(ts *testscript.TestScript, _ bool, args []string) {
	poll(ts, 20*time.Second, "an address in "+args[0], func() bool {
		out, _ := os.ReadFile(ts.MkAbs(args[0]))
		found := pageAddress.FindSubmatch(out)
		if found != nil {
			ts.Setenv("NODE", string(found[1]))
		}
		return found != nil
	})
}

// exits CODE COMMAND... wants this very exit code.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var ended *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &ended) {
		got = ended.ExitCode()
	} else {
		ts.Check(err)
	}
	if want != got {
		ts.Fatalf("%q: want exit code %d, got %d", args[1:], want, got)
	}
}

var failureID = regexp.MustCompile(`(?m)^[0-9a-f]{16}`)

// idOf VAR sets a variable to the id of the first failure that the last command printed.
func idOf(ts *testscript.TestScript, _ bool, args []string) {
	id := failureID.FindString(ts.ReadFile("stdout"))
	if id == "" {
		ts.Fatalf("no id of a failure in the output")
	}
	ts.Setenv(args[0], id)
}
