package shares

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"hotfolderd/asset"
	"hotfolderd/leases"
)

// world is the leases of all nodes, in memory, with faults that Consul would need to be broken for.
type world struct {
	mu      sync.Mutex
	index   uint64
	held    map[string]*fakeLease
	changed chan struct{}
}

func newWorld() *world { return &world{held: map[string]*fakeLease{}, changed: make(chan struct{})} }

// note tells the watchers; mu is held.
func (w *world) note() {
	w.index++
	close(w.changed)
	w.changed = make(chan struct{})
}

// watch implements Options.Watch.
func (w *world) watch(ctx context.Context, seen func(map[string]string)) {
	for ctx.Err() == nil {
		w.mu.Lock()
		held, changed := map[string]string{}, w.changed
		for name, l := range w.held {
			held[name] = l.by.session
		}
		w.mu.Unlock()
		seen(held)
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

func (w *world) holders() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	of := map[string]int{}
	for _, l := range w.held {
		of[l.by.session]++
	}
	return of
}

func (w *world) holder(name string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if l := w.held[name]; l != nil {
		return l.by.session
	}
	return ""
}

// fakeLeaser is one node's. Its world's mu guards it.
type fakeLeaser struct {
	w       *world
	session string
	asked   []time.Time    // each call of Acquire
	names   map[string]int // how often each name was asked for
	held    int            // answers that were ErrHeld
	down    error          // of each call
	deaf    bool           // releases fail
	faulty  string         // this name cannot be granted
}

func (w *world) leaser(session string) *fakeLeaser {
	return &fakeLeaser{w: w, session: session, names: map[string]int{}}
}

func (f *fakeLeaser) Close() error { return nil }

func (f *fakeLeaser) Acquire(ctx context.Context, names ...string) ([]leases.Grant, error) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	f.asked = append(f.asked, time.Now())
	if f.down != nil {
		return nil, f.down
	}
	var grants []leases.Grant
	for _, name := range names {
		f.names[name]++
		g := leases.Grant{Name: name, Err: leases.ErrHeld}
		if f.faulty == name {
			g.Err = errors.New("broken")
		} else if f.w.held[name] == nil {
			g = leases.Grant{Name: name, Lease: f.grant(ctx, name)}
		} else {
			f.held++
		}
		grants = append(grants, g)
	}
	f.w.note()
	return grants, nil
}

func (f *fakeLeaser) grant(ctx context.Context, name string) *fakeLease {
	f.w.index++
	l := &fakeLease{by: f, name: name, token: leases.Token{Epoch: 1, Index: f.w.index}}
	l.ctx, l.end = context.WithCancelCause(context.WithoutCancel(ctx))
	f.w.held[name] = l
	return l
}

// lose ends all leases of the node as a lost session does.
func (f *fakeLeaser) lose() {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	for name, l := range f.w.held {
		if l.by == f {
			l.end(leases.ErrLost)
			delete(f.w.held, name)
		}
	}
	f.w.note()
}

func (f *fakeLeaser) set(change func()) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	change()
}

func (f *fakeLeaser) calls() []time.Time {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	return slices.Clone(f.asked)
}

func (f *fakeLeaser) askedFor() map[string]int {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	return maps.Clone(f.names)
}

type fakeLease struct {
	by    *fakeLeaser
	name  string
	token leases.Token
	ctx   context.Context
	end   context.CancelCauseFunc
}

func (l *fakeLease) Name() string             { return l.name }
func (l *fakeLease) Token() leases.Token      { return l.token }
func (l *fakeLease) Context() context.Context { return l.ctx }

func (l *fakeLease) Release(context.Context) error {
	w := l.by.w
	w.mu.Lock()
	defer w.mu.Unlock()
	l.end(leases.ErrReleased)
	if l.by.deaf {
		return errors.New("no answer")
	}
	if w.held[l.name] == l {
		delete(w.held, l.name)
		w.note()
	}
	return nil
}

// runner is a Shares under test.
type runner struct {
	*Shares
	leaser *fakeLeaser
	gained atomic.Int32 // calls
	stop   func()
}

// start runs a node in the world, inside a bubble. It ends with the test.
func (w *world) start(t *testing.T, id string, change ...func(*Options)) *runner {
	t.Helper()
	r := &runner{leaser: w.leaser(id)}
	o := Options{Self: id, Leaser: r.leaser, Watch: w.watch, Gained: func() { r.gained.Add(1) }}
	for _, c := range change {
		c(&o)
	}
	r.Shares = New(o)
	r.stop = run(t, r.Shares)
	return r
}

// run starts the loop; the function stops it and waits for its end. Idempotent.
func run(t *testing.T, s *Shares) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// rest lets the bubble's clock go on until nothing moves but what waits longer: the loop gathers for 5 ms.
func rest() {
	time.Sleep(50 * time.Millisecond)
	synctest.Wait()
}

func nodes(ids ...string) []Node {
	var all []Node
	for _, id := range ids {
		all = append(all, Node{ID: id, Weight: 1})
	}
	return all
}

func setAll(nodes []Node, pins map[string]Pin, all ...*runner) {
	for _, r := range all {
		r.Set(nodes, pins)
	}
}

// names are the held ones.
func names(s *Shares) []string {
	var all []string
	for _, h := range s.Status() {
		all = append(all, h.Name)
	}
	return all
}

// keyIn finds a key of the hotfolder that falls into partition i of n.
func keyIn(hotfolder string, i, n int) asset.Key {
	for j := 0; ; j++ {
		if k := asset.Key(fmt.Sprint("file", j)); asset.Partition(hotfolder, k, n) == i {
			return k
		}
	}
}

func claim(t *testing.T, s *Shares, hotfolder string, key asset.Key) (leases.Lease, func()) {
	t.Helper()
	l, done := s.Claim(hotfolder, key)
	if l == nil {
		t.Fatalf("%s cannot claim %q of %q", s.o.Self, key, hotfolder)
	}
	return l, done
}
