package invalidation

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/leases/consul/consultest"
	"hotfolderd/storage/storagetest"
)

// publish makes n events at once, without intents.
func (m *member) publish(what string, n int) {
	m.h.t.Helper()
	marks := make([]uint64, n)
	for i := range marks {
		marks[i] = name("%s/%d", what, i).Mark()
	}
	m.must(m.tell(m.h.ctx(20*time.Second), marks...))
}

// pending counts the events that are in no segment.
func (m *member) pending() int {
	m.segs.mu.Lock()
	defer m.segs.mu.Unlock()
	return len(m.segs.pending)
}

// missing counts the names of a publish that the node has not forgotten.
func (m *member) missing(what string, n int) (count int) {
	marks, _ := m.heard()
	known := map[uint64]bool{}
	for _, x := range marks {
		known[x] = true
	}
	for i := range n {
		if !known[name("%s/%d", what, i).Mark()] {
			count++
		}
	}
	return count
}

func TestReader_catchesUpAfterSilence(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		events  int
		store   bool
		folder  bool
		clears  int
		reason  string
		filled  float64
		forgets bool
	}{
		"from the head":                 {events: 400, store: true, forgets: true},
		"from segments":                 {events: 5000, store: true, forgets: true, filled: 1},
		"from segments in a folder":     {events: 5000, store: true, folder: true, forgets: true, filled: 1},
		"not, without segments":         {events: 5000, clears: 1, reason: "are missing"},
		"from the head without a store": {events: 400, forgets: true},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := consultest.Start(t)
			link := consultest.NewLink(t, s)
			h := newHouse(t)
			if !c.store {
				h.store = nil
			} else if c.folder {
				h.store = folder(t)
			}
			a, b := h.add(s.Dial(t), "a").run(), h.add(link.Dial(t), "b").run()
			a.write("first")
			b.must(b.Wait(h.ctx(5*time.Second), a.Last()))
			link.Cut()
			a.publish("x", c.events)
			consultest.Eventually(t, "only the newest are in no segment", func() bool { return a.pending() < segmentLeast || !c.store })
			a.publish("tail", 100)
			if c.folder {
				consultest.Eventually(t, "b knows that it hears nothing", func() bool { return !b.Fresh() })
			}
			link.Mend()
			b.must(b.Recover(h.ctx(20 * time.Second)))
			if missing := b.missing("x", c.events) + b.missing("tail", 100); c.forgets && missing > 0 {
				t.Errorf("b has not heard of %d names", missing)
			}
			consultest.Eventually(t, "b is fresh", b.Fresh)
			if n := b.clearedFor(c.reason); n != max(c.clears, 0) && c.reason != "" || len(b.clears) != 1+c.clears {
				t.Errorf("b forgot everything: %q", b.clears)
			}
			if n := counted(b.m.gaps.WithLabelValues("filled")); n != c.filled {
				t.Errorf("want %v gaps filled, got %v", c.filled, n)
			}
			a.write("last")
			b.must(b.Wait(h.ctx(5*time.Second), a.Last()))
			if !b.forgot("last") {
				t.Error("b does not go on")
			}
		})
	}
}

func TestReader_segmentsAreBoundedAndOldReadersForget(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	link := consultest.NewLink(t, s)
	h := newHouse(t)
	a, b := h.add(s.Dial(t), "a").run(), h.add(link.Dial(t), "b").run()
	link.Cut()
	for range maxSegments + 3 {
		a.publish("x", segmentLeast)
		a.must(a.segs.write(h.ctx(5 * time.Second)))
	}
	spans, err := listSegments(h.ctx(time.Second), h.store, DefaultPrefix, a.o.Instance)
	if err != nil || len(spans) > maxSegments {
		t.Errorf("%d segments, %v", len(spans), err)
	}
	a.publish("y", 1)
	link.Mend()
	b.must(b.Recover(h.ctx(20 * time.Second)))
	if b.clearedFor("the log begins at") != 1 {
		t.Errorf("b: %q", b.clears)
	}
}

func TestReader_aBrokenSegmentIsAGap(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	link := consultest.NewLink(t, s)
	h := newHouse(t)
	faulty := storagetest.NewFault(h.store)
	h.store = faulty
	a, b := h.add(s.Dial(t), "a").run(), h.add(link.Dial(t), "b").run()
	link.Cut()
	a.publish("x", 2000)
	faulty.Inject(storagetest.Rule{Op: storagetest.OpOpen, Err: errors.New("a bad disk")})
	link.Mend()
	b.must(b.Recover(h.ctx(20 * time.Second)))
	if b.clearedFor("a bad disk") != 1 || len(b.clears) != 2 {
		t.Errorf("b: %q", b.clears)
	}
	if n := counted(b.m.gaps.WithLabelValues("lost")); n != 1 {
		t.Errorf("want one lost gap, got %v", n)
	}
}

func TestReader_startsWhereTheLogsAre(t *testing.T) {
	t.Parallel()
	h, conn := newHouse(t), consultest.Start(t).Dial(t)
	a := h.add(conn, "a").run()
	a.publish("old", 3000)
	b := h.add(conn, "b")
	if b.Fresh() {
		t.Error("b is fresh before it has heard anybody")
	}
	b.must(b.Recover(h.ctx(5 * time.Second)))
	o, _ := b.log(a.o.Instance)
	if marks, _ := b.heard(); len(marks) != 0 || o.Applied != 3000 {
		t.Errorf("b forgot %d names and stands at %+v", len(marks), o)
	}
	b.neverCleared()
	b.must(b.Wait(h.ctx(time.Second), Index{a.o.Instance, 3000}))
}

func TestReader_aLogThatIsNewIsReadFromItsBeginning(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	link := consultest.NewLink(t, s)
	h := newHouse(t)
	b := h.add(link.Dial(t), "b").run()
	link.Cut()
	a := h.add(s.Dial(t), "a").run()
	a.publish("x", 2000)
	link.Mend()
	b.must(b.Wait(h.ctx(20*time.Second), a.Last()))
	if missing := b.missing("x", 2000); missing > 0 {
		t.Errorf("b has not heard of %d names", missing)
	}
	b.neverCleared()
}

func TestReader_consulForgetsEverything(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	h := newHouse(t)
	a, b := h.add(s.Dial(t), "a").run(), h.add(s.Dial(t), "b").run()
	for i := range 50 {
		a.write(name("x/%d", i))
	}
	old := a.Last()
	end, err := a.Begin(h.ctx(time.Second), "open")
	a.must(err)
	b.must(b.Wait(h.ctx(5*time.Second), old))
	b.cache("open")
	s.Kill()
	s.Restart(t)
	a.must(end(h.ctx(20 * time.Second)))
	now := a.Last()
	if now != (Index{again(a.o.Instance, 1), 1}) {
		t.Errorf("a goes on as %v", now)
	}
	b.must(b.Wait(h.ctx(20*time.Second), now))
	b.must(b.Wait(h.ctx(20*time.Second), old))
	a.must(a.Wait(h.ctx(time.Second), old))
	if b.clearedFor("before its end was seen")+b.clearedFor("consul lost logs") != 1 || b.caches("open") {
		t.Errorf("b: %q", b.clears)
	}
	for _, key := range []asset.Key{"back", "again"} {
		a.cache(key)
		b.write(key)
		a.must(a.Wait(h.ctx(5*time.Second), b.Last()))
		if a.caches(key) {
			t.Errorf("a still caches %s", key)
		}
	}
}

func TestReader_logsThatCameAndWentUnseen(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	link := consultest.NewLink(t, s)
	h := newHouse(t)
	duty := h.add(s.Dial(t), "duty")
	duty.d.closedFor = 500 * time.Millisecond
	duty.run()
	b := h.add(link.Dial(t), "b", func(o *Options) { o.Duty = nil }).run()
	seen := h.add(s.Dial(t), "seen").run()
	seen.write("x")
	b.must(b.Wait(h.ctx(5*time.Second), seen.Last()))
	seen.leave()
	gone := func(m *member, of *member) {
		t.Helper()
		consultest.Eventually(t, "the closed log is removed", func() bool {
			_, known := m.log(of.o.Instance)
			return !known
		})
	}
	gone(b, seen)
	b.neverCleared() // it had seen the end
	link.Cut()
	unseen := h.add(s.Dial(t), "unseen").run()
	unseen.write("y")
	duty.meet(unseen)
	unseen.leave()
	gone(duty, unseen)
	duty.neverCleared()
	link.Mend()
	b.must(b.Recover(h.ctx(20 * time.Second)))
	if b.clearedFor("came and went") != 1 {
		t.Errorf("b: %q", b.clears)
	}
}

func TestReader_aHeadOfALaterVersion(t *testing.T) {
	t.Parallel()
	h, conn := newHouse(t), consultest.Start(t).Dial(t)
	b := h.add(conn, "b").run()
	later := headsPrefix(h.root) + "later.000000000000"
	b.must(conn.Put(h.ctx(time.Second), later, head{}.next(marksUpTo(1), nil, 1).encode()))
	b.must(b.Wait(h.ctx(time.Second), Index{"later.000000000000", 1}))
	b.must(conn.Put(h.ctx(time.Second), later, []byte{headVersion + 1, 1, 2, 3}))
	consultest.Eventually(t, "caches are passed by", func() bool { return !b.Fresh() })
	wantNotNow(t, b.Wait(h.ctx(500*time.Millisecond), Index{"later.000000000000", 3}))
	b.must(conn.Put(h.ctx(time.Second), later, head{}.next(marksUpTo(4), nil, 1).encode()))
	consultest.Eventually(t, "b is fresh again", b.Fresh)
	if marks, _ := b.heard(); !slices.Equal(marksUpTo(4), marks) {
		t.Errorf("b forgot %v", marks)
	}
	b.neverCleared()
}

func TestReader_anAnswerThatWasOvertakenIsNoLoss(t *testing.T) {
	t.Parallel()
	h, conn := newHouse(t), consultest.Start(t).Dial(t)
	a, b := h.add(conn, "a").run(), h.add(conn, "b").run()
	a.write("x")
	b.must(b.Wait(h.ctx(time.Second), a.Last()))
	old, err := conn.List(h.ctx(time.Second), headsPrefix(h.root))
	a.must(err)
	c := h.add(conn, "c").run()
	c.write("y")
	a.write("z")
	b.must(b.Wait(h.ctx(time.Second), a.Last()))
	b.must(b.Wait(h.ctx(time.Second), c.Last()))
	b.r.answered(h.ctx(time.Second), func() error { return b.r.apply(h.ctx(time.Second), b.r.parse(old), false) })
	b.neverCleared()
	if o, ok := b.log(c.o.Instance); !ok || o.Applied != 1 {
		t.Errorf("b forgot where it was: %+v", o)
	}
}

func TestWait_endsWithItsContext(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	link := consultest.NewLink(t, s)
	h := newHouse(t)
	a, b := h.add(s.Dial(t), "a").run(), h.add(link.Dial(t), "b").run()
	i := a.write("x")
	b.must(b.Wait(h.ctx(time.Second), i))
	b.must(b.Wait(h.ctx(time.Second), Index{}))
	b.must(b.Wait(h.ctx(5*time.Second), Index{"an.earlier.one", 9}))
	for _, bogus := range []Index{{i.Instance, 99}, {b.o.Instance, 1}} {
		if err := b.Wait(h.ctx(5*time.Second), bogus); !errors.Is(err, ErrIndex) {
			t.Errorf("%v: want ErrIndex, got %v", bogus, err)
		}
	}
	link.Cut()
	for _, unknown := range []Index{a.write("y"), {"an.earlier.one", 9}} {
		ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
		start := time.Now()
		wantNotNow(t, b.Wait(ctx, unknown))
		cancel()
		if took := time.Since(start); took > time.Second {
			t.Errorf("%v: it took %v", unknown, took)
		}
	}
	b.neverCleared()
}

// An answer tells how things were when it was asked for, not when it is read: in between the process may have been stopped.
func TestFresh_countsFromTheQuestion(t *testing.T) {
	t.Parallel()
	h, conn := newHouse(t), consultest.Start(t).Dial(t)
	b := h.add(conn, "b")
	b.must(b.Recover(h.ctx(5 * time.Second)))
	b.r.heard = time.Now().Add(-time.Minute)
	b.r.sent = time.Now().Add(-30 * time.Second)
	same := func() error { return nil }
	b.r.answered(h.ctx(time.Second), same)
	if b.Fresh() || b.lag() < 29*time.Second {
		t.Errorf("fresh by an answer that was asked for 30 s ago; lag %v", b.lag())
	}
	b.r.answered(h.ctx(time.Second), same)
	if !b.Fresh() {
		t.Error("not fresh by an answer that was asked for just now")
	}
}

// A node that is away for so long that its own log is closed and removed replays what it missed all the same.
func TestReader_comesBackAfterItWasTakenForDead(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	link := consultest.NewLink(t, s)
	h := newHouse(t)
	a := h.add(s.Dial(t), "a")
	a.d.closedFor = 500 * time.Millisecond
	a.run()
	b := h.add(link.Dial(t), "b", func(o *Options) { o.Duty = nil }).run()
	a.meet(b)
	link.Cut()
	h.kill(b.o.Instance)
	a.publish("x", 5000)
	consultest.Eventually(t, "b's log is closed and removed", func() bool {
		_, known := a.log(b.o.Instance)
		return !known
	})
	h.mu.Lock()
	delete(h.dead, b.o.Instance)
	h.mu.Unlock()
	link.Mend()
	b.must(b.Recover(h.ctx(20 * time.Second)))
	if missing := b.missing("x", 5000); missing > 0 {
		t.Errorf("b has not heard of %d names", missing)
	}
	b.neverCleared()
	a.cache("y")
	i := b.write("y")
	a.must(a.Wait(h.ctx(5*time.Second), i))
	if a.caches("y") || i != (Index{again(b.o.Instance, 1), 1}) {
		t.Errorf("b goes on as %v", i)
	}
	a.neverCleared()
}
