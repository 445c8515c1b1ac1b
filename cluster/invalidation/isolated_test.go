package invalidation

import (
	"errors"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/leases/consul/consultest"
	"hotfolderd/storage/storagetest"
)

func TestIsolated_keepsAndTellsLater(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	link := consultest.NewLink(t, s)
	h := newHouse(t)
	a, b := h.add(link.Dial(t), "a").run(), h.add(s.Dial(t), "b").run()
	endBefore, err := a.Begin(h.ctx(time.Second), "before")
	a.must(err)
	link.Cut()
	waiting := make(chan error, 1)
	go func() {
		end, err := a.Begin(h.ctx(20*time.Second), "waiting")
		if err == nil {
			err = end(h.ctx(20 * time.Second))
		}
		waiting <- err
	}()
	consultest.Eventually(t, "a change waits for Consul", func() bool { return a.Status().Open == 2 })
	b.cache("before", "waiting", "n/0", "n/999", "over")
	a.cache("n/999")
	a.Isolated(true)
	a.must(<-waiting)
	a.must(endBefore(h.ctx(time.Second)))
	start := time.Now()
	for i := range 1000 {
		a.write(name("n/%d", i))
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("1,000 changes took %v", took)
	}
	if a.caches("n/999") || a.Status().Waiting == 0 || !a.Status().Isolated {
		t.Errorf("a: %+v", a.Status())
	}
	over, err := a.Begin(h.ctx(time.Second), "over")
	a.must(err)
	link.Mend()
	a.Isolated(false)
	end, err := a.Begin(h.ctx(20*time.Second), "after")
	a.must(err)
	b.must(b.Recover(h.ctx(5 * time.Second)))
	for _, key := range []asset.Key{"before", "waiting", "n/0", "n/999"} {
		if b.caches(key) {
			t.Errorf("b still caches %s when a writes as ever", key)
		}
	}
	if o, _ := b.log(a.o.Instance); o.Open != 2 {
		t.Errorf("the change that is still open, and the new one: %+v", o)
	}
	a.must(end(h.ctx(5 * time.Second)))
	a.must(over(h.ctx(5 * time.Second)))
	b.must(b.Wait(h.ctx(5*time.Second), a.Last()))
	if b.caches("over") {
		t.Error("b still caches what was changed when a came back")
	}
	b.neverCleared()
	consultest.Eventually(t, "the note is gone", func() bool { return len(stored(t, h)) <= 4 && !noted(t, a) })
}

func noted(t *testing.T, m *member) bool {
	t.Helper()
	ok, err := m.d.noted(m.h.ctx(time.Second), m.o.Instance)
	if err != nil {
		t.Fatal(err)
	}
	return ok
}

func TestIsolated_tooManyBecomeOne(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	link := consultest.NewLink(t, s)
	h := newHouse(t)
	a, b := h.add(link.Dial(t), "a").run(), h.add(s.Dial(t), "b").run()
	link.Cut()
	a.Isolated(true)
	for i := range maxKept + 1000 {
		end, err := a.Begin(t.Context(), name("n/%d", i))
		a.must(err)
		a.must(end(t.Context()))
	}
	if w := a.Status().Waiting; w > 1001 {
		t.Errorf("%d events wait", w)
	}
	link.Mend()
	a.Isolated(false)
	a.write("last")
	b.must(b.Wait(h.ctx(5*time.Second), a.Last()))
	if b.clearedFor("asked to, by") != 1 || !b.forgot("last") && b.clearedFor("") == 0 {
		t.Errorf("b: %q", b.clears)
	}
}

func TestIsolated_aNodeThatDiesThenMakesAllForgetEverything(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	link := consultest.NewLink(t, s)
	h := newHouse(t)
	a := h.add(link.Dial(t), "a").run()
	b := h.add(s.Dial(t), "b").run()
	c := h.add(s.Dial(t), "c", func(o *Options) { o.Duty = nil }).run()
	link.Cut()
	a.Isolated(true)
	c.cache("x")
	a.write("x") // nobody hears of it
	h.kill(a.o.Instance)
	consultest.Eventually(t, "c forgets x", func() bool { return !c.caches("x") })
	if c.clearedFor("asked to, by") != 1 || b.clearedFor("was isolated") != 1 {
		t.Errorf("b: %q, c: %q", b.clears, c.clears)
	}
	if !noted(t, a) {
		t.Error("the note is gone, but its writer may still live")
	}
}

func TestIsolated_aNoteIsSweptWhenItGrowsOld(t *testing.T) {
	t.Parallel()
	h, conn := newHouse(t), consultest.Start(t).Dial(t)
	ghost := h.add(conn, "ghost")
	h.kill(ghost.o.Instance)
	a := h.add(conn, "a")
	a.d.pace, a.d.sweepPace = 50*time.Millisecond, 300*time.Millisecond
	a.run()
	for begin := time.Now(); time.Since(begin) < time.Second; <-h.ctx(50 * time.Millisecond).Done() {
		ghost.note.left = time.Time{}
		ghost.must(ghost.leaveNote(h.ctx(time.Second))) // it writes, and nobody hears it
	}
	a.neverCleared()
	if !noted(t, ghost) {
		t.Error("the note of a writer that goes on was swept")
	}
	consultest.Eventually(t, "the note is swept", func() bool { return !noted(t, ghost) })
	if a.clearedFor("was isolated") != 1 {
		t.Errorf("a: %q", a.clears)
	}
}

func TestIsolated_theNoteStaysUntilAllIsTold(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	link := consultest.NewLink(t, s)
	h := newHouse(t)
	a := h.add(link.Dial(t), "a").run()
	remove := func(want bool) {
		t.Helper()
		a.removeNote(h.ctx(time.Second))
		if left := noted(t, a); left != want {
			t.Errorf("the note is there: %v", left)
		}
	}
	a.Isolated(true)
	a.write("x")
	remove(true) // isolated
	link.Cut()
	a.write("y")
	a.Isolated(false)
	remove(true) // y is not told
	link.Mend()
	a.write("z")
	remove(false)
}

func TestIsolated_theNoteIsWrittenAgain(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	link := consultest.NewLink(t, s)
	h := newHouse(t)
	faulty := storagetest.NewFault(h.store)
	h.store = faulty
	a := h.add(link.Dial(t), "a").run()
	link.Cut()
	a.Isolated(true)
	a.write("x")
	a.write("y")
	if n := faulty.Count(storagetest.OpPut); n != 1 {
		t.Errorf("the note was written %d times", n)
	}
	a.note.left = a.note.left.Add(-noteAge)
	a.write("z")
	if n := faulty.Count(storagetest.OpPut); n != 2 {
		t.Errorf("an old note was not written again: %d", n)
	}
	a.note.left = a.note.left.Add(-noteAge)
	faulty.Inject(storagetest.Rule{Op: storagetest.OpPut, Err: errors.New("no share")})
	_, err := a.Begin(h.ctx(time.Second), "w")
	wantNotNow(t, err)
}
