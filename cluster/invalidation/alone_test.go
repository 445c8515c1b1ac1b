package invalidation

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"hotfolderd/leases/consul/consultest"
)

func TestLog_alone(t *testing.T) {
	h := newHouse(t)
	a := h.add(nil, "a")
	if !a.Fresh() {
		t.Error("a node that is alone is always fresh")
	}
	a.must(a.Recover(h.ctx(time.Second)))
	a.Isolated(true)
	end, err := a.Begin(h.ctx(time.Second), "x")
	a.must(err)
	if a.forgot("x") {
		t.Error("the name is forgotten before the change is made")
	}
	a.must(end(h.ctx(time.Second)))
	a.must(end(h.ctx(time.Second)))
	if i := a.Last(); !a.forgot("x") || i != (Index{a.o.Instance, 1}) {
		t.Errorf("after one change: %v, %v", i, a.marks)
	}
	i, err := a.ClearAll(h.ctx(time.Second))
	if err != nil || i.Seq != 2 || a.clearedFor("asked to") != 1 {
		t.Errorf("got %v, %v, %q", i, err, a.clears)
	}
	if n := counted(a.m.clears); n != 1 {
		t.Errorf("want one clearing counted, got %v", n)
	}
	a.must(a.Wait(h.ctx(time.Second), i))
	a.must(a.Wait(h.ctx(time.Second), Index{"an.earlier.start", 70}))
	if err := a.Wait(h.ctx(time.Second), Index{a.o.Instance, 3}); err == nil {
		t.Error("an index that was never given out is taken")
	}
	if s := a.Status(); s.Last != i || s.Published != 2 || !s.Fresh || s.Lag != 0 || len(s.Origins) != 0 {
		t.Errorf("got %+v", s)
	}
}

func TestLog_aloneRunsUntilItsContextEnds(t *testing.T) {
	h := newHouse(t)
	a := h.add(nil, "a")
	start := time.Now()
	a.must(a.Run(h.ctx(50 * time.Millisecond)))
	if time.Since(start) < 50*time.Millisecond {
		t.Error("Run returned early")
	}
}

func TestNew_refuses(t *testing.T) {
	conn := consultest.Start(t).Dial(t)
	forget, forgetAll := func([]uint64) {}, func(string) {}
	for what, o := range map[string]Options{
		"no instance":       {Conn: conn, Forget: forget, ForgetAll: forgetAll},
		"a slash":           {Conn: conn, Instance: "a/b.x", Forget: forget, ForgetAll: forgetAll},
		"a later log":       {Conn: conn, Instance: "a.x~1", Forget: forget, ForgetAll: forgetAll},
		"nobody to tell":    {Conn: conn, Instance: "a.x"},
		"nobody to tell it": {},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

func TestMetrics_countWhatHappens(t *testing.T) {
	t.Parallel()
	h, conn := newHouse(t), consultest.Start(t).Dial(t)
	reg := prometheus.NewRegistry()
	a := h.add(conn, "a").run()
	b := h.add(conn, "b", func(o *Options) { o.Metrics = reg }).run()
	a.write("x")
	a.must(b.Wait(h.ctx(5*time.Second), b.write("y")))
	a.must(b.Wait(h.ctx(5*time.Second), a.write("z")))
	if p, n := testutil.ToFloat64(b.m.published), testutil.ToFloat64(b.m.applied); p != 1 || n != 2 {
		t.Errorf("published %v, applied %v", p, n)
	}
	if s := b.Status(); s.Published != 1 || s.Applied != 2 {
		t.Errorf("published %d, applied %d", s.Published, s.Applied)
	}
	if n, err := testutil.GatherAndCount(reg); err != nil || n < 6 {
		t.Errorf("%d metrics, %v", n, err)
	}
	o := b.o
	if _, err := New(o); err == nil {
		t.Error("two logs share a registry")
	}
}
