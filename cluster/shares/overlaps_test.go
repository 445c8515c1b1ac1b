package shares_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"hotfolderd/asset"
)

// overlaps watches that no two nodes walk in one partition at a time.
type overlaps struct {
	mu     sync.Mutex
	walks  map[string]int    // in hand, by lease name
	by     map[string]string // whose they are
	total  map[string]int    // by node
	faults []string
}

func newOverlaps() *overlaps {
	return &overlaps{walks: map[string]int{}, by: map[string]string{}, total: map[string]int{}}
}

func (o *overlaps) enter(node, name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.walks[name] > 0 && o.by[name] != node {
		o.faults = append(o.faults, fmt.Sprintf("%s in %s while %s is", node, name, o.by[name]))
	}
	o.walks[name]++
	o.by[name] = node
	o.total[node]++
}

func (o *overlaps) leave(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.walks[name]--
}

// work claims random drops with several workers until the function is called.
func (o *overlaps) work(t *testing.T, m *member) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			for ctx.Err() == nil {
				o.walk(ctx, m)
			}
		})
	}
	stop = func() { cancel(); workers.Wait() }
	t.Cleanup(stop)
	return stop
}

// walk lasts up to 20 ms, whatever ctx says; a lease that ends ends it.
func (o *overlaps) walk(ctx context.Context, m *member) {
	lease, done := m.Claim("in", asset.Key(fmt.Sprint("file", rand.Uint32())))
	if lease == nil {
		wait(ctx, 100*time.Microsecond)
		return
	}
	defer done()
	o.enter(m.id, lease.Name())
	wait(lease.Context(), rand.N(20*time.Millisecond))
	o.leave(lease.Name())
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// churn gives the nodes views that change and differ, for some seconds.
func (o *overlaps) churn(t *testing.T, all ...*member) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		live := slices.DeleteFunc(slices.Clone(all), func(*member) bool { return rand.IntN(3) == 0 })
		set(equal(live...), nil, all...)
		all[rand.IntN(len(all))].Set(equal(all...), nil)
		wait(ctx, rand.N(100*time.Millisecond))
	}
}

func (o *overlaps) report(t *testing.T) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	t.Logf("walks: %v", o.total)
	if len(o.faults) > 0 {
		t.Errorf("%d times two nodes walked in one partition: %s", len(o.faults), o.faults[0])
	}
}
