package thumbnails

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap/zaptest"
)

// The test binary is its own thumbnail worker; workerEnv says how that worker behaves.
const (
	workerEnv = "THUMBNAILS_TEST_WORKER"
	markerEnv = "THUMBNAILS_TEST_MARKER"
	// confineEnv has the worker confined, as the program does it.
	confineEnv = "THUMBNAILS_TEST_CONFINE"
)

func TestMain(m *testing.M) {
	switch how := os.Getenv(workerEnv); how {
	case "":
		goleak.VerifyTestMain(m)
	case "parent":
		orphanMaker()
	case "program", "hang as a program", "pry as a program":
		asProgram(how)
	default:
		if os.Getenv(confineEnv) != "" {
			if err := Confine(); err != nil {
				panic(err)
			}
		}
		if err := serve(context.Background(), os.Stdin, os.Stdout, worker(how)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
}

func worker(how string) Engine {
	switch how {
	case "imaging":
		return NewImaging()
	case "prying":
		return prying{}
	}
	return faulty{how}
}

// faulty is an engine that misbehaves as its name says.
type faulty struct{ how string }

func (f faulty) Name() string { return f.how }

func (f faulty) Close() error { return nil }

func (f faulty) Render(ctx context.Context, src io.ReaderAt, size int64, spec Spec, lim Limits) (Result, error) {
	switch f.how {
	case "hang":
		if name := os.Getenv(markerEnv); name != "" {
			_ = os.WriteFile(name, fmt.Appendln(nil, os.Getpid()), 0o600)
		}
		for {
			time.Sleep(time.Hour)
		}
	case "hog":
		var held [][]byte
		for {
			held = append(held, bytes.Repeat([]byte{1}, 4<<20))
			runtime.KeepAlive(held)
			time.Sleep(time.Millisecond)
		}
	case "crash":
		fmt.Fprintln(os.Stderr, "fatal error: out of luck")
		os.Exit(3)
	case "chatter":
		_, _ = os.Stdout.WriteString(strings.Repeat("nonsense", 1000))
		time.Sleep(time.Hour)
	case "pid":
		return Result{Width: os.Getpid(), Height: niceOf()}, nil
	case "crash once":
		if f, err := os.OpenFile(os.Getenv(markerEnv), os.O_CREATE|os.O_EXCL, 0o600); err == nil {
			_ = f.Close()
			os.Exit(3)
		}
	}
	return NewImaging().Render(ctx, src, size, spec, lim)
}

func niceOf() int {
	b, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return -1
	}
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	n, _ := strconv.Atoi(fields[16])
	return n
}

// testPool is a pool of workers that behave as how says. It is closed, and checked for children left, at the end.
func testPool(tb testing.TB, how string, workers int, env ...string) Engine {
	tb.Helper()
	self, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	o := PoolOptions{Command: []string{self}, Env: append(env, workerEnv+"="+how), Workers: workers}
	if _, bench := tb.(*testing.B); !bench {
		o.Log = zaptest.NewLogger(tb)
	}
	e, err := NewPool(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := e.Close(); err != nil {
			tb.Error(err)
		}
		if left := children(tb); len(left) > 0 {
			tb.Errorf("children left after Close: %v", left)
		}
	})
	return e
}

// children are the numbers of this process's children, zombies included.
func children(tb testing.TB) []string {
	tb.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		tb.Fatal(err)
	}
	var found []string
	for _, e := range entries {
		b, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		if _, notPid := strconv.Atoi(e.Name()); notPid != nil || err != nil {
			continue
		}
		if f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:])); f[1] == strconv.Itoa(os.Getpid()) {
			found = append(found, e.Name())
		}
	}
	return found
}
