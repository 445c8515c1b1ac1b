package cluster

import (
	"net/http"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"hotfolderd/leases/consul/consultest"
)

// soon is in how much time a dead member must be gone, from its death.
const soon = 1200 * time.Millisecond

// three starts three nodes that see each other, and have probed each other.
func (w *world) three(change ...func(*Options)) (a, b, c *node) {
	w.Helper()
	a, b, c = w.start("a", change...), w.start("b", change...), w.start("c", change...)
	w.sees("a b c", a, b, c)
	for _, n := range []*node{a, b, c} {
		w.probed(n, 3)
	}
	return a, b, c
}

// probed waits until a node was probed n times more.
func (w *world) probed(n *node, times int64) {
	w.Helper()
	until := n.livez.asked.Load() + times
	consultest.Eventually(w, "it is probed", func() bool { return n.livez.asked.Load() >= until })
}

func TestObserve_aKilledMemberIsGoneSoon(t *testing.T) {
	t.Parallel()
	w := newWorld(t, longTTL)
	a, b, c := w.three()
	for _, dead := range []struct {
		victim *node
		rest   []*node
		left   string
	}{{b, []*node{a, c}, "a c"}, {c, []*node{a}, "a"}} {
		session := w.sessionOf(dead.victim.o.Self.ID)
		begin := time.Now()
		dead.victim.die()
		w.sees(dead.left, dead.rest...)
		if took := time.Since(begin); took > soon {
			t.Errorf("%s is gone after %v", dead.victim.o.Self.ID, took)
		} else {
			t.Logf("gone after %v", took)
		}
		if s, _, err := w.server.Client(t).Session().Info(session, nil); err != nil || s != nil {
			t.Errorf("want its session destroyed, got %+v, %v", s, err)
		}
	}
	consultest.Eventually(t, "nothing is left of the suspicions", func() bool {
		keys, _, err := w.server.Client(t).KV().Keys("hotfolderd/"+w.namespace+"/suspects/", "", nil)
		return err == nil && len(keys) == 0
	})
}

func TestObserve_aSilentMemberIsGoneAfterTwoSeconds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, longTTL)
	a, b, c := w.three()
	begin := time.Now()
	b.livez.silent.Store(true)
	b.link.Cut()
	w.sees("a c", a, c)
	if took := time.Since(begin); took < DefaultProbeSilence-DefaultProbeInterval || took > 2*DefaultProbeSilence {
		t.Errorf("want %v, it is gone after %v", DefaultProbeSilence, took)
	}
}

func TestObserve_aMemberThatIsRestartedAtItsAddressIsGoneSoon(t *testing.T) {
	t.Parallel()
	w := newWorld(t, longTTL)
	a, b, c := w.three()
	begin := time.Now()
	b.link.Cut()
	b.livez.pose(NewInstance("b"))
	w.sees("a c", a, c)
	if took := time.Since(begin); took > soon {
		t.Errorf("it is gone after %v", took)
	}
}

// blocked fails the probes of one node to one address while it is on.
type blocked struct {
	http.RoundTripper
	address string
	on      atomic.Bool
	failed  atomic.Int64
}

func (b *blocked) RoundTrip(r *http.Request) (*http.Response, error) {
	if b.on.Load() && r.URL.Host == b.address {
		b.failed.Add(1)
		return nil, syscall.ECONNREFUSED
	}
	return b.RoundTripper.RoundTrip(r)
}

// block prepares a fault between two nodes; it must be called before from runs.
func block(from *Cluster, to *node) *blocked {
	b := &blocked{RoundTripper: from.prober.client.Transport, address: to.livez.addr()}
	from.prober.client.Transport = b
	return b
}

func TestObserve_oneObserverCannotKillWhenTwoAreNeeded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, longTTL)
	b, c := w.start("b"), w.start("c")
	a, o := w.prepare("a")
	cl, err := Join(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	fault := block(cl, c)
	a.run(cl)
	w.sees("a b c", a, b, c)
	session := w.sessionOf("c")
	fault.on.Store(true)
	suspected := func(v View) bool {
		return len(v.Suspects) == 1 && v.Suspects[0] == Suspect{"c", c.livez.instance, "a", session}
	}
	w.until(b, "a suspects c", suspected)
	failed := fault.failed.Load()
	consultest.Eventually(t, "a has probed c often", func() bool { return fault.failed.Load() > failed+8 })
	if got := w.sessionOf("c"); got != session || !suspected(a.View()) {
		t.Fatalf("want c untouched and suspected, got session %q instead of %q, and %+v", got, session, a.View())
	}
	fault.on.Store(false)
	w.until(b, "a has withdrawn it", func(v View) bool { return len(v.Suspects) == 0 })
	w.sees("a b c", a, b, c)
}

// TestObserve_membersBehindAFirewallLoseTheirSessionAtMostOnce: both live and reach Consul, but not each other.
func TestObserve_membersBehindAFirewallLoseTheirSessionAtMostOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, longTTL)
	quick := func(o *Options) { o.Probe = ProbeOptions{Interval: 20 * time.Millisecond} }
	faults := [2]*blocked{}
	nodes := [2]*node{}
	for i, id := range []string{"a", "b"} {
		n, o := w.prepare(id, quick)
		cl, err := Join(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		nodes[i], n.Cluster = n, cl
	}
	for i, n := range nodes {
		faults[i] = block(n.Cluster, nodes[1-i])
		n.run(n.Cluster)
	}
	w.sees("a b", nodes[0], nodes[1])
	first := [2]string{w.sessionOf("a"), w.sessionOf("b")}
	faults[0].on.Store(true)
	faults[1].on.Store(true)
	consultest.Eventually(t, "one has lost its session and is back", func() bool {
		a, b := w.sessionOf("a"), w.sessionOf("b")
		return a != "" && b != "" && (a != first[0] || b != first[1])
	})
	for i := range faults { // whatever is still under way ends meanwhile
		failed := faults[i].failed.Load()
		consultest.Eventually(t, "many probes have failed", func() bool { return faults[i].failed.Load() > failed+50 })
	}
	w.sees("a b", nodes[0], nodes[1])
	second := [2]string{w.sessionOf("a"), w.sessionOf("b")}
	for i := range faults {
		failed := faults[i].failed.Load()
		consultest.Eventually(t, "many more probes have failed", func() bool { return faults[i].failed.Load() > failed+100 })
	}
	if got := [2]string{w.sessionOf("a"), w.sessionOf("b")}; got != second || got[0] == "" || got[1] == "" {
		t.Fatalf("want the sessions %v to stay, got %v", second, got)
	}
}

func TestObserve_aMemberWithoutAnAddressIsNeverSuspected(t *testing.T) {
	t.Parallel()
	w := newWorld(t, longTTL)
	a := w.start("a", func(o *Options) { o.Self.Address = "" })
	b, c := w.start("b"), w.start("c")
	w.sees("a b c", a, b, c)
	a.livez.close()
	w.probed(b, 12)
	w.probed(c, 12)
	if v := b.View(); len(v.Suspects) > 0 || ids(v) != "a b c" {
		t.Fatalf("want all three and no suspect, got %+v", v)
	}
}

// TestObserve_aMemberThatTellsOurAddressIsNotDead: two machines that both say 127.0.0.1 of themselves.
func TestObserve_aMemberThatTellsOurAddressIsNotDead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, longTTL)
	a := w.start("a")
	b := w.start("b", func(o *Options) { o.Self.Address = a.livez.addr() })
	w.sees("a b", a, b)
	session := w.sessionOf("b")
	w.probed(a, 16) // eight by each
	if v := b.View(); len(v.Suspects) > 0 || ids(v) != "a b" || w.sessionOf("b") != session {
		t.Fatalf("want both, no suspect and session %s, got %+v, %s", session, v, w.sessionOf("b"))
	}
}

func TestRun_aMemberWhoseSessionIsDestroyedComesBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, longTTL)
	a, b, c := w.three()
	session := w.sessionOf("b")
	if err := a.conn.DestroySession(t.Context(), session); err != nil {
		t.Fatal(err)
	}
	consultest.Eventually(t, "b has another session", func() bool { s := w.sessionOf("b"); return s != "" && s != session })
	w.sees("a b c", a, b, c)
	if !a.Live(b.livez.instance) {
		t.Fatal("it is the same instance")
	}
}

func TestRun_anEntryThatSomebodyDeletedIsWrittenAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, longTTL)
	a, b := w.start("a"), w.start("b")
	w.sees("a b", a, b)
	if err := a.conn.Delete(t.Context(), b.memberKey()); err != nil {
		t.Fatal(err)
	}
	w.sees("a", a)
	w.sees("a b", a, b)
}

func TestView_withoutConsulContactEnds(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ ttl, deadline time.Duration }{
		"by the silence of the watch": {longTTL, contactFor},
		"by the end of the session":   {shortTTL, shortTTL},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, row.ttl)
			a, b := w.start("a"), w.start("b", func(o *Options) { o.Self.Priority = 100 })
			w.sees("a b", a, b)
			if !b.Duty() || a.Duty() {
				t.Errorf("want b to have the duty")
			}
			begin := time.Now()
			b.link.Cut()
			w.until(b, "contact is lost", func(v View) bool { return !v.Contact })
			if took := time.Since(begin); took > row.deadline+time.Second {
				t.Errorf("want %v, it took %v", row.deadline, took)
			}
			if ok, why := b.View().Writable(); ok || why == "" || b.Duty() {
				t.Errorf("want it read-only with a reason and no duty, got %v, %q, %v", ok, why, b.Duty())
			}
			if row.ttl == shortTTL {
				w.sees("a", a)
			}
			b.link.Mend()
			w.sees("a b", a, b)
		})
	}
}

// TestSay_withoutContactNobodyIsSuspected: all its probes fail because it is cut off itself.
func TestSay_withoutContactNobodyIsSuspected(t *testing.T) {
	t.Parallel()
	w := newWorld(t, longTTL)
	a, b := w.start("a"), w.start("b")
	w.sees("a b", a, b)
	s := suspicion{o: ProbeOptions{}.withDefaults()}
	for range 5 {
		s.note(gone, time.Now())
	}
	e := a.entriesNow()[1]
	a.link.Cut()
	w.until(a, "contact is lost", func(v View) bool { return !v.Contact })
	if said := a.say(t.Context(), e, &s, ""); said != "" || s.misses != 0 {
		t.Fatalf("want nothing said and the misses forgotten, got %q, %+v", said, s)
	}
}
