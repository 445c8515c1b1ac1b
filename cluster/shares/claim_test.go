package shares

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/leases"
)

// checker watches that no two nodes walk in one partition at a time.
type checker struct {
	mu     sync.Mutex
	in     map[string]map[string]int // name of the lease, node: walks
	faults []string
	walks  int
	nodes  map[string]int // walks by node
}

func newChecker() *checker { return &checker{in: map[string]map[string]int{}, nodes: map[string]int{}} }

func (c *checker) enter(node, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.in[name] == nil {
		c.in[name] = map[string]int{}
	}
	c.in[name][node]++
	c.walks++
	c.nodes[node]++
	if len(c.in[name]) > 1 {
		c.faults = append(c.faults, fmt.Sprintf("%s: %v", name, c.in[name]))
	}
}

func (c *checker) leave(node, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.in[name][node]--; c.in[name][node] == 0 {
		delete(c.in[name], node)
	}
}

func (c *checker) report(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	t.Logf("%d walks, %v", c.walks, c.nodes)
	if len(c.faults) > 0 {
		t.Errorf("%d times two nodes walked in one partition: %s", len(c.faults), c.faults[0])
	}
}

// walk claims random drops of two hotfolders until ctx ends, as a node's worker does: when the lease ends, it stops at once.
func (c *checker) walk(ctx context.Context, s *Shares, longest time.Duration) {
	for ctx.Err() == nil {
		lease, done := s.Claim([]string{"in", "pinned"}[rand.IntN(2)], asset.Key(fmt.Sprint("file", rand.IntN(100_000))))
		if lease == nil {
			pause(ctx, nil, 100*time.Microsecond)
			continue
		}
		c.enter(s.o.Self, lease.Name())
		pause(ctx, lease, rand.N(longest))
		c.leave(s.o.Self, lease.Name())
		done()
	}
}

func pause(ctx context.Context, l leases.Lease, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	var end <-chan struct{}
	if l != nil {
		end = l.Context().Done()
	}
	select {
	case <-t.C:
	case <-end:
	case <-ctx.Done():
	}
}

// TestClaim_isOneNodesAtATime changes members and pins all the time while workers of three nodes claim.
func TestClaim_isOneNodesAtATime(t *testing.T) {
	t.Parallel()
	w, check := newWorld(), newChecker()
	all := []*runner{w.start(t, "a"), w.start(t, "b"), w.start(t, "c")}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	var workers sync.WaitGroup
	for _, r := range all {
		for range 4 {
			workers.Go(func() { check.walk(ctx, r.Shares, 2*time.Millisecond) })
		}
	}
	views := [][]Node{nodes("a", "b", "c"), nodes("a", "b"), nodes("b", "c"), nodes("c"), {{"a", 3}, {"b", 1}, {"c", 0}}}
	pins := []map[string]Pin{nil, {"pinned": {RunOn: []string{"a", "b"}}}, {"pinned": {Prefer: []string{"c"}}}}
	for n := 0; ctx.Err() == nil; n++ {
		setAll(views[rand.IntN(len(views))], pins[rand.IntN(len(pins))], all...)
		if n%3 == 0 { // and not all hear of it
			all[rand.IntN(3)].Set(views[0], nil)
		}
		pause(ctx, nil, rand.N(40*time.Millisecond))
	}
	workers.Wait()
	check.report(t)
	if check.walks < 200 || len(check.nodes) != 3 {
		t.Errorf("too little was walked to tell: %d, %v", check.walks, check.nodes)
	}
}

// TestGrip_nothingBeginsAfterTheEnd shuts a grip while others enter: when nobody is in hand any more, nobody may come.
func TestGrip_nothingBeginsAfterTheEnd(t *testing.T) {
	t.Parallel()
	w := newWorld()
	l := w.leaser("a")
	for range 500 {
		idle := make(chan struct{}, 100)
		g := newGrip(l.grant(t.Context(), "p/0"), func() { idle <- struct{}{} })
		var over atomic.Bool
		var workers sync.WaitGroup
		busy := make(chan struct{}, 4)
		for range 4 {
			workers.Go(func() {
				for first := true; g.enter(); first = false {
					if first {
						busy <- struct{}{}
					}
					late := over.Load()
					g.done()
					if late {
						t.Error("a walk is in hand although the grip was shut and empty")
						return
					}
					runtime.Gosched()
				}
			})
		}
		<-busy
		g.close()
		for g.inHand() > 0 {
			<-idle
		}
		over.Store(true)
		workers.Wait()
		g.stop()
	}
}

// alone is a node that holds everything, with some pinned hotfolders.
func alone(t testing.TB) *Shares {
	t.Helper()
	w := newWorld()
	gained := make(chan struct{}, 10)
	s := New(Options{Self: "a", Leaser: w.leaser("a"), Gained: func() { gained <- struct{}{} }})
	pins := map[string]Pin{}
	for i := range 10 {
		pins[fmt.Sprint("pinned", i)] = Pin{RunOn: []string{"a"}}
	}
	s.Set(nodes("a"), pins)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	<-gained
	return s
}

func TestClaim_allocatesNothing(t *testing.T) {
	s := alone(t)
	key := asset.Key("folder/of/many/parts/with a rather long name that no small buffer holds.jpg")
	if n := testing.AllocsPerRun(100, func() { s.Mine("pinned3", key) }); n > 0 {
		t.Errorf("Mine: %v allocations", n)
	}
	if n := testing.AllocsPerRun(100, func() { _, done := s.Claim("pinned3", key); done() }); n > 0 {
		t.Errorf("Claim: %v allocations", n)
	}
}

// benchKeys have their floor beside them: the hash alone.
func benchKeys() []asset.Key {
	keys := make([]asset.Key, 1024)
	for i := range keys {
		keys[i] = asset.Key(fmt.Sprintf("dcim/2024/IMG_%07d.JPG", i))
	}
	return keys
}

func BenchmarkPartition(b *testing.B) {
	keys := benchKeys()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		asset.Partition("inbox", keys[i%1024], 256)
	}
}

func BenchmarkMine(b *testing.B) {
	s, keys := alone(b), benchKeys()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		s.Mine("inbox", keys[i%1024])
	}
}

func BenchmarkClaim(b *testing.B) {
	s, keys := alone(b), benchKeys()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		_, done := s.Claim("inbox", keys[i%1024])
		done()
	}
}

func BenchmarkClaim_parallel(b *testing.B) {
	s, keys := alone(b), benchKeys()
	b.RunParallel(func(pb *testing.PB) {
		for i := rand.IntN(1024); pb.Next(); i++ {
			_, done := s.Claim("inbox", keys[i%1024])
			done()
		}
	})
}

func BenchmarkAssign(b *testing.B) {
	for _, n := range []int{3, 50} {
		b.Run(fmt.Sprint(n, " nodes"), func(b *testing.B) {
			nodes := members("node", n)
			for b.Loop() {
				Assign(nodes, 256, "p/")
			}
		})
	}
}
