package shares_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/cluster/shares"
	"hotfolderd/leases"
	"hotfolderd/leases/consul"
	"hotfolderd/leases/consul/consultest"
)

// member is a node of a test on real Consul.
type member struct {
	*shares.Shares
	id     string
	conn   *consul.Conn
	keeper *consul.Keeper
	leaser *consul.Leaser
	stop   func() // ends Run, closes the leaser and the session
}

// join starts a node. It ends with the test.
func join(t *testing.T, s *consultest.Server, id string) *member {
	t.Helper()
	m := &member{id: id, conn: s.Dial(t)}
	var err error
	m.keeper, err = consul.Keep(t.Context(), m.conn, consul.KeepOptions{Namespace: consultest.Namespace(t), Node: id, TTL: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	m.leaser = consul.New(m.conn, m.keeper, consul.Options{Root: consul.Root(consultest.Namespace(t)), Epoch: 1})
	m.Shares = shares.New(shares.Options{Self: id, Leaser: m.leaser, Watch: m.leaser.Watch})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	m.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		_ = m.leaser.Close()
		_ = m.keeper.Close()
	})
	t.Cleanup(m.stop)
	return m
}

// equal are nodes of weight 1.
func equal(all ...*member) []shares.Node {
	var nodes []shares.Node
	for _, m := range all {
		nodes = append(nodes, shares.Node{ID: m.id, Weight: 1})
	}
	return nodes
}

func set(nodes []shares.Node, pins map[string]shares.Pin, all ...*member) {
	for _, m := range all {
		m.Set(nodes, pins)
	}
}

// open counts the partitions whose name begins with prefix that are held and not being drained.
func (m *member) open(prefix string) (n int) {
	for _, h := range m.Status() {
		if strings.HasPrefix(h.Name, prefix) && !h.Draining {
			n++
		}
	}
	return n
}

// settles waits until each holds what Assign gives it, all together everything, and returns how long it took.
func settles(t *testing.T, what string, nodes []shares.Node, all ...*member) time.Duration {
	t.Helper()
	begin := time.Now()
	want := map[string]int{}
	for _, owner := range shares.Assign(nodes, shares.DefaultPartitions, "p/") {
		want[owner]++
	}
	consultest.Eventually(t, what, func() bool {
		for _, m := range all {
			if m.open("p/") != want[m.id] || len(m.Status()) != want[m.id] {
				return false
			}
		}
		return true
	})
	return time.Since(begin)
}

func TestConsul_nodesComeAndGoUnderWork(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	a, b := join(t, s, "a"), join(t, s, "b")
	check := newOverlaps()
	set(equal(a, b), nil, a, b)
	t.Logf("two nodes begin: %v", settles(t, "two nodes share all", equal(a, b), a, b))
	check.work(t, a)
	stopB := check.work(t, b)

	c := join(t, s, "c")
	stopC := check.work(t, c)
	set(equal(a, b, c), nil, a, b, c)
	t.Logf("a third joins under work: %v", settles(t, "three nodes share all", equal(a, b, c), a, b, c))

	check.churn(t, a, b, c)

	set(equal(a, c), nil, a, c) // b does not hear of it
	b.stop()
	t.Logf("one leaves under work: %v", settles(t, "the two others share all", equal(a, c), a, c))
	stopB()

	set([]shares.Node{{ID: "a", Weight: 2}, {ID: "c", Weight: 1}}, nil, a, c)
	settles(t, "weights 2:1", []shares.Node{{ID: "a", Weight: 2}, {ID: "c", Weight: 1}}, a, c)
	if n := a.open("p/"); n < 170 || n > 171 {
		t.Errorf("want 2:1, got %d of 256", n)
	}
	check.report(t)

	stopC() // what a dead node still believes for a moment is no part of the promise
	begin := time.Now()
	if err := c.keeper.Close(); err != nil {
		t.Fatal(err)
	}
	set(equal(a), nil, a)
	settles(t, "the last one holds all", equal(a), a)
	took := time.Since(begin)
	t.Logf("a session is destroyed: taken over after %v", took)
	if took > 3*time.Second { // it is a twentieth of that on a machine that is not busy; by the TTL alone, 20 s
		t.Errorf("want a dead node taken over at once, it took %v", took)
	}
	check.report(t)
}

func TestConsul_handOverWaitsForTheWalk(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	a, b := join(t, s, "a"), join(t, s, "b")
	set(equal(a), nil, a)
	settles(t, "a holds all", equal(a), a)
	var leasesOfA []leases.Lease
	var dones []func()
	for i := range 40 {
		l, done := a.Claim("in", asset.Key(fmt.Sprint("file", i)))
		leasesOfA, dones = append(leasesOfA, l), append(dones, done)
	}
	set(equal(b), nil, a, b)
	names := map[string]bool{}
	for _, l := range leasesOfA {
		names[l.Name()] = true
	}
	consultest.Eventually(t, "b gets what is idle", func() bool { return b.open("p/") == 256-len(names) })
	for i := range 40 {
		if leasesOfA[i].Context().Err() != nil || b.Mine("in", asset.Key(fmt.Sprint("file", i))) {
			t.Fatalf("%s was handed over under a walk", leasesOfA[i].Name())
		}
	}
	for _, done := range dones {
		done()
	}
	settles(t, "b gets the rest", equal(b), a, b)
}

func TestConsul_lostSessionIsReplaced(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	a := join(t, s, "a")
	pins := map[string]shares.Pin{"only-a": {RunOn: []string{"a"}}, "only-z": {RunOn: []string{"z"}}}
	set(equal(a), pins, a)
	consultest.Eventually(t, "a holds all", func() bool { return len(a.Status()) == 256+16 })
	before := a.Status()
	begin := time.Now()
	if err := a.conn.DestroySession(t.Context(), a.keeper.Current().ID()); err != nil {
		t.Fatal(err)
	}
	consultest.Eventually(t, "a holds all again, anew", func() bool {
		now := a.Status()
		return len(now) == len(before) && before[0].Token.Less(now[0].Token) && before[271].Token.Less(now[271].Token)
	})
	t.Logf("all taken again %v after the session was destroyed", time.Since(begin))
}

func TestConsul_pins(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	a, b := join(t, s, "a"), join(t, s, "b")
	pins := map[string]shares.Pin{"only-b": {RunOn: []string{"b"}}, "better-a": {Prefer: []string{"a"}}}
	set(equal(a, b), pins, a, b)
	consultest.Eventually(t, "the sets are where they are pinned to", func() bool {
		return b.open("p/only-b/") == 16 && a.open("p/better-a/") == 16 && len(a.Status())+len(b.Status()) == 256+32
	})
	a.stop()
	set(equal(b), pins, b)
	consultest.Eventually(t, "b steps in", func() bool { return len(b.Status()) == 256+32 })
	set(equal(b), nil, b)
	settles(t, "the sets are given up", equal(b), b)
}

// keysIndex is Consul's index at which a key of the namespace was written or removed last.
func keysIndex(t *testing.T, s *consultest.Server) uint64 {
	t.Helper()
	_, meta, err := s.Client(t).KV().Keys(consul.Root(consultest.Namespace(t)), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	return meta.LastIndex
}

// TestConsul_costsFewWrites counts them by Consul's own index, which a few writes of Consul itself move, too.
func TestConsul_costsFewWrites(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	a, b, c := join(t, s, "a"), join(t, s, "b"), join(t, s, "c")
	step := func(what string, most uint64, do func()) {
		t.Helper()
		index := s.RaftIndex(t)
		do()
		n := s.RaftIndex(t) - index
		t.Logf("%s: %d writes", what, n)
		if n > most {
			t.Errorf("%s: want at most %d writes, got %d", what, most, n)
		}
	}
	step("two nodes begin", 20, func() {
		set(equal(a, b), nil, a, b)
		settles(t, "two nodes share all", equal(a, b), a, b)
	})
	step("a third joins", 20, func() {
		set(equal(a, b, c), nil, a, b, c)
		settles(t, "three nodes share all", equal(a, b, c), a, b, c)
	})
	before := keysIndex(t, s)
	step("10,000 claims and five idle seconds", 5, func() {
		for i := range 10_000 {
			for _, m := range []*member{a, b, c} {
				if l, done := m.Claim("in", asset.Key(fmt.Sprint("file", i))); l != nil {
					done()
				}
			}
		}
		wait(t.Context(), 5*time.Second)
	})
	if now := keysIndex(t, s); now != before {
		t.Errorf("a key was written while nothing changed: index %d, then %d", before, now)
	}
	step("one leaves", 20, func() {
		set(equal(a, b), nil, a, b, c)
		settles(t, "two nodes share all", equal(a, b), a, b, c)
	})
}
