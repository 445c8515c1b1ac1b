package thumbnails

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// rights are leases of a cluster in memory.
type rights struct {
	mu    sync.Mutex
	taken map[string]bool
}

func (r *rights) once(_ context.Context, name string) (func(), bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.taken[name] {
		return nil, false
	}
	if r.taken == nil {
		r.taken = map[string]bool{}
	}
	r.taken[name] = true
	return func() { r.give(name) }, true
}

func (r *rights) give(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.taken, name)
}

// demandTest is some nodes that share a store, an engine that counts, and an original.
type demandTest struct {
	*roomTest
	rights rights
	nodes  []*Room
	c      asset.Content
}

func newDemand(t *testing.T, nodes, demands int, data []byte, mime string) *demandTest {
	dt := &demandTest{roomTest: newRoom(t), c: content(data, mime)}
	if _, err := dt.store.Store.Put(t.Context(), "original", strings.NewReader(string(data)), storage.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	for range nodes {
		dt.nodes = append(dt.nodes, New(dt.store, testPrefix, dt.engine, Options{Demands: demands, Once: dt.rights.once}))
	}
	return dt
}

// ask is one request to one node.
func (dt *demandTest) ask(ctx context.Context, node, size int) error {
	spec := Spec{Sizes: []int{size}}
	rd, err := dt.nodes[node].Demand(ctx, dt.c, spec, func(ctx context.Context) (storage.Reader, error) {
		return dt.store.Open(ctx, "original", "")
	})
	if err != nil {
		return err
	}
	defer rd.Close()
	if n, err := io.Copy(io.Discard, rd); err != nil || n == 0 {
		dt.Errorf("want an image, got %d bytes, %v", n, err)
	}
	return nil
}

func (dt *demandTest) calls() int {
	dt.engine.mu.Lock()
	defer dt.engine.mu.Unlock()
	return dt.engine.calls
}

func TestDemand_isMadeOnceHoweverManyAskOnAllNodes(t *testing.T) {
	dt := newDemand(t, 3, 0, asPNG(t, quarters(400, 200)), "image/png")
	for round, size := range []int{32, 64} {
		var all sync.WaitGroup
		for i := range 60 {
			all.Go(func() {
				if err := dt.ask(t.Context(), i%3, size); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if got := dt.calls(); got != round+1 {
			t.Errorf("want one rendering for 60 who ask for %d, got %d in all", size, got)
		}
	}
}

// Another node holds the right, and dies: this one must go on. Until then it waits no longer than its caller.
func TestDemand_whenTheMakerDiesAnotherMakesIt(t *testing.T) {
	dt := newDemand(t, 1, 0, asPNG(t, quarters(400, 200)), "image/png")
	name := "thumbnails/" + dt.c.Hash.String()
	dead, _ := dt.rights.once(t.Context(), name)
	bounded, cancel := context.WithTimeout(t.Context(), 3*elsewherePause)
	defer cancel()
	if err := dt.ask(bounded, 0, 32); !errors.Is(err, context.DeadlineExceeded) || dt.calls() != 0 {
		t.Fatalf("want the wait to end with its caller's, got %v after %d renderings", err, dt.calls())
	}
	time.AfterFunc(2*elsewherePause, dead)
	if err := dt.ask(t.Context(), 0, 32); err != nil || dt.calls() != 1 {
		t.Errorf("want it made here, got %v after %d renderings", err, dt.calls())
	}
	if _, got := dt.rights.once(t.Context(), name); !got {
		t.Error("want the right given back")
	}
}

func TestDemand_whoWaitsIsBounded(t *testing.T) {
	dt := newDemand(t, 1, 2, asPNG(t, quarters(400, 200)), "image/png")
	free, _ := dt.rights.once(t.Context(), "thumbnails/"+dt.c.Hash.String())
	var two sync.WaitGroup
	for range 2 {
		two.Go(func() {
			if err := dt.ask(t.Context(), 0, 32); err != nil {
				t.Error(err)
			}
		})
	}
	for len(dt.nodes[0].demands) < 2 {
		time.Sleep(time.Millisecond)
	}
	if err := dt.ask(t.Context(), 0, 32); !errors.Is(err, ErrBusy) {
		t.Errorf("want the third refused, got %v", err)
	}
	free()
	two.Wait()
	if err := dt.ask(t.Context(), 0, 32); err != nil {
		t.Errorf("want what is there opened, got %v", err)
	}
}

func TestDemand_whatCannotBeRenderedIsRememberedUntilTheEngineChanges(t *testing.T) {
	data := asPNG(t, quarters(400, 200))
	dt := newDemand(t, 2, 0, data[:len(data)/2], "image/png")
	for i := range 4 {
		fault := (*Error)(nil)
		if err := dt.ask(t.Context(), i%2, 32<<(i%2)); !errors.As(err, &fault) || !strings.Contains(fault.Reason, "cut off") {
			t.Errorf("want the reason, got %v", err)
		}
	}
	if got := dt.calls(); got != 1 {
		t.Errorf("want it tried once, got %d", got)
	}
	dt.engine.name = "test/2"
	if err := dt.ask(t.Context(), 0, 32); err == nil || dt.calls() != 2 {
		t.Errorf("want another engine to try, got %v after %d tries", err, dt.calls())
	}
}

func TestDemand_whatHasNoPicture(t *testing.T) {
	dt := newDemand(t, 1, 0, []byte("words"), "text/plain")
	fault := (*Error)(nil)
	if err := dt.ask(t.Context(), 0, 32); !errors.As(err, &fault) || fault.Reason != "no preview for text/plain" || dt.calls() != 0 {
		t.Errorf("want it refused unread, got %v", err)
	}
}

func TestDemand_anOriginalThatIsGoneIsNoFaultOfIt(t *testing.T) {
	dt := newDemand(t, 1, 0, asPNG(t, quarters(40, 20)), "image/png")
	if err := dt.store.Remove(t.Context(), "original", ""); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := dt.ask(t.Context(), 0, 32); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("want the store's error, got %v", err)
		}
	}
	if got := dt.calls(); got != 2 {
		t.Errorf("want it tried again, got %d", got)
	}
}
