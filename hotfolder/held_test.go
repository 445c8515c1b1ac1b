package hotfolder

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/config"
	"hotfolderd/leases"
)

// readOnly is a work area that takes no change of a name that is there ("old...") while it is on.
type readOnly struct {
	mu     sync.Mutex
	on     bool
	tried  []time.Time // when a change was refused
	staged map[string]int
}

func newReadOnly(b *bench) *readOnly {
	r := &readOnly{on: true, staged: map[string]int{}}
	b.stage = func(_ context.Context, data string) error {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.staged[data]++
		return nil
	}
	b.apply = func(_ context.Context, rec asset.Record) (asset.Outcome, error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.on && strings.HasPrefix(rec.Key.Base(), "old") {
			r.tried = append(r.tried, time.Now())
			return asset.Outcome{}, fmt.Errorf("apply: %w: no majority", asset.ErrNotNow)
		}
		return asset.Outcome{Name: rec.Name, Number: 1}, nil
	}
	return r
}

func (r *readOnly) set(on bool) { r.mu.Lock(); defer r.mu.Unlock(); r.on = on }

func TestHeld_aDropWaitsAndIsNeitherCountedNorTold(t *testing.T) {
	bubbled(t, Options{}, func(b *bench) {
		area := newReadOnly(b)
		b.drop("in", "old")
		b.room.Set([]Spec{b.spec("in", func(r *config.Rule) { r.Retry.Attempts = 1 })})
		b.run()
		b.pass(800 * time.Millisecond)
		b.mu.Lock()
		if len(b.events) != 0 || len(b.failed) != 0 {
			t.Errorf("want nothing told and nothing failed, got %v, %v", b.events, b.failed)
		}
		b.mu.Unlock()
		if s := b.status("in"); s.Level != Amber || s.State != "waiting" || s.Reason != "waiting: the other nodes cannot be told" || s.Settling != 1 {
			t.Errorf("want it amber with the reason, got %+v", s)
		}
		b.pass(time.Hour)
		b.want(asset.Waiting, "in/old") // once in all the time
		b.want(asset.Retrying)
		b.want(asset.Failed)
		area.set(false)
		b.pass(mostHold)
		b.want(asset.Imported, "in/old")
		if e := b.events[len(b.events)-1]; e.Attempt != 1 {
			t.Errorf("want it imported at the first attempt, got %d", e.Attempt)
		}
		if s := b.status("in"); s.Level != Green || s.Settling != 0 {
			t.Errorf("want all well, got %+v", s)
		}
		var pauses []time.Duration
		for i := range 8 {
			pauses = append(pauses, area.tried[i+1].Sub(area.tried[i]).Round(10*time.Millisecond))
		}
		want := []time.Duration{1, 2, 4, 8, 16, 20, 20, 20}
		for i := range want {
			want[i] *= leastHold
		}
		if !slices.Equal(pauses, want) {
			t.Errorf("want pauses of %v, got %v", want, pauses)
		}
	})
}

// Many changes cannot be told: each is read once, one of them is tried now and then, and drops with new names go on.
func TestHeld_oneOfManyIsTriedAndOthersGoOn(t *testing.T) {
	bubbled(t, Options{Workers: 4}, func(b *bench) {
		const many = 200
		area := newReadOnly(b)
		for i := range many {
			b.drop("in", asset.Key(fmt.Sprintf("old%03d", i)))
		}
		b.room.Set([]Spec{b.spec("in", nil)})
		b.run()
		b.pass(time.Minute)
		b.drop("in", "new1", "new2")
		b.pass(time.Minute)
		if got := b.told(asset.Imported); len(got) != 2 {
			t.Errorf("want both new ones imported, got %v", got)
		}
		area.mu.Lock()
		for i := range many {
			key := fmt.Sprintf("old%03d", i)
			if n := area.staged[key]; n != 1 && (i > 0 || n < 50 || n > 70) {
				t.Errorf("want the first read about once in two seconds and the others once, got %s read %d times", key, n)
			}
		}
		area.mu.Unlock()
		if n, _ := b.room.Waiting(); n != many {
			t.Errorf("want %d waiting, got %d", many, n)
		}
		area.set(false)
		b.pass(mostHold)
		if got := len(b.told(asset.Imported)); got != many+2 {
			t.Errorf("want all imported after one got through, got %d", got)
		}
		if n, lag := b.room.Waiting(); n != 0 || lag != 0 {
			t.Errorf("want none waiting, got %d since %v", n, lag)
		}
	})
}

// The one that is tried is taken away: the next one is tried, without a pause.
func TestHeld_theNextIsTriedWhenTheFirstIsGone(t *testing.T) {
	bubbled(t, Options{}, func(b *bench) {
		area := newReadOnly(b)
		b.drop("in", "old1", "old2")
		b.room.Set([]Spec{b.spec("in", nil)})
		b.run()
		b.pass(time.Minute)
		area.set(false)
		if err := b.mem.Remove(t.Context(), "hotfolders/in/old1", ""); err != nil {
			t.Fatal(err)
		}
		b.pass(mostHold)
		b.want(asset.Imported, "in/old2")
	})
}

// A store that takes no move to failed/ just now holds the drop, too.
func TestHeld_aDropThatCannotBeFailedNowWaits(t *testing.T) {
	bubbled(t, Options{}, func(b *bench) {
		area := newReadOnly(b)
		b.fail = func() error {
			area.mu.Lock()
			defer area.mu.Unlock()
			if area.on {
				return asset.ErrNotNow
			}
			return nil
		}
		b.drop("in", "much")
		b.room.Set([]Spec{b.spec("in", func(r *config.Rule) { r.Match.MaxSize = 1 })})
		b.run()
		b.pass(time.Minute)
		if s := b.status("in"); s.Level != Amber || len(b.failed) != 0 {
			t.Errorf("want it waiting, got %+v", s)
		}
		area.set(false)
		b.pass(mostHold)
		b.want(asset.Failed, "in/much")
	})
}

// A lost lease comes first: the drop is another's by now.
func TestHeld_notWhenTheLeaseIsLost(t *testing.T) {
	bubbled(t, Options{}, func(b *bench) {
		lost := newLease()
		b.claim = func(string, asset.Key) leases.Lease {
			if lost.ctx.Err() != nil {
				return nil
			}
			return lost
		}
		b.apply = func(context.Context, asset.Record) (asset.Outcome, error) {
			lost.end(leases.ErrLost)
			return asset.Outcome{}, fmt.Errorf("apply: %w: %w", asset.ErrNotNow, leases.ErrLost)
		}
		b.drop("in", "old")
		b.room.Set([]Spec{b.spec("in", nil)})
		b.run()
		b.pass(leastHold / 2)
		if s := b.status("in"); s.Level != Green || s.Settling != 0 || len(b.events) != 0 {
			t.Errorf("want it given up in silence, got %+v, %v", s, b.events)
		}
	})
}

// holdAll takes candidates in hand, in order, and holds them at noon.
func holdAll(q *queue, keys ...asset.Key) {
	for i, key := range keys {
		q.offer(key, at(float64(i)), false, noon)
	}
	for range keys {
		c := q.pop()
		q.inHand--
		q.hold(c, noon)
	}
}

func TestQueue_oneHeldOneIsTriedAndThenAll(t *testing.T) {
	q := newQueue(9)
	holdAll(q, "a", "b", "c")
	first := noon.Add(leastHold)
	if next, moved := q.due(noon); moved || !next.Equal(first) {
		t.Errorf("want one pause begun by three at once, due at %v, got %v, %v", first, next, moved)
	}
	q.offer("w", at(9), false, noon)
	w := q.pop()
	q.inHand--
	q.wait(w, at(9))
	if next, _ := q.due(noon); !next.Equal(first) {
		t.Errorf("want what is due first, %v, got %v", first, next)
	}
	for range 2 {
		if next, _ := q.due(first); !next.Equal(at(9)) || len(q.oldest) != 1 || q.oldest[0].key != "a" {
			t.Fatalf("want only the oldest to be tried, got %v and %d ready", next, len(q.oldest))
		}
	}
	c := q.pop()
	q.inHand--
	if !c.ready.Equal(first) {
		t.Errorf("want it ready since %v, got %v", first, c.ready)
	}
	delete(q.byKey, c.key)
	if q.tried(w, true, first) || !q.tried(c, true, first) {
		t.Error("want all to go when the one that was tried got through, and by no other")
	}
	if want, got := []asset.Key{"b", "c"}, popped(q); !slices.Equal(want, got) || q.held.on() {
		t.Errorf("want %v ready, got %v", want, got)
	}
}

func TestQueue_heldOnesNeverGiveWay(t *testing.T) {
	q := newQueue(2)
	holdAll(q, "a", "b")
	if q.offer("older", at(-1), false, noon) || !q.missed || len(q.held.drops) != 2 {
		t.Errorf("want both kept and the other one missed, got %d held", len(q.held.drops))
	}
	if q.offer("a", at(5), false, at(0.01)) || len(q.oldest) != 0 {
		t.Error("want a hint to change nothing")
	}
}

// TestQueue_heldOnesAllComeOut tries random orders of everything that can happen to a candidate.
func TestQueue_heldOnesAllComeOut(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	q := newQueue(24)
	now := noon
	var hand []*candidate
	for i := range 50_000 {
		now = now.Add(time.Duration(r.IntN(40)) * time.Millisecond)
		switch op := r.IntN(9); {
		case op < 3:
			q.offer(asset.Key(fmt.Sprint(r.IntN(60))), now, false, now)
		case op < 5:
			if c := q.pop(); c != nil {
				hand = append(hand, c)
			}
		case op < 7 && len(hand) > 0:
			c := hand[0]
			hand = hand[1:]
			q.inHand--
			switch ending := r.IntN(8); {
			case ending < 3:
				q.hold(c, now)
			case ending < 5:
				q.wait(c, now.Add(time.Second))
				q.tried(c, false, now)
			default:
				delete(q.byKey, c.key)
				q.tried(c, ending == 7, now)
			}
		case op == 7:
			q.due(now)
		case op == 8 && len(q.byKey) > 0:
			for _, c := range q.byKey {
				if c.state != inHand {
					q.forget(c)
				}
				break
			}
		}
		if why := q.broken(); why != "" {
			t.Fatalf("%d: %s", i, why)
		}
	}
	for _, c := range hand {
		q.inHand--
		delete(q.byKey, c.key)
		q.tried(c, false, now)
	}
	for range 100 {
		now = now.Add(time.Minute)
		q.due(now)
		for c := q.pop(); c != nil; c = q.pop() {
			q.inHand--
			delete(q.byKey, c.key)
			q.tried(c, false, now)
		}
	}
	if len(q.byKey) != 0 || q.held.on() {
		t.Errorf("want all gone, got %v", q.states())
	}
}
