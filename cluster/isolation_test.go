package cluster

import (
	"strings"
	"testing"
)

// TestIsolation_table: three nodes, of which a has priority 100, and what each may do in each misfortune.
func TestIsolation_table(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, isolation string
		misfortune      func(a, b, c *node)
		want            map[string]bool
		back            func(a, b, c *node)
	}{
		{"the main node is lost", Static, func(a, _, _ *node) { a.die() }, map[string]bool{"b": false, "c": false}, nil},
		{"the main node is lost", Dynamic, func(a, _, _ *node) { a.die() }, map[string]bool{"b": true, "c": true}, nil},
		{"the main node is lost", Majority, func(a, _, _ *node) { a.die() }, map[string]bool{"b": true, "c": true}, nil},
		{
			"another is isolated", Static, func(_, _, c *node) { c.link.Cut() },
			map[string]bool{"a": true, "b": true, "c": false},
			func(_, _, c *node) { c.link.Mend() },
		},
		{
			"another is isolated", Dynamic, func(_, _, c *node) { c.link.Cut() },
			map[string]bool{"a": true, "b": true, "c": false},
			func(_, _, c *node) { c.link.Mend() },
		},
		{
			"the main node is isolated", Static, func(a, _, _ *node) { a.link.Cut() },
			map[string]bool{"a": true, "b": false, "c": false},
			func(a, _, _ *node) { a.link.Mend() },
		},
		{
			"the main node is isolated", Dynamic, func(a, _, _ *node) { a.link.Cut() },
			map[string]bool{"a": false, "b": true, "c": true},
			func(a, _, _ *node) { a.link.Mend() },
		},
	} {
		t.Run(row.name+", "+row.isolation, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, shortTTL)
			nodes := map[string]*node{}
			for id, priority := range map[string]int{"a": 100, "b": 50, "c": 50} {
				nodes[id] = w.start(id, isolated(row.isolation, priority))
			}
			a, b, c := nodes["a"], nodes["b"], nodes["c"]
			w.sees("a b c", a, b, c)
			w.writable(nodes, map[string]bool{"a": true, "b": true, "c": true})
			row.misfortune(a, b, c)
			for id, n := range nodes { // the others see it go, and the one that is cut off knows
				if _, here := row.want[id]; here {
					w.until(n, "it knows", func(v View) bool { return !v.Contact || len(v.Members) == 2 })
				}
			}
			w.writable(nodes, row.want)
			if want, got := row.isolation == Static && row.want["a"] && !a.View().Contact, a.View().IsolatedMain; row.back != nil && want != got {
				t.Errorf("want IsolatedMain %v, got %v", want, got)
			}
			if row.back == nil {
				nodes["a"] = w.start("a", isolated(row.isolation, 100))
			} else {
				row.back(a, b, c)
			}
			w.writable(nodes, map[string]bool{"a": true, "b": true, "c": true})
			w.sees("a b c", nodes["a"], b, c)
		})
	}
}

func isolated(isolation string, priority int) func(*Options) {
	return func(o *Options) { o.Isolation, o.Self.Priority = isolation, priority }
}

// writable waits until each node may or may not write, with a reason.
func (w *world) writable(nodes map[string]*node, want map[string]bool) {
	w.Helper()
	for id, ok := range want {
		w.until(nodes[id], map[bool]string{true: "it is read-write", false: "it is read-only"}[ok], func(v View) bool {
			got, why := v.Writable()
			return got == ok && (why == "") == ok
		})
	}
}

func TestForget_givesTheDutyToTheNext(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shortTTL)
	nodes := map[string]*node{"a": w.start("a", isolated(Static, 100)), "b": w.start("b", isolated(Static, 50)), "c": w.start("c", isolated(Static, 60))}
	a, b := nodes["a"], nodes["b"]
	w.sees("a b c", a, b)
	for id, want := range map[string]string{"a": "live", "b": "live", "z": "main node is \"a\""} {
		if err := b.Forget(t.Context(), id); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("forget %s: want an error with %q, got %v", id, want, err)
		}
	}
	a.die()
	w.writable(nodes, map[string]bool{"b": false, "c": false})
	if err := b.Forget(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	w.writable(nodes, map[string]bool{"b": true, "c": true})
	if v := b.View(); v.Main != "c" {
		t.Errorf("want c as the main node, got %q", v.Main)
	}
	w.start("a", isolated(Static, 100))
	w.until(b, "a has its duty again", func(v View) bool { return v.Main == "a" })
}

func TestForget_onlyWithIsolationStatic(t *testing.T) {
	t.Parallel()
	w := newWorld(t, longTTL)
	a := w.start("a")
	if err := a.Forget(t.Context(), "b"); err == nil || !strings.Contains(err.Error(), "isolation: majority") {
		t.Errorf("want an error that says so, got %v", err)
	}
}

func TestMain_aHigherOneTakesTheDuty(t *testing.T) {
	t.Parallel()
	w := newWorld(t, longTTL)
	c := w.start("c", isolated(Static, 10))
	for _, row := range []struct {
		id       string
		priority int
		want     string
	}{{"d", 10, "c"}, {"b", 10, "b"}, {"e", 20, "e"}} {
		w.start(row.id, isolated(Static, row.priority))
		w.until(c, row.want+" is main", func(v View) bool { _, there := v.Member(row.id); return there && v.Main == row.want })
	}
	c.Update(func(m *Member) { m.Priority = 30 })
	w.until(c, "c has a higher priority now", func(v View) bool { return v.Main == "c" })
	c.Update(func(m *Member) { m.Priority = 1 })
	w.until(c, "e goes first again", func(v View) bool { return v.Main == "e" })
}

func TestImporting_waitsForEnoughNodes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, longTTL)
	wait := func(o *Options) { o.WaitFor = 2 }
	a := w.start("a", wait)
	web := w.start("web", wait, func(o *Options) { o.Self.Roles = []string{"web"} })
	w.sees("a web", a, web)
	if ok, why := a.View().Importing(); ok || !strings.Contains(why, "1 of the 2") {
		t.Fatalf("want it to wait and to say for how many, got %v, %q", ok, why)
	}
	b := w.start("b")
	w.until(a, "two are there", func(v View) bool { ok, _ := v.Importing(); return ok })
	b.leave()
	w.sees("a web", a)
	if ok, why := a.View().Importing(); !ok {
		t.Fatalf("once reached it stays reached, got %q", why)
	}
	c := w.start("c", wait)
	if ok, _ := c.View().Importing(); !ok {
		t.Fatal("want two to be enough for c at once")
	}
}

// A node that leaves in order is not lost: the next one has its duty before it is gone, and the last one leaves it to whoever
// comes.
func TestMain_handsItsDutyOverWhenItLeaves(t *testing.T) {
	t.Parallel()
	w := newWorld(t, longTTL)
	a, b, c := w.start("a", isolated(Static, 100)), w.start("b", isolated(Static, 50)), w.start("c", isolated(Static, 60))
	w.sees("a b c", a, b, c)
	a.Update(func(m *Member) { m.State = Draining })
	w.until(b, "c is main while a drains", func(v View) bool { _, there := v.Member("a"); return there && v.Main == "c" })
	if ok, why := b.View().Writable(); !ok {
		t.Errorf("b may not write while a drains: %s", why)
	}
	a.leave()
	w.sees("b c", b, c)
	c.leave() // without a word before
	w.sees("b", b)
	w.until(b, "b is main", func(v View) bool { ok, _ := v.Writable(); return ok && v.Main == "b" })
	b.leave()
	d := w.start("d", isolated(Static, 1))
	w.until(d, "d need not wait for one that left", func(v View) bool { ok, _ := v.Writable(); return ok && v.Main == "d" })
	w.start("a", isolated(Static, 100))
	w.until(d, "a has its duty again", func(v View) bool { return v.Main == "a" })
}

// Two that leave side by side do not hand it to each other.
func TestMain_isHandedToNobodyWhoLeavesToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, longTTL)
	a, b, c := w.start("a", isolated(Static, 100)), w.start("b", isolated(Static, 90)), w.start("c", isolated(Static, 10))
	w.sees("a b c", a, b, c)
	for _, n := range []*node{b, a} {
		n.Update(func(m *Member) { m.State = Draining })
	}
	w.until(c, "c is main", func(v View) bool { return v.Main == "c" })
}
