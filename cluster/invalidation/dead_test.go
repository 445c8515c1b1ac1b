package invalidation

import (
	"context"
	"errors"
	"io/fs"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/leases/consul/consultest"
)

// TestDuty_finishesWhatADeadWriterLeft kills a writer at each point of a change.
func TestDuty_finishesWhatADeadWriterLeft(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		walk func(a *member, link *consultest.Link)
		told bool
	}{
		"before Begin": {told: false, walk: func(_ *member, link *consultest.Link) {
			link.Cut()
		}},
		"in Begin, its write unanswered": {told: true, walk: func(a *member, link *consultest.Link) {
			link.CutAnswers()
			_, err := a.Begin(a.h.ctx(300*time.Millisecond), "x")
			wantNotNow(a.h.t, err)
		}},
		"after Begin": {told: true, walk: func(a *member, link *consultest.Link) {
			_, err := a.Begin(a.h.ctx(5*time.Second), "x")
			a.must(err)
			link.Cut()
		}},
		"before the write of end": {told: true, walk: func(a *member, link *consultest.Link) {
			end, err := a.Begin(a.h.ctx(5*time.Second), "x")
			a.must(err)
			link.Cut()
			wantNotNow(a.h.t, end(a.h.ctx(50*time.Millisecond)))
		}},
		"after the write of end, unanswered": {told: true, walk: func(a *member, link *consultest.Link) {
			end, err := a.Begin(a.h.ctx(5*time.Second), "x")
			a.must(err)
			link.CutAnswers()
			wantNotNow(a.h.t, end(a.h.ctx(300*time.Millisecond)))
		}},
		"after end": {told: true, walk: func(a *member, link *consultest.Link) {
			a.write("x")
			link.Cut()
		}},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := consultest.Start(t)
			link := consultest.NewLink(t, s)
			h := newHouse(t)
			a := h.add(link.Dial(t), "a").run()
			b, other := h.add(s.Dial(t), "b").run(), h.add(s.Dial(t), "c").run() // both have the duty
			for _, m := range []*member{b, other} {
				m.cache("x")
			}
			c.walk(a, link)
			h.kill(a.o.Instance)
			for _, m := range []*member{b, other} {
				consultest.Eventually(t, "the log is closed", func() bool {
					o, ok := m.log(a.o.Instance)
					return ok && o.Closed && o.Open == 0 && o.Applied == o.Seq
				})
				m.must(m.Recover(h.ctx(5 * time.Second)))
				if m.caches("x") == c.told {
					t.Errorf("%s caches x: %v", m.o.Node, m.caches("x"))
				}
				m.neverCleared()
			}
		})
	}
}

func TestDuty_closesOnTheSecondLookOnly(t *testing.T) {
	t.Parallel()
	h, conn := newHouse(t), consultest.Start(t).Dial(t)
	h.nobody.Store(true)
	a, b := h.add(conn, "a").run(), h.add(conn, "b").run()
	_, err := a.Begin(h.ctx(time.Second), "x")
	a.must(err)
	b.must(b.Recover(h.ctx(time.Second)))
	d := newDuty(b.Log)
	d.pace = testPace
	look := func(dead bool) (closed bool) {
		t.Helper()
		h.mu.Lock()
		h.dead[a.o.Instance] = dead
		h.mu.Unlock()
		heads, _ := b.r.snapshot()
		b.must(d.closeDead(h.ctx(time.Second), heads))
		b.must(b.Recover(h.ctx(time.Second)))
		o, _ := b.log(a.o.Instance)
		return o.Closed
	}
	pause := func() { <-h.ctx(testPace).Done() }
	for i, dead := range []bool{true, true, false} { // twice at a time is one look
		if look(dead) {
			t.Errorf("look %d: the log of a live writer was closed", i)
		}
	}
	pause()
	if look(true) {
		t.Error("closed on a look after it was live")
	}
	pause()
	if !look(true) || !b.forgot("x") {
		t.Error("not closed although it was dead on two looks")
	}
}

func TestWriter_goesOnWhenItWasTakenForDead(t *testing.T) {
	t.Parallel()
	h, conn := newHouse(t), consultest.Start(t).Dial(t)
	a := h.add(conn, "a", func(o *Options) { o.Duty = nil }).run()
	b := h.add(conn, "b").run()
	end, err := a.Begin(h.ctx(time.Second), "open")
	a.must(err)
	old := a.write("x")
	h.kill(a.o.Instance)
	consultest.Eventually(t, "the log is closed", func() bool {
		o, _ := b.log(a.o.Instance)
		return o.Closed
	})
	next := again(a.o.Instance, 1)
	consultest.Eventually(t, "the writer goes on by itself, with its intent", func() bool {
		o, ok := b.log(next)
		return ok && o.Open == 1
	})
	h.mu.Lock()
	delete(h.dead, a.o.Instance)
	h.mu.Unlock()
	b.cache("open", "y")
	a.must(end(h.ctx(5 * time.Second)))
	if i := a.Last(); i != (Index{next, 1}) {
		t.Errorf("the new log's index: %v", i)
	}
	b.must(b.Wait(h.ctx(5*time.Second), a.Last()))
	b.must(b.Wait(h.ctx(5*time.Second), a.write("y")))
	b.must(b.Wait(h.ctx(5*time.Second), old))
	a.must(a.Wait(h.ctx(5*time.Second), old))
	if b.caches("open") || b.caches("y") {
		t.Error("b still caches what a changed")
	}
	b.neverCleared()
	a.neverCleared()
}

func TestWriter_consulGoesBackToAnOlderState(t *testing.T) {
	t.Parallel()
	h, conn := newHouse(t), consultest.Start(t).Dial(t)
	a, b := h.add(conn, "a").run(), h.add(conn, "b").run()
	key := headsPrefix(h.root) + a.o.Instance
	a.write("x")
	older, err := conn.Get(h.ctx(time.Second), key)
	a.must(err)
	for range 5 {
		a.write("y")
	}
	b.must(b.Wait(h.ctx(time.Second), a.Last()))
	b.cache("z")
	a.must(conn.Put(h.ctx(time.Second), key, older.Value))
	i := a.write("z")
	b.must(b.Wait(h.ctx(5*time.Second), i))
	if b.caches("z") || b.clearedFor("went back") != 1 || i.Instance != again(a.o.Instance, 1) {
		t.Errorf("b: %q, index %v", b.clears, i)
	}
	consultest.Eventually(t, "the old log is closed by its own writer", func() bool {
		o, _ := b.log(a.o.Instance)
		return o.Closed
	})
}

func TestDuty_removesClosedLogsOnce(t *testing.T) {
	t.Parallel()
	h, conn := newHouse(t), consultest.Start(t).Dial(t)
	var members []*member
	for _, id := range []string{"a", "b", "c"} {
		m := h.add(conn, id)
		m.d.closedFor, m.d.sweepPace = 300*time.Millisecond, 300*time.Millisecond
		members = append(members, m.run())
	}
	const gone = 5
	for range gone {
		m := h.add(conn, "gone").run()
		m.publish("x", 3*segmentLeast)
		m.must(m.segs.write(h.ctx(time.Second)))
		m.leave()
		h.kill(m.o.Instance)
	}
	if spans := stored(t, h); len(spans) < gone {
		t.Fatalf("%d objects in the store", len(spans))
	}
	for _, m := range members {
		consultest.Eventually(t, "only the live logs are left", func() bool { return len(m.Status().Origins) == len(members) })
		m.neverCleared()
	}
	pairs, err := conn.List(h.ctx(time.Second), headsPrefix(h.root))
	if err != nil || len(pairs) != len(members)+1 {
		t.Errorf("%d keys, %v", len(pairs), err)
	}
	_, removed := members[0].r.snapshot()
	if removed.count != gone {
		t.Errorf("want %d removed logs, got %d", gone, removed.count)
	}
	consultest.Eventually(t, "the store is empty", func() bool { return len(stored(t, h)) == 0 })
}

// stored lists the objects that the logs have in the store.
func stored(t *testing.T, h *house) (keys []asset.Key) {
	t.Helper()
	for _, node := range []asset.Key{"a", "b", "c", "gone"} {
		for o, err := range h.store.List(h.ctx(time.Second), DefaultPrefix.Join(node), listFiles) {
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
			if err == nil {
				keys = append(keys, o.Key)
			}
		}
	}
	return keys
}

func TestDuty_isDoneByManyAtATime(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	link := consultest.NewLink(t, s)
	h := newHouse(t)
	var members []*member
	for _, id := range []string{"a", "b", "c"} {
		m := h.add(s.Dial(t), id)
		m.d.pace = 50 * time.Millisecond
		members = append(members, m.run())
	}
	const writers = 4
	var open []asset.Key
	for i := range writers {
		m := h.add(link.Dial(t), "w").run()
		for n := range 700 {
			key := name("w/%d/%d", i, n)
			open = append(open, key)
			b, err := m.q.begin(h.ctx(time.Second), key.Mark())
			m.must(err)
			if n == 699 {
				m.must(m.await(h.ctx(5*time.Second), b))
			}
		}
		defer h.kill(m.o.Instance)
	}
	for _, m := range members {
		m.cache(open...)
	}
	link.Cut()
	var logs []string
	consultest.Eventually(t, "all logs are known", func() bool {
		logs = logs[:0]
		for _, o := range members[0].Status().Origins {
			if nodeOf(o.Log) == "w" {
				logs = append(logs, o.Log)
			}
		}
		return len(logs) == writers
	})
	h.mu.Lock()
	for _, log := range logs {
		h.dead[log] = true
	}
	h.mu.Unlock()
	for _, m := range members {
		consultest.Eventually(t, "all names are forgotten", func() bool {
			m.mu.Lock()
			defer m.mu.Unlock()
			return len(m.cached) == 0
		})
		m.neverCleared()
	}
}

func TestPublish_isAClientThatIsNoMember(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	h, conn := newHouse(t), s.Dial(t)
	b := h.add(conn, "b").run()
	keeper := keep(t, conn, "cli")
	l, closeLog, err := Publish(h.ctx(5*time.Second), conn, keeper, Options{Root: h.root, Node: "cli", Instance: "cli.k2x7q9w4m1zp"})
	b.must(err)
	client, err := conn.Get(h.ctx(time.Second), clientKey(h.root, "cli.k2x7q9w4m1zp"))
	if err != nil || client == nil || client.Session != keeper.Current().ID() {
		t.Errorf("the client's key is %+v, %v", client, err)
	}
	h.kill("cli.k2x7q9w4m1zp") // it is no member: its key alone keeps its log open
	b.cache("x", "y")
	end, err := l.Begin(h.ctx(5*time.Second), "x")
	b.must(err)
	<-h.ctx(5 * testPace).Done()
	if o, _ := b.log("cli.k2x7q9w4m1zp"); o.Closed || o.Open != 1 {
		t.Errorf("the client's log was closed: %+v", o)
	}
	b.must(end(h.ctx(5 * time.Second)))
	b.must(b.Wait(h.ctx(5*time.Second), l.Last()))
	_, err = l.Begin(h.ctx(5*time.Second), "y")
	b.must(err)
	if l.Fresh() {
		t.Error("a client that reads nothing is never fresh")
	}
	b.must(l.Recover(h.ctx(time.Second)))
	b.must(closeLog(h.ctx(5 * time.Second)))
	consultest.Eventually(t, "the log is closed", func() bool {
		o, _ := b.log("cli.k2x7q9w4m1zp")
		return o.Closed
	})
	if client, err := conn.Get(h.ctx(time.Second), clientKey(h.root, "cli.k2x7q9w4m1zp")); err != nil || client != nil {
		t.Errorf("the client's key is left: %+v, %v", client, err)
	}
	if b.caches("x") || b.caches("y") {
		t.Error("b still caches what the client changed")
	}
}

func TestPublish_aClientThatDiesIsTakenOver(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	link := consultest.NewLink(t, s)
	h := newHouse(t)
	b := h.add(s.Dial(t), "b").run()
	conn := link.Dial(t)
	keeper := keep(t, conn, "cli")
	l, closeLog, err := Publish(h.ctx(5*time.Second), conn, keeper, Options{Root: h.root, Node: "cli", Instance: "cli.k2x7q9w4m1zp"})
	b.must(err)
	h.kill("cli.k2x7q9w4m1zp")
	b.cache("x")
	end, err := l.Begin(h.ctx(5*time.Second), "x")
	b.must(err)
	lost := keeper.Current()
	link.Cut()
	consultest.Eventually(t, "x is forgotten", func() bool { return !b.caches("x") })
	link.Mend()
	next, err := keeper.Next(h.ctx(20*time.Second), lost)
	b.must(err)
	consultest.Eventually(t, "the client is known again", func() bool {
		client, err := conn.Get(h.ctx(5*time.Second), clientKey(h.root, "cli.k2x7q9w4m1zp"))
		return err == nil && client != nil && client.Session == next.ID()
	})
	b.must(end(h.ctx(10 * time.Second)))
	b.must(b.Wait(h.ctx(5*time.Second), l.Last()))
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	b.must(closeLog(ctx))
}
