package invalidation

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"hotfolderd/leases/consul/consultest"
)

func TestLog_tellsAllOthersInOrder(t *testing.T) {
	t.Parallel()
	h, conn := newHouse(t), consultest.Start(t).Dial(t)
	members := []*member{h.add(conn, "a").run(), h.add(conn, "b").run(), h.add(conn, "c").run()}
	const each = 300
	var all sync.WaitGroup
	last := make([]Index, len(members))
	for i, m := range members {
		all.Go(func() {
			for n := range each {
				last[i] = m.write(name("%s/%d", m.o.Node, n))
			}
		})
	}
	all.Wait()
	for _, m := range members {
		for _, i := range last {
			m.must(m.Wait(h.ctx(5*time.Second), i))
		}
		marks, _ := m.heard()
		for _, from := range members {
			inOrder(t, m, from, marks, each)
		}
		m.neverCleared()
	}
}

// inOrder fails unless marks hold all names of from, each once and in their order.
func inOrder(t *testing.T, m, from *member, marks []uint64, each int) {
	t.Helper()
	number := map[uint64]int{}
	for n := range each {
		number[name("%s/%d", from.o.Node, n).Mark()] = n
	}
	var got []int
	for _, x := range marks {
		if n, ok := number[x]; ok {
			got = append(got, n)
		}
	}
	if len(got) != each || !slices.IsSorted(got) {
		t.Errorf("%s heard %d of %d names of %s, in this order: %v", m.o.Node, len(got), each, from.o.Node, got)
	}
}

func TestLog_deliversAThousandOverwritesASecond(t *testing.T) {
	t.Parallel()
	lags := overwrite(t, consultest.Start(t), 1000, 3*time.Second)
	slices.Sort(lags)
	t.Logf("%d changes heard by all: p50 %v, p99 %v", len(lags), at(lags, 0.5), at(lags, 0.99))
	if p99 := at(lags, 0.99); p99 > 2*time.Second {
		t.Errorf("p99 is %v", p99)
	}
}

func TestLog_idleLogsAreNotWritten(t *testing.T) {
	t.Parallel()
	h, conn := newHouse(t), consultest.Start(t).Dial(t)
	a := h.add(conn, "a").run()
	h.add(conn, "b").run()
	a.write("x")
	before, err := conn.List(h.ctx(time.Second), h.root)
	a.must(err)
	<-h.ctx(1500 * time.Millisecond).Done()
	after, err := conn.List(h.ctx(time.Second), h.root)
	a.must(err)
	if len(before) != 2 || !reflect.DeepEqual(before, after) {
		t.Errorf("before %v, after %v", before, after)
	}
}

func TestBegin_isInConsulWhenItReturns(t *testing.T) {
	t.Parallel()
	h, conn := newHouse(t), consultest.Start(t).Dial(t)
	a := h.add(conn, "a").run()
	end, err := a.Begin(h.ctx(5*time.Second), "x")
	a.must(err)
	again, err := a.Begin(h.ctx(5*time.Second), "x")
	a.must(err)
	wantOpen := func(want int) {
		t.Helper()
		p, err := conn.Get(h.ctx(5*time.Second), headsPrefix(h.root)+a.o.Instance)
		a.must(err)
		if got, err := decodeHead(p.Value); err != nil || len(got.intents) != want {
			t.Errorf("want %d intents, got %v, %v", want, got.intents, err)
		}
	}
	wantOpen(1)
	a.must(end(h.ctx(5 * time.Second)))
	wantOpen(1) // the other change of that name
	a.must(end(h.ctx(5 * time.Second)))
	a.must(again(h.ctx(5 * time.Second)))
	wantOpen(0)
	if i := a.Last(); i.Seq != 2 {
		t.Errorf("two changes ended, one of them twice: %v", i)
	}
}

func TestBegin_waitsWhenTooManyAreOpen(t *testing.T) {
	t.Parallel()
	h, conn := newHouse(t), consultest.Start(t).Dial(t)
	a, b := h.add(conn, "a").run(), h.add(conn, "b").run()
	ends := make([]func(context.Context) error, maxIntents)
	var all sync.WaitGroup
	for i := range ends {
		all.Go(func() {
			end, err := a.Begin(h.ctx(20*time.Second), name("n/%d", i))
			if err != nil {
				t.Error(err)
			}
			ends[i] = end
		})
	}
	all.Wait()
	_, err := a.Begin(h.ctx(50*time.Millisecond), "one/more")
	wantNotNow(t, err)
	a.must(ends[7](h.ctx(5 * time.Second)))
	a.write("one/more")
	a.must(b.Wait(h.ctx(5*time.Second), a.Last()))
	if o, _ := b.log(a.o.Instance); o.Open != maxIntents-1 || o.Applied != 2 {
		t.Errorf("b knows %+v", o)
	}
}

func TestBegin_givesUpWithoutConsul(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	link := consultest.NewLink(t, s)
	h := newHouse(t)
	a, b := h.add(link.Dial(t), "a").run(), h.add(s.Dial(t), "b").run()
	end, err := a.Begin(h.ctx(5*time.Second), "begun")
	a.must(err)
	a.beginMost = 2 * time.Second
	link.Cut()
	_, err = a.Begin(h.ctx(100*time.Millisecond), "x")
	wantNotNow(t, err)
	start := time.Now()
	_, err = a.Begin(context.Background(), "y")
	wantNotNow(t, err)
	if took := time.Since(start); took > a.beginMost+3*time.Second {
		t.Errorf("Begin took %v", took)
	}
	wantNotNow(t, end(h.ctx(100*time.Millisecond)))
	if !a.forgot("begun") || b.forgot("begun") {
		t.Error("the name is to be forgotten here at once, and by the other not yet")
	}
	link.Mend()
	a.must(end(h.ctx(10 * time.Second)))
	a.must(b.Wait(h.ctx(5*time.Second), a.Last()))
	if !b.forgot("begun") || b.forgot("x") || b.forgot("y") {
		t.Error("the change that was made is to be told, those that were not made need not be")
	}
	if i := a.Last(); i.Instance != a.o.Instance {
		t.Errorf("a write without an answer was not known again: %v", i)
	}
	consultest.Eventually(t, "no change is open", func() bool {
		o, _ := b.log(a.o.Instance)
		return o.Open == 0 && a.Status().Open == 0
	})
}

func TestEnd_knowsAWriteAgainWhoseAnswerWasLost(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	link := consultest.NewLink(t, s)
	h := newHouse(t)
	a, b := h.add(link.Dial(t), "a").run(), h.add(s.Dial(t), "b").run()
	end, err := a.Begin(h.ctx(5*time.Second), "x")
	a.must(err)
	link.CutAnswers()
	wantNotNow(t, end(h.ctx(100*time.Millisecond)))
	consultest.Eventually(t, "b has heard of it, a does not know", func() bool { return b.forgot("x") })
	b.cache("y")
	done := make(chan error, 1)
	go func() {
		end, err := a.Begin(h.ctx(20*time.Second), "y")
		if err == nil {
			err = end(h.ctx(20 * time.Second))
		}
		done <- err
	}()
	link.Mend()
	a.must(end(h.ctx(20 * time.Second)))
	a.must(<-done)
	if i := a.Last(); i != (Index{a.o.Instance, 2}) {
		t.Errorf("want the second event of the same log, got %v", i)
	}
	b.must(b.Wait(h.ctx(5*time.Second), a.Last()))
	if marks, _ := b.heard(); len(marks) != 2 || b.caches("y") {
		t.Errorf("b heard of %d changes", len(marks))
	}
}

func TestClearAll_makesAllForgetEverything(t *testing.T) {
	t.Parallel()
	h, conn := newHouse(t), consultest.Start(t).Dial(t)
	a, b := h.add(conn, "a").run(), h.add(conn, "b").run()
	a.write("before")
	i, err := a.ClearAll(h.ctx(5 * time.Second))
	a.must(err)
	a.must(b.Wait(h.ctx(5*time.Second), i))
	why := fmt.Sprintf("asked to, by %q", a.o.Instance)
	if a.clearedFor("asked to, here") != 1 || b.clearedFor(why) != 1 || b.Status().Clears != 1 || b.Status().Why != why {
		t.Errorf("a: %q, b: %q", a.clears, b.clears)
	}
}

func TestRun_publishesWhatIsOpenAndClosesTheLog(t *testing.T) {
	t.Parallel()
	h, conn := newHouse(t), consultest.Start(t).Dial(t)
	h.nobody.Store(true)
	a, b := h.add(conn, "a").run(), h.add(conn, "b").run()
	end, err := a.Begin(h.ctx(5*time.Second), "open")
	a.must(err)
	a.leave()
	consultest.Eventually(t, "b sees the closed log", func() bool {
		o, _ := b.log(a.o.Instance)
		return o.Closed && o.Applied == 1 && o.Open == 0
	})
	if !b.forgot("open") {
		t.Error("b has not forgotten what was open")
	}
	wantNotNow(t, end(h.ctx(time.Second)))
	_, err = a.Begin(h.ctx(time.Second), "late")
	wantNotNow(t, err)
	_, err = a.ClearAll(h.ctx(time.Second))
	wantNotNow(t, err)
	if err := a.Run(h.ctx(time.Second)); err == nil {
		t.Error("a log runs twice")
	}
	b.neverCleared()
}
