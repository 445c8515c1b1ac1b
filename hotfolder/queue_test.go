package hotfolder

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"hotfolderd/asset"
)

// noon is any moment; queues take their time from outside.
var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func at(s float64) time.Time { return noon.Add(time.Duration(s * float64(time.Second))) }

// popped empties the ready ones.
func popped(q *queue) []asset.Key {
	var keys []asset.Key
	for c := q.pop(); c != nil; c = q.pop() {
		keys = append(keys, c.key)
	}
	return keys
}

func TestQueue_givesTheOldestFirst(t *testing.T) {
	q := newQueue(10)
	for _, c := range []struct {
		key asset.Key
		at  float64
	}{{"c", 3}, {"a", 1}, {"e", 5}, {"b2", 2}, {"b1", 2}, {"d", 4}} {
		if !q.offer(c.key, at(c.at), false, noon) {
			t.Errorf("want %s to be new, got no", c.key)
		}
	}
	if want, got := []asset.Key{"a", "b1", "b2", "c", "d", "e"}, popped(q); !slices.Equal(want, got) {
		t.Errorf("want %v, got %v", want, got)
	}
	if q.inHand != 6 || q.missed {
		t.Errorf("want 6 in hand and none missed, got %d, %v", q.inHand, q.missed)
	}
}

func TestQueue_holdsOneCandidateForAKey(t *testing.T) {
	q := newQueue(10)
	q.offer("a", at(1), false, noon)
	if q.offer("a", at(0), true, noon) {
		t.Error("want a ready one to be nothing new, got new")
	}
	if got := popped(q); len(got) != 1 {
		t.Errorf("want it once, got %v", got)
	}
}

func TestQueue_theNewestGivesWayToAnOlderOne(t *testing.T) {
	q := newQueue(3)
	for i, key := range []asset.Key{"a", "b", "c"} {
		q.offer(key, at(float64(10+i)), false, noon)
	}
	if q.offer("newer", at(99), false, noon) || !q.missed {
		t.Fatalf("want a newer one refused and remembered as missed, got missed %v", q.missed)
	}
	q.missed = false
	if !q.offer("older", at(1), false, noon) || !q.missed {
		t.Fatalf("want an older one taken and what gave way remembered as missed, got missed %v", q.missed)
	}
	if want, got := []asset.Key{"older", "a", "b"}, popped(q); !slices.Equal(want, got) {
		t.Errorf("want %v, got %v", want, got)
	}
}

func TestQueue_whatIsInHandNeverGivesWay(t *testing.T) {
	q := newQueue(2)
	q.offer("a", at(10), false, noon)
	q.offer("b", at(11), false, noon)
	popped(q)
	if q.offer("older", at(1), false, noon) || !q.missed || len(q.byKey) != 2 {
		t.Errorf("want it missed and both in hand kept, got missed %v and %d known", q.missed, len(q.byKey))
	}
}

// parked is a queue whose candidates all wait.
func parked(limit int, next ...float64) *queue {
	q := newQueue(limit)
	for i := range next {
		q.offer(asset.Key(fmt.Sprintf("w%d", i)), at(float64(i)), false, noon)
	}
	for i := range next {
		c := q.pop()
		q.inHand--
		q.wait(c, at(next[i]))
	}
	return q
}

func TestQueue_waitingOnesGiveWayOnlyWhenNothingIsReady(t *testing.T) {
	q := parked(3, 100, 200)
	q.offer("ready", at(50), false, noon)
	if !q.offer("older", at(40), false, noon) {
		t.Fatal("want an older one in the place of the ready one, got refused")
	}
	if q.byKey["ready"] != nil || len(q.timers) != 2 {
		t.Errorf("want the ready one gone and both waiting ones kept, got %d waiting", len(q.timers))
	}
	if q.offer("newer", at(60), false, noon) || len(q.timers) != 2 {
		t.Errorf("want a newer one refused and both waiting ones kept, got %d waiting", len(q.timers))
	}
	popped(q)
	if !q.offer("next", at(70), false, noon) || len(q.timers) != 1 || !q.missed {
		t.Errorf("want one waiting one given up for a ready one, got %d waiting, missed %v", len(q.timers), q.missed)
	}
}

// If what is about to settle gave way, more unsettled files than the queue holds would push each other out for ever.
func TestQueue_whatIsDueSoonDoesNotGiveWay(t *testing.T) {
	q := parked(4, 1, 2, 3, 4)
	for i := range 100 {
		q.offer(asset.Key(fmt.Sprint("new", i)), at(50), false, noon)
		if c := q.pop(); c != nil {
			q.inHand--
			q.wait(c, at(5))
		}
	}
	for _, key := range []asset.Key{"w0", "w1", "w2"} {
		if q.byKey[key] == nil {
			t.Errorf("want %s, which is due first, still waiting, got it forgotten", key)
		}
	}
}

func TestQueue_hintPullsAWaitingOneForward(t *testing.T) {
	q := parked(3, 100)
	c := q.byKey["w0"]
	if !q.offer("w0", at(0), false, at(10)) {
		t.Error("want the timer to be set anew, got no")
	}
	if want := at(10).Add(hintPause); !c.next.Equal(want) || c.pause != hintPause {
		t.Errorf("want it due at %v with pauses from %v, got %v, %v", want, hintPause, c.next, c.pause)
	}
	q.offer("w0", at(0), false, at(10.001))
	if c.next.After(at(10).Add(hintPause)) {
		t.Errorf("want it no later after one more hint, got %v", c.next)
	}
}

func TestQueue_hintNeverPutsAWaitingOneOff(t *testing.T) {
	q := parked(3, 10)
	if q.offer("w0", at(0), false, at(10)) || !q.byKey["w0"].next.Equal(at(10)) {
		t.Errorf("want it due as before, got %v", q.byKey["w0"].next)
	}
}

func TestQueue_hintDoesNotEndABackoff(t *testing.T) {
	q := parked(3, 100)
	c := q.byKey["w0"]
	c.attempts = 1
	if q.offer("w0", at(0), false, at(10)) || !c.next.Equal(at(100)) {
		t.Errorf("want it due at %v, got %v", at(100), c.next)
	}
}

func TestQueue_hintMarksOneInHand(t *testing.T) {
	q := newQueue(3)
	q.offer("a", noon, false, noon)
	c := q.pop()
	if q.offer("a", noon, true, noon) || !c.again || len(q.oldest) != 0 {
		t.Errorf("want it marked and not ready twice, got again %v, %d ready", c.again, len(q.oldest))
	}
}

func TestQueue_dueOnesComeByTheirTimeAndLeaveByTheirAge(t *testing.T) {
	q := parked(5, 30, 10, 20, 40) // w0 is the oldest
	if next, moved := q.due(at(5)); moved || !next.Equal(at(10)) {
		t.Errorf("want none yet and the next at %v, got %v, %v", at(10), next, moved)
	}
	if next, moved := q.due(at(30)); !moved || !next.Equal(at(40)) {
		t.Errorf("want some and the next at %v, got %v, %v", at(40), next, moved)
	}
	if want, got := []asset.Key{"w0", "w1", "w2"}, popped(q); !slices.Equal(want, got) {
		t.Errorf("want %v, got %v", want, got)
	}
	if next, moved := q.due(at(99)); !moved || !next.IsZero() {
		t.Errorf("want the last one and no next, got %v, %v", next, moved)
	}
}

// naive is what the queue means, as a list.
type naive struct {
	limit  int
	list   []*naiveOne
	missed bool
}

type naiveOne struct {
	key      asset.Key
	arrived  time.Time
	state    stateOf
	next     time.Time
	attempts int
	again    bool
}

func (n *naive) find(key asset.Key) *naiveOne {
	for _, c := range n.list {
		if c.key == key {
			return c
		}
	}
	return nil
}

func (n *naive) remove(key asset.Key) {
	n.list = slices.DeleteFunc(n.list, func(c *naiveOne) bool { return c.key == key })
}

// best is the ready one that comes first (or last) by age and key.
func (n *naive) best(first bool) *naiveOne {
	var best *naiveOne
	for _, c := range n.list {
		if c.state != ready {
			continue
		}
		before := best != nil && (c.arrived.Before(best.arrived) || c.arrived.Equal(best.arrived) && c.key < best.key)
		if best == nil || before == first {
			best = c
		}
	}
	return best
}

// offer leaves it to the queue which waiting one gives way: gone tells it afterwards.
func (n *naive) offer(key asset.Key, arrived, now time.Time, gone func() asset.Key) bool {
	if c := n.find(key); c != nil {
		soon := now.Add(hintPause)
		c.again = c.again || c.state == inHand
		if c.state == waiting && c.attempts == 0 && c.next.After(soon) {
			c.next = soon
			return true
		}
		return false
	}
	if len(n.list) >= n.limit {
		n.missed = true
		newest := n.best(false)
		switch {
		case newest != nil && newest.arrived.After(arrived):
			n.remove(newest.key)
		case newest != nil || !slices.ContainsFunc(n.list, func(c *naiveOne) bool { return c.state == waiting }):
			return false
		default:
			n.remove(gone())
		}
	}
	n.list = append(n.list, &naiveOne{key: key, arrived: arrived})
	return true
}

func (n *naive) due(now time.Time) (next time.Time, moved bool) {
	for _, c := range n.list {
		switch {
		case c.state != waiting:
		case !c.next.After(now):
			c.state, moved = ready, true
		case next.IsZero() || c.next.Before(next):
			next = c.next
		}
	}
	return next, moved
}

// TestQueue_doesWhatANaiveListDoes compares 100,000 random operations and looks at every heap's places.
func TestQueue_doesWhatANaiveListDoes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const limit = 24
	q, n := newQueue(limit), &naive{limit: limit}
	var hand []*candidate
	now := noon
	for i := range 100_000 {
		now = now.Add(time.Duration(r.IntN(3)) * time.Millisecond)
		switch op := r.IntN(10); {
		case op < 4:
			key, arrived := asset.Key(fmt.Sprint(r.IntN(60))), now.Add(-time.Duration(r.IntN(50))*time.Millisecond)
			before := waitingKeys(q)
			got := q.offer(key, arrived, false, now)
			want := n.offer(key, arrived, now, func() asset.Key { return onlyMissing(t, before, q) })
			if want != got {
				t.Fatalf("%d: offer %s: want %v, got %v", i, key, want, got)
			}
		case op < 6:
			got, want := q.pop(), n.best(true)
			if (got == nil) != (want == nil) || got != nil && got.key != want.key {
				t.Fatalf("%d: pop: want %+v, got %+v", i, want, got)
			}
			if got != nil {
				want.state = inHand
				hand = append(hand, got)
			}
		case op < 9 && len(hand) > 0:
			at := r.IntN(len(hand))
			c := hand[at]
			hand = slices.Delete(hand, at, at+1)
			m := n.find(c.key)
			if m == nil || m.state != inHand || c.again != m.again {
				t.Fatalf("%d: %s in hand: want %+v, got again %v", i, c.key, m, c.again)
			}
			q.inHand--
			if op == 8 {
				q.forget(c)
				n.remove(c.key)
				break
			}
			c.again, m.again = false, false
			c.attempts = r.IntN(2)
			m.attempts = c.attempts
			m.state, m.next = waiting, now.Add(time.Duration(r.IntN(20))*time.Millisecond)
			q.wait(c, m.next)
		case op == 9:
			gotNext, gotMoved := q.due(now)
			wantNext, wantMoved := n.due(now)
			if !gotNext.Equal(wantNext) || gotMoved != wantMoved {
				t.Fatalf("%d: due: want %v %v, got %v %v", i, wantNext, wantMoved, gotNext, gotMoved)
			}
		}
		if q.missed != n.missed || q.inHand != len(hand) {
			t.Fatalf("%d: want missed %v, %d in hand; got %v, %d", i, n.missed, len(hand), q.missed, q.inHand)
		}
		if why := q.broken(); why != "" {
			t.Fatalf("%d: %s", i, why)
		}
		if i%64 == 0 {
			if want, got := n.states(), q.states(); want != got {
				t.Fatalf("%d: want %s, got %s", i, want, got)
			}
			q.missed, n.missed = false, false
		}
	}
}

func waitingKeys(q *queue) []asset.Key {
	keys := make([]asset.Key, 0, len(q.timers))
	for _, c := range q.timers {
		keys = append(keys, c.key)
	}
	return keys
}

// onlyMissing is the one that waited before and is not known any more.
func onlyMissing(t *testing.T, before []asset.Key, q *queue) asset.Key {
	t.Helper()
	missing := slices.DeleteFunc(before, func(k asset.Key) bool { return q.byKey[k] != nil })
	if len(missing) != 1 {
		t.Fatalf("want one waiting candidate given up, got %v", missing)
	}
	return missing[0]
}

func (n *naive) states() string {
	var all []string
	for _, c := range n.list {
		all = append(all, fmt.Sprint(c.key, c.state, c.arrived.Sub(noon)))
	}
	slices.Sort(all)
	return fmt.Sprint(all)
}

func (q *queue) states() string {
	var all []string
	for _, c := range q.byKey {
		all = append(all, fmt.Sprint(c.key, c.state, c.arrived.Sub(noon)))
	}
	slices.Sort(all)
	return fmt.Sprint(all)
}

// broken says which bookkeeping of the queue does not hold: every candidate stands at its place in just its own heaps, and
// nothing is older (newer, due sooner) than its parent.
func (q *queue) broken() string {
	if len(q.oldest) != len(q.newest) || q.waits()+q.inHand != len(q.byKey) || len(q.byKey) > q.limit {
		return fmt.Sprintf("%d oldest, %d newest, %d timers, %d held, %d in hand, %d known of %d",
			len(q.oldest), len(q.newest), len(q.timers), len(q.held.drops), q.inHand, len(q.byKey), q.limit)
	}
	for i := range q.oldest {
		c, d := q.oldest[i], q.newest[i]
		if c.oldAt != i || d.newAt != i || c.state != ready || q.byKey[c.key] != c || q.byKey[d.key] != d {
			return fmt.Sprintf("ready %d: %+v %+v", i, c, d)
		}
		if up := (i - 1) / 2; i > 0 && (q.oldest.Less(i, up) || q.newest.Less(i, up)) {
			return fmt.Sprintf("ready %d before its parent", i)
		}
	}
	for i, c := range q.timers {
		if c.oldAt != i || c.state != waiting || q.byKey[c.key] != c || i > 0 && q.timers.Less(i, (i-1)/2) {
			return fmt.Sprintf("timer %d: %+v", i, c)
		}
	}
	for i, c := range q.held.drops {
		if c.oldAt != i || c.state != holding || q.byKey[c.key] != c || i > 0 && q.held.drops.Less(i, (i-1)/2) {
			return fmt.Sprintf("held %d: %+v", i, c)
		}
	}
	if p := q.held.probe; p != nil && (q.byKey[p.key] != p || p.state == holding) {
		return fmt.Sprintf("tried: %+v", p)
	}
	if (q.held.pause > 0) != q.held.on() {
		return fmt.Sprintf("a pause of %v, and held: %v", q.held.pause, q.held.on())
	}
	return ""
}
