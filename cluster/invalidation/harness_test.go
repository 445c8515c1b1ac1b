package invalidation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"hotfolderd/asset"
	"hotfolderd/leases/consul"
	"hotfolderd/leases/consul/consultest"
	"hotfolderd/storage"
	"hotfolderd/storage/posix"
	"hotfolderd/storage/storagetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testPace is that of the duty.
const testPace = 200 * time.Millisecond

// house is a cluster: what its nodes share.
type house struct {
	t     testing.TB
	root  string
	store storage.Store
	// nobody: no node has the duty.
	nobody atomic.Bool

	mu   sync.Mutex
	dead map[string]bool // instances that are not live
	n    int
}

func newHouse(t testing.TB) *house {
	return &house{t: t, root: "hotfolderd/" + consultest.Namespace(t) + "/", store: storagetest.NewMem(), dead: map[string]bool{}}
}

func (h *house) live(instance string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.dead[instance]
}

func (h *house) kill(instance string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.dead[instance] = true
}

// member is one node with a log, and what it was told to forget.
type member struct {
	*Log
	h    *house
	stop context.CancelFunc
	ran  chan error

	mu     sync.Mutex
	marks  []uint64
	clears []string
	cached map[uint64]bool
	onMark func(uint64)
}

// add makes a node that does not run yet. Its duty is that of the house unless the options say otherwise.
func (h *house) add(conn *consul.Conn, id string, change ...func(*Options)) *member {
	h.t.Helper()
	h.mu.Lock()
	h.n++
	m := &member{h: h, ran: make(chan error, 1), cached: map[uint64]bool{}}
	o := Options{
		Conn: conn, Root: h.root, Node: id, Instance: fmt.Sprintf("%s.%012d", id, h.n), Store: h.store, Forget: m.forget,
		ForgetAll: m.forgetAll, Live: h.live, Duty: func() bool { return !h.nobody.Load() },
	}
	h.mu.Unlock()
	for _, c := range change {
		c(&o)
	}
	l, err := New(o)
	if err != nil {
		h.t.Fatal(err)
	}
	m.Log, l.finishMost, l.d.pace = l, 500*time.Millisecond, testPace
	return m
}

func (m *member) forget(marks []uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.marks = append(m.marks, marks...)
	for _, x := range marks {
		delete(m.cached, x)
		if m.onMark != nil {
			m.onMark(x)
		}
	}
}

func (m *member) forgetAll(reason string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.clears = append(m.clears, reason)
	clear(m.cached)
}

// cache makes the node know something of a name, which is stale when it is still cached after the next change.
func (m *member) cache(names ...asset.Key) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, n := range names {
		m.cached[n.Mark()] = true
	}
}

func (m *member) caches(n asset.Key) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.cached[n.Mark()]
}

// run starts the node and waits until it knows the others.
func (m *member) run() *member {
	m.h.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	m.stop = stop
	go func() { m.ran <- m.Run(ctx) }()
	m.h.t.Cleanup(func() {
		stop()
		if m.ran != nil {
			<-m.ran
		}
	})
	m.must(m.Recover(m.h.ctx(10 * time.Second)))
	consultest.Eventually(m.h.t, m.o.Instance+" is fresh and in Consul", func() bool {
		if !m.Fresh() {
			return false
		}
		return slices.ContainsFunc(m.Status().Origins, func(o Origin) bool { return o.Own })
	})
	return m
}

// leave ends the node in good order.
func (m *member) leave() {
	m.h.t.Helper()
	m.stop()
	m.must(<-m.ran)
	m.ran = nil
}

func (m *member) must(err error) {
	m.h.t.Helper()
	if err != nil {
		m.h.t.Fatalf("%s: %v", m.o.Instance, err)
	}
}

// ctx ends with the test, or after d.
func (h *house) ctx(d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	h.t.Cleanup(cancel)
	return ctx
}

// write changes a name: the whole walk of one change.
func (m *member) write(name asset.Key) Index {
	m.h.t.Helper()
	end, err := m.Begin(m.h.ctx(20*time.Second), name)
	m.must(err)
	m.must(end(m.h.ctx(20 * time.Second)))
	return m.Last()
}

// heard is what the node was told to forget so far.
func (m *member) heard() (marks []uint64, clears []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.marks), slices.Clone(m.clears)
}

func (m *member) forgot(name asset.Key) bool {
	marks, _ := m.heard()
	return slices.Contains(marks, name.Mark())
}

// clearedFor counts the times that everything was forgotten for a reason that holds this text.
func (m *member) clearedFor(text string) (n int) {
	_, clears := m.heard()
	for _, c := range clears {
		if strings.Contains(c, text) {
			n++
		}
	}
	return n
}

// neverCleared fails when everything was forgotten after the start.
func (m *member) neverCleared() {
	m.h.t.Helper()
	if _, clears := m.heard(); len(clears) != 1 || clears[0] != "the node starts" {
		m.h.t.Errorf("%s forgot everything: %q", m.o.Instance, clears)
	}
}

// log finds a log among those that the node knows.
func (m *member) log(name string) (Origin, bool) {
	for _, o := range m.Status().Origins {
		if o.Log == name {
			return o, true
		}
	}
	return Origin{}, false
}

// meet waits until the node knows the log of another. A log that it does not know yet looks like one that was removed.
func (m *member) meet(of *member) {
	m.h.t.Helper()
	consultest.Eventually(m.h.t, m.o.Instance+" knows "+of.o.Instance, func() bool {
		_, known := m.log(of.o.Instance)
		return known
	})
}

func wantNotNow(t testing.TB, err error) {
	t.Helper()
	if !errors.Is(err, asset.ErrNotNow) {
		t.Errorf("want ErrNotNow, got %v", err)
	}
}

func name(format string, args ...any) asset.Key { return asset.Key(fmt.Sprintf(format, args...)) }

func counted(c prometheus.Counter) float64 { return testutil.ToFloat64(c) }

var listFiles = storage.ListOptions{}

func keep(t *testing.T, conn *consul.Conn, node string) *consul.Keeper {
	t.Helper()
	k, err := consul.Keep(t.Context(), conn, consul.KeepOptions{Namespace: consultest.Namespace(t), Node: node, TTL: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.Close() })
	return k
}

// folder is a real store.
func folder(t *testing.T) storage.Store {
	t.Helper()
	s, err := posix.Open(t.Context(), t.TempDir(), posix.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}
