package cluster_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"hotfolderd/leases/consul/consultest"
)

// TestIsolation_table holds the states of three nodes, of which a is the main one, against the documented table.
func TestIsolation_table(t *testing.T) {
	t.Parallel()
	tables := map[string]struct{ bIsolated, aIsolated, aKilled string }{
		"static":   {"a:rw b:ro c:rw", "a:rw b:ro c:ro", "b:ro c:ro"},
		"dynamic":  {"a:rw b:ro c:rw", "a:ro b:rw c:rw", "b:rw c:rw"},
		"majority": {"a:rw b:ro c:rw", "a:ro b:rw c:rw", "b:rw c:rw"},
	}
	for isolation, want := range tables {
		t.Run(isolation, func(t *testing.T) {
			t.Parallel()
			w, links := isolated(t, consultest.Start(t), isolation)
			a, b, c := w.nodes[0], w.nodes[1], w.nodes[2]
			d, stop := w.drops(), make(chan struct{})
			ended := d.stream(20, stop)

			links["b"].Cut()
			w.awaitStates(want.bIsolated, a, b, c)
			links["b"].Mend()
			w.awaitWhole(a, b, c)

			links["a"].Cut()
			w.awaitStates(want.aIsolated, a, b, c)
			d.awaitDrop()
			links["a"].Mend()
			w.awaitWhole(a, b, c)

			a.kill()
			w.awaitStates(want.aKilled, b, c)
			if isolation != "static" {
				d.awaitDrop()
			}
			a.start()
			w.awaitWhole(a, b, c)
			w.awaitStates("a:rw b:rw c:rw", a, b, c)
			close(stop)
			<-ended
			d.awaitTaken(awaitDrops)
			d.audit(t)
		})
	}
}

// What the main node writes while it is cut off reaches the others' caches when it is back, also when it dies before.
func TestIsolation_writesOfTheMainNodeAreToldLater(t *testing.T) {
	t.Parallel()
	for name, dies := range map[string]bool{"comes back": false, "dies": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, links := isolated(t, consultest.Start(t), "static")
			a, b, c := w.nodes[0], w.nodes[1], w.nodes[2]
			for _, p := range w.nodes {
				a.put("told.txt", "before "+p.id)
			}
			index := a.put("told.txt", "before").index
			for _, p := range w.nodes {
				p.fetch("told.txt", index) // it is cached now
			}
			links["a"].Cut()
			w.awaitStates("a:rw b:ro c:ro", a, b, c)
			if index := a.put("told.txt", "while cut off").index; index != "" {
				t.Errorf("want no index, since none covers this write, got %s", index)
			}
			if dies {
				a.kill()
			}
			links["a"].Mend()
			if dies {
				a.start()
			}
			w.awaitWhole(a, b, c)
			for _, p := range w.nodes {
				within(t, 10*time.Second, p.id+" knows of it", func() bool { return p.fetch("told.txt", "").body == "while cut off" }, w)
			}
		})
	}
}

// A main node that is drained or stopped hands its duty over: nobody is read-only for it, at any moment.
func TestIsolation_aMainNodeThatLeavesInOrder(t *testing.T) {
	t.Parallel()
	w, _ := isolated(t, consultest.Start(t), "static")
	a, b, c := w.nodes[0], w.nodes[1], w.nodes[2]
	d, stop := w.drops(), make(chan struct{})
	ended, refusals := d.stream(20, stop), c.watchAccess(stop)
	a.mustRun("drain")
	if err := a.wait(); err != nil {
		t.Errorf("a: want an orderly end, got %v", err)
	}
	w.awaitWhole(b, c)
	if main := c.view().Main; main != "b" {
		t.Errorf("want b as the main node, got %q", main)
	}
	b.stop() // by SIGTERM
	w.awaitWhole(c)
	d.awaitDrop()
	a.start()
	w.awaitWhole(a, c)
	within(t, 10*time.Second, "a is the main node again", func() bool { return c.view().Main == "a" }, w)
	close(stop)
	<-ended
	if got := refusals(); got != "" {
		t.Errorf("c was not read-write all the time: %s", got)
	}
	d.awaitGone(awaitDrops)
	d.audit(t)
	c.stop()
	a.stop()
	b.start() // the last one that left is not waited for
	w.awaitStates("b:rw", b)
}

// watchAccess looks at the node all the time until stop; the function gives what it was when it was not read-write.
func (p *process) watchAccess(stop <-chan struct{}) (refusals func() string) {
	var wrong []string
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for tick := time.NewTicker(10 * time.Millisecond); ; {
			select {
			case <-stop:
				tick.Stop()
				return
			case <-tick.C:
				if access := p.access(); access != "rw" {
					wrong = append(wrong, time.Now().Format("05.000 ")+access)
				}
			}
		}
	}()
	return func() string { <-ended; return strings.Join(wrong, ", ") }
}

// The manual says how to give the duty to another.
func TestIsolation_aMainNodeThatWillNotComeBack(t *testing.T) {
	t.Parallel()
	server := consultest.Start(t)
	w, _ := isolated(t, server, "static")
	a, b, c := w.nodes[0], w.nodes[1], w.nodes[2]
	a.kill()
	w.awaitStates("b:ro c:ro", b, c)
	if out, err := b.hotfolderd("cluster", "forget", "z"); err == nil || !has(out, "409", `"a"`) {
		t.Errorf("forget a node that is not the main one: %v\n%s", err, out)
	}
	b.mustRun("cluster", "forget", "a")
	w.awaitStates("b:rw c:rw", b, c)
	if main := c.view().Main; main != "b" {
		t.Errorf("want b as the main node, got %q", main)
	}
	a.start()
	w.awaitWhole(a, b, c)
	within(t, 10*time.Second, "a is the main node again", func() bool { return c.view().Main == "a" }, w)
}

// isolated starts three nodes, each with a link of its own to Consul; a is the main one.
func isolated(t *testing.T, server *consultest.Server, isolation string) (*world, map[string]*consultest.Link) {
	t.Helper()
	w := newWorld(t, nil, 0)
	links := map[string]*consultest.Link{}
	for _, id := range []string{"a", "b", "c"} {
		links[id] = consultest.NewLink(t, server)
		w.consul = []string{links[id].Addr}
		priority := ", priority: 50"
		if id == "a" {
			priority = ", priority: 100"
		}
		w.add(id, priority, shortTTL, "  isolation: "+isolation+"\n")
	}
	w.begin()
	w.awaitWhole(w.nodes...)
	for _, p := range w.nodes {
		if v := p.view(); v.Main != "a" {
			t.Errorf("%s: want a as the main node, got %q", p.id, v.Main)
		}
	}
	return w, links
}

// awaitStates waits until each node is read-write or read-only as is wanted, by what it says and by what it does with a write.
func (w *world) awaitStates(want string, nodes ...*process) {
	w.t.Helper()
	var got string
	defer func() {
		if w.t.Failed() {
			w.t.Logf("the states are %s", got)
		}
	}()
	within(w.t, awaitDrops, "the states "+want, func() bool {
		var all []string
		for _, p := range nodes {
			all = append(all, p.id+":"+p.access())
		}
		got = strings.Join(all, " ")
		return got == want
	}, w)
}

// access is rw, ro or, when what the node says is not what it does, both.
func (p *process) access() string {
	r, err := p.do(http.MethodPut, "/v1/assets/writes/"+p.id, "", "x")
	switch said := p.state(); {
	case err == nil && r.status == http.StatusCreated && said == "active":
		return "rw"
	case err == nil && r.status == http.StatusServiceUnavailable && said == "read-only":
		return "ro"
	default:
		return fmt.Sprintf("%d although %s", r.status, said)
	}
}

// awaitDrop waits until a new drop is imported.
func (d *drops) awaitDrop() {
	d.w.t.Helper()
	name := d.drop()
	within(d.w.t, awaitDrops, "a drop is imported", func() bool { return d.gone(name) }, d.w)
}
