package thumbnails

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// poolRender renders a small image in the pool.
func poolRender(ctx context.Context, t *testing.T, e Engine, lim Limits) (Result, error) {
	t.Helper()
	data := asJPEG(t, quarters(200, 100))
	return e.Render(ctx, bytes.NewReader(data), int64(len(data)), Spec{Sizes: []int{64, 32}}, lim)
}

func wantKind(t *testing.T, kind Kind, err error) *Error {
	t.Helper()
	var fault *Error
	if !errors.As(err, &fault) || fault.Kind != kind {
		t.Fatalf("want an error that says %s, got %v", kind, err)
	}
	return fault
}

// eventually polls until ok, for at most ten seconds.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within ten seconds: %s", what)
		}
	}
}

func TestPool_rendersLikeTheEngineInThisProcess(t *testing.T) {
	e := testPool(t, "imaging", 2)
	inputs := map[string][]byte{
		"jpeg": camera(t, 1500, 1000), "png": asPNG(t, quarters(300, 500)), "tiff": tiffWith(quarters(500, 400), 6),
		"exact block": append(asPNG(t, quarters(8, 8)), make([]byte, 2*blockBytes)...)[:2*blockBytes],
	}
	for name, data := range inputs {
		t.Run(name, func(t *testing.T) {
			spec := Spec{Sizes: []int{256, 64}, Format: Auto}
			want := renderOK(t, data, spec)
			got, err := e.Render(context.Background(), bytes.NewReader(data), int64(len(data)), spec, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if got.Width != want.Width || got.Height != want.Height || len(got.Renditions) != len(want.Renditions) {
				t.Fatalf("want %d x %d in %d, got %d x %d in %d", want.Width, want.Height, len(want.Renditions), got.Width, got.Height, len(got.Renditions))
			}
			for i, r := range want.Renditions {
				if g := got.Renditions[i]; !bytes.Equal(r.Data, g.Data) || r.Size != g.Size || r.Format != g.Format {
					t.Errorf("%d pixels: the pool gives other bytes", r.Size)
				}
			}
		})
	}
}

func TestPool_handsFaultsOnAndKeepsTheChild(t *testing.T) {
	e := testPool(t, "imaging", 1)
	for range 2 {
		bomb := pngHeader(30000, 30000)
		_, err := e.Render(context.Background(), bytes.NewReader(bomb), int64(len(bomb)), Spec{Sizes: []int{64}}, Limits{})
		if fault := wantKind(t, TooLarge, err); !strings.Contains(fault.Reason, "900 megapixels") {
			t.Errorf("want the numbers, got %q", fault.Reason)
		}
	}
	if n := len(children(t)); n != 1 {
		t.Errorf("want the one child to live on, got %d", n)
	}
}

func TestPool_childrenStayAndGiveWay(t *testing.T) {
	e := testPool(t, "pid", 1)
	first, err := poolRender(t.Context(), t, e, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	second, err := poolRender(t.Context(), t, e, Limits{})
	if err != nil || first.Width != second.Width {
		t.Errorf("want the same process %d again, got %d, %v", first.Width, second.Width, err)
	}
	if want := min(niceOf()+niceness, 19); first.Height != want {
		t.Errorf("want niceness %d, got %d", want, first.Height)
	}
}

func TestPool_hangingChildIsKilledInTime(t *testing.T) {
	e := testPool(t, "hang", 1)
	began := time.Now()
	_, err := poolRender(t.Context(), t, e, Limits{Timeout: 300 * time.Millisecond})
	wantKind(t, Timeout, err)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("want an end after 300 ms, got one after %s", took)
	}
	if left := children(t); len(left) > 0 {
		t.Errorf("want the child gone, got %v", left)
	}
}

func TestPool_greedyChildIsKilled(t *testing.T) {
	e := testPool(t, "hog", 1)
	_, err := poolRender(t.Context(), t, e, Limits{Memory: 100 << 20})
	if fault := wantKind(t, TooLarge, err); !strings.Contains(fault.Reason, "memory") {
		t.Errorf("want a sentence about memory, got %q", fault.Reason)
	}
}

func TestPool_crashIsTriedOnceMore(t *testing.T) {
	t.Run("and may be gone", func(t *testing.T) {
		e := testPool(t, "crash once", 1, markerEnv+"="+filepath.Join(t.TempDir(), "marker"))
		if _, err := poolRender(t.Context(), t, e, Limits{}); err != nil {
			t.Errorf("want a result of the second try, got %v", err)
		}
	})
	t.Run("and then is the image's", func(t *testing.T) {
		_, err := poolRender(t.Context(), t, testPool(t, "crash", 1), Limits{})
		if fault := wantKind(t, Crashed, err); !strings.Contains(fault.Error(), "exit status 3: fatal error: out of luck") {
			t.Errorf("want the child's last words, got %q", fault)
		}
	})
}

func TestPool_nonsenseFromTheChildIsACrash(t *testing.T) {
	_, err := poolRender(t.Context(), t, testPool(t, "chatter", 1), Limits{})
	wantKind(t, Crashed, err)
}

func TestPool_childThatDiedIdleIsReplaced(t *testing.T) {
	e := testPool(t, "pid", 1)
	first, err := poolRender(t.Context(), t, e, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(first.Width, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if second, err := poolRender(t.Context(), t, e, Limits{}); err != nil || second.Width == first.Width {
		t.Errorf("want another process, got %d, %v", second.Width, err)
	}
}

func TestPool_canceledContext(t *testing.T) {
	e := testPool(t, "hang", 1)
	stop := errors.New("stop it")
	ctx, cancel := context.WithCancelCause(t.Context())
	var wg sync.WaitGroup
	for range 2 { // one renders, one waits for the child
		wg.Go(func() {
			if _, err := poolRender(ctx, t, e, Limits{}); !errors.Is(err, stop) {
				t.Errorf("want %v, got %v", stop, err)
			}
		})
	}
	eventually(t, "a child runs", func() bool { return len(children(t)) == 1 })
	cancel(stop)
	wg.Wait()
}

func TestPool_closeInterruptsAndLeavesNothing(t *testing.T) {
	e := testPool(t, "hang", 2)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if _, err := poolRender(t.Context(), t, e, Limits{}); !errors.Is(err, ErrClosed) {
				t.Errorf("want %v, got %v", ErrClosed, err)
			}
		})
	}
	eventually(t, "both children run", func() bool { return len(children(t)) == 2 })
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	if left := children(t); len(left) > 0 {
		t.Errorf("children left: %v", left)
	}
	if _, err := poolRender(t.Context(), t, e, Limits{}); !errors.Is(err, ErrClosed) {
		t.Errorf("want %v after Close, got %v", ErrClosed, err)
	}
}

func TestPool_commandThatIsNotThere(t *testing.T) {
	e, err := NewPool(PoolOptions{Command: []string{"/nowhere/at/all"}, Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = e.Close() }()
	for range 2 {
		_, err = poolRender(t.Context(), t, e, Limits{})
		if fault := (*Error)(nil); err == nil || errors.As(err, &fault) {
			t.Errorf("want an error about the machine, got %v", err)
		}
	}
}

// TestPool_childrenDieWithTheirParent kills a process that has a hanging child; see orphanMaker.
func TestPool_childrenDieWithTheirParent(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	marker := filepath.Join(t.TempDir(), "pid")
	parent := exec.Command(self)
	parent.Env = []string{workerEnv + "=parent", markerEnv + "=" + marker}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	pid := 0
	eventually(t, "the child says its number", func() bool {
		b, _ := os.ReadFile(marker)
		pid, _ = strconv.Atoi(strings.TrimSuffix(string(b), "\n"))
		return pid > 0 && bytes.HasSuffix(b, []byte("\n"))
	})
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait()
	eventually(t, "the child is gone", func() bool {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		return err != nil || bytes.Contains(stat, []byte(") Z ")) || !bytes.Contains(stat, []byte("thumbnails"))
	})
}

// orphanMaker has a pool whose child hangs, until it is killed.
func orphanMaker() {
	self, _ := os.Executable()
	e, err := NewPool(PoolOptions{Command: []string{self}, Workers: 1, Env: []string{workerEnv + "=hang", markerEnv + "=" + os.Getenv(markerEnv)}})
	if err == nil {
		_, err = e.Render(context.Background(), bytes.NewReader([]byte{1}), 1, Spec{Sizes: []int{16}}, Limits{Timeout: time.Hour})
	}
	panic(err)
}

func TestServeWorker_endsWithItsInput(t *testing.T) {
	var out bytes.Buffer
	if err := ServeWorker(t.Context(), bytes.NewReader(nil), &out); err != nil || out.Len() > 0 {
		t.Errorf("want a quiet end, got %v and %d bytes", err, out.Len())
	}
}

func TestServeWorker_endsWithItsContext(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- ServeWorker(ctx, r, &bytes.Buffer{}) }()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("want %v, got %v", context.Canceled, err)
	}
}

// FuzzServeWorker gives a child's end of the conversation arbitrary bytes.
func FuzzServeWorker(f *testing.F) {
	var b bytes.Buffer
	w := newWire(&b, &b)
	data := asPNG(f, quarters(8, 8))
	_ = w.sendJSON(msgRequest, request{Size: int64(len(data)), Spec: Spec{Sizes: []int{4}}, Limits: Limits{MaxPixels: 1000}})
	_ = w.send(msgData, data)
	_ = w.flush()
	f.Add(b.Bytes())
	f.Add([]byte{msgRequest, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, in []byte) {
		_ = serve(t.Context(), bytes.NewReader(in), &bytes.Buffer{}, faulty{"pid"})
	})
}

// FuzzAnswer gives the pool's end arbitrary bytes.
func FuzzAnswer(f *testing.F) {
	var b bytes.Buffer
	w := newWire(&b, &b)
	_ = w.send(msgNeed, needBytes(0, 10))
	_ = reply(w, Result{Width: 1, Height: 1, Renditions: []Rendition{{Size: 4, Data: []byte("x")}}}, nil)
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, in []byte) {
		c := &child{wire: newWire(bytes.NewReader(in), &bytes.Buffer{})}
		a, err := c.converse(bytes.NewReader(make([]byte, 100)), request{Size: 100, Spec: Spec{Sizes: []int{4}}})
		if err == nil && len(a.Result.Renditions) > 1 {
			t.Errorf("%d renditions, one was asked for", len(a.Result.Renditions))
		}
	})
}
