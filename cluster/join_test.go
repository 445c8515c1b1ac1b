package cluster

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"hotfolderd/leases/consul/consultest"
)

func TestJoin_membersSeeEachOtherComeAndGo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, longTTL)
	a := w.start("a")
	w.sees("a", a)
	b, c := w.start("b"), w.start("c")
	w.sees("a b c", a, b, c)
	if m, ok := a.View().Member("b"); !ok || m.Address != b.livez.addr() || m.Instance != b.livez.instance || m.Share != 1 {
		t.Fatalf("want b as it is, got %+v", m)
	}
	if !a.Live(c.livez.instance) || a.Live("c.another") {
		t.Fatal("Live is wrong")
	}
	instance := c.livez.instance
	c.leave()
	w.sees("a b", a, b)
	if a.Live(instance) {
		t.Fatal("c has left and is live")
	}
	if s := w.sessionOf("c"); s != "" {
		t.Fatalf("c has left and session %s holds its entry", s)
	}
}

func TestJoin_everyOrderOfStartAndStopGivesTheSameView(t *testing.T) {
	t.Parallel()
	server := consultest.Start(t)
	priorities := map[string]int{"a": 50, "b": 100, "c": 50}
	for _, order := range permutations([]string{"a", "b", "c"}) {
		t.Run(strings.Join(order, ""), func(t *testing.T) {
			w := &world{TB: t, server: server, namespace: consultest.Namespace(t), ttl: longTTL}
			nodes := map[string]*node{}
			for _, id := range order {
				nodes[id] = w.start(id, func(o *Options) { o.Self.Priority, o.Isolation = priorities[id], Static })
			}
			for _, n := range nodes {
				w.until(n, "all are there and b is main", func(v View) bool { return ids(v) == "a b c" && v.Main == "b" && v.Duty == "b" })
			}
			for _, id := range order[:2] {
				nodes[id].leave()
			}
			last := order[2]
			w.until(nodes[last], "it is alone and main", func(v View) bool { return ids(v) == last && v.Main == last && v.Duty == last })
		})
	}
}

func TestJoin_aLiveNodeOfTheSameIDIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, longTTL)
	a := w.start("a")
	_, o := w.prepare("a")
	_, err := Join(t.Context(), o)
	wantDuplicate(t, err, a.livez.addr())
	w.sees("a", a)
	if !a.Live(a.livez.instance) {
		t.Fatal("the first one was driven away")
	}
}

func TestJoin_aDeadStartOfTheSameIDIsReplacedAtOnce(t *testing.T) {
	t.Parallel()
	for name, another := range map[string]bool{"refused": false, "another instance listens there": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, longTTL)
			old := w.start("a")
			session := w.sessionOf("a")
			old.link.Cut()
			if another {
				old.livez.pose("a.another")
			} else {
				old.livez.close()
			}
			begin := time.Now()
			fresh := w.start("a")
			if took := time.Since(begin); took > 2*time.Second {
				t.Errorf("it took %v", took)
			}
			w.sees("a", fresh)
			if s, _, err := w.server.Client(t).Session().Info(session, nil); err != nil || s != nil {
				t.Fatalf("want the old session destroyed, got %+v, %v", s, err)
			}
		})
	}
}

func TestJoin_aSilentStartOfTheSameIDIsWaitedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shortTTL)
	old := w.start("a")
	old.livez.silent.Store(true)
	old.link.Cut() // its session ends after 2 s
	fresh := w.start("a")
	w.sees("a", fresh)
}

func TestJoin_aSilentOneThatKeepsItsSessionIsADuplicate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, firmTTL)
	old := w.start("a")
	old.livez.silent.Store(true)
	_, o := w.prepare("a")
	begin := time.Now()
	_, err := Join(t.Context(), o)
	wantDuplicate(t, err, old.livez.addr())
	if took, want := time.Since(begin), 2*firmTTL+slack; took < want || took > want+2*time.Second {
		t.Errorf("want it to take %v, it took %v", want, took)
	}
}

func TestJoin_ofManyAtTheSameMomentOneWins(t *testing.T) {
	t.Parallel()
	w := newWorld(t, longTTL)
	dead := w.start("a")
	dead.die()
	const n = 6
	var nodes [n]*node
	var options [n]Options
	for i := range n {
		nodes[i], options[i] = w.prepare("a")
	}
	var clusters [n]*Cluster
	var errs [n]error
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { clusters[i], errs[i] = Join(t.Context(), options[i]) })
	}
	wg.Wait()
	var winner *node
	for i := range n {
		if errs[i] == nil && winner != nil {
			t.Fatal("two have won")
		} else if errs[i] == nil {
			winner = nodes[i]
			winner.run(clusters[i])
		}
	}
	if winner == nil {
		t.Fatal("nobody has won:", errs)
	}
	for i := range n {
		if nodes[i] != winner {
			wantDuplicate(t, errs[i], winner.livez.addr())
		}
	}
	if !winner.Live(winner.livez.instance) {
		t.Fatal("the winner is no member")
	}
}

func TestRun_endsWhenTheIDWasTakenMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shortTTL)
	old := w.start("a")
	old.link.Cut()
	w.until(old, "contact is lost", func(v View) bool { return !v.Contact })
	old.livez.close()
	fresh := w.start("a")
	old.link.Mend()
	err := <-old.done
	old.done <- nil
	wantDuplicate(t, err, fresh.livez.addr())
	w.sees("a", fresh)
}

// TestRun_aSecondOneAtOurAddressKeepsTheID: another machine has the same id and tells the same address, by wrong settings. The
// two must not take the id from each other for ever.
func TestRun_aSecondOneAtOurAddressKeepsTheID(t *testing.T) {
	t.Parallel()
	w := newWorld(t, firmTTL)
	old := w.start("a")
	old.link.Cut()
	consultest.Eventually(t, "the session of the first has ended", func() bool { return w.sessionOf("a") == "" })
	fresh := w.start("a", func(o *Options) { o.Self.Address = old.livez.addr() })
	session := w.sessionOf("a")
	old.link.Mend()
	err := <-old.done
	old.done <- nil
	wantDuplicate(t, err, old.livez.addr())
	if now := w.sessionOf("a"); now != session || !fresh.View().Contact {
		t.Fatalf("want the second untouched, its session %s is %s now", session, now)
	}
}

func TestJoin_anotherStoreIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, longTTL)
	a := w.start("a")
	_, o := w.prepare("b", func(o *Options) { o.Self.Store = "store-2" })
	_, err := Join(t.Context(), o)
	if !errors.Is(err, ErrStore) || !strings.Contains(err.Error(), "store-1") || !strings.Contains(err.Error(), "store-2") {
		t.Fatalf("want ErrStore that names both, got %v", err)
	}
	w.sees("a", a)
}

func TestJoin_refusesImpossibleOptions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, longTTL)
	for name, change := range map[string]func(*Options){
		"no store": func(o *Options) { o.Self.Store = "" }, "no id": func(o *Options) { o.Self.ID = "" },
		"no connection": func(o *Options) { o.Conn = nil }, "isolation": func(o *Options) { o.Isolation = "maybe" },
	} {
		_, o := w.prepare("a", change)
		if c, err := Join(t.Context(), o); err == nil {
			t.Errorf("%s: want an error, got %v", name, c)
		}
	}
}

func TestLeave_twiceAndBeforeRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t, longTTL)
	_, o := w.prepare("a")
	c, err := Join(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := c.Leave(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error)
	go func() { done <- c.Run(ctx) }()
	c.Update(func(m *Member) { m.State = Draining })
	consultest.Eventually(t, "the watch has answered", func() bool { return len(c.View().Members) == 0 })
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if s := w.sessionOf("a"); s != "" {
		t.Fatal("the entry came back after Leave")
	}
}
