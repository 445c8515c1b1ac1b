package hotfolder

import (
	"container/heap"
	"time"

	"hotfolderd/asset"
)

// candidate is a file that may be a drop. One exists for a key at a time. Only the worker that has it in hand changes the
// fields below "walk"; the others are guarded by the room's lock.
type candidate struct {
	key     asset.Key // relative to the hotfolder
	arrived time.Time // by the store's clock; the order of the queue

	state stateOf
	next  time.Time // when it is looked at again, while waiting
	again bool      // a hint came while it was in hand
	ready time.Time // since when it could be taken
	oldAt int       // place in the heaps
	newAt int

	// walk
	version  asset.Version
	created  bool      // its name appeared while we watched, and it was not looked at yet
	first    time.Time // when it was seen first
	since    time.Time // since when it has this version, by our monotonic clock; zero before the first look
	looks    int
	pause    time.Duration // until the next look; grows
	attempts int
	reason   string // why it waits, as last told to the journal
	told     time.Time
}

type stateOf uint8

const (
	ready   stateOf = iota // in the heaps, to be taken
	waiting                // not settled, or to be tried again at next
	inHand                 // a worker has it
	holding                // its write was refused for the moment
)

// queue holds the candidates of one hotfolder: at most limit of them, whatever lies on the store. The oldest ready one is
// taken first; when it is full, the newest ready one gives way to an older one. What gives way is found again by a scan.
type queue struct {
	limit  int
	byKey  map[asset.Key]*candidate
	oldest oldHeap
	newest newHeap
	timers timerHeap
	held   held
	inHand int
	missed bool // something did not fit; scan again when there is room
}

func newQueue(limit int) *queue {
	return &queue{limit: limit, byKey: map[asset.Key]*candidate{}}
}

// offer brings a file to the queue's notice. It reports whether there is something new to take.
func (q *queue) offer(key asset.Key, arrived time.Time, created bool, now time.Time) bool {
	if c := q.byKey[key]; c != nil {
		return q.hint(c, now)
	}
	if len(q.byKey) >= q.limit && !q.makeRoom(arrived) {
		q.missed = true
		return false
	}
	c := &candidate{key: key, arrived: arrived, created: created, first: now}
	q.byKey[key] = c
	q.push(c, now)
	return true
}

// hint makes a waiting candidate due soon: something may have happened to it.
func (q *queue) hint(c *candidate, now time.Time) bool {
	switch c.state {
	case inHand:
		c.again = true
	case waiting:
		if soon := now.Add(hintPause); c.attempts == 0 && c.next.After(soon) {
			c.next, c.pause = soon, hintPause
			heap.Fix(&q.timers, c.oldAt)
			return true
		}
	}
	return false
}

// makeRoom drops the newest ready candidate when it is newer than arrived, or a waiting one when nothing is ready: one that is
// due late. If those that are about to settle gave way, more unsettled files than fit would push each other out for ever.
func (q *queue) makeRoom(arrived time.Time) bool {
	if len(q.newest) > 0 {
		if c := q.newest[0]; c.arrived.After(arrived) {
			q.forget(c)
			q.missed = true
			return true
		}
		return false
	}
	if last := len(q.timers) - 1; last >= 0 {
		q.forget(q.timers[last]) // a leaf of the heap
		q.missed = true
		return true
	}
	return false
}

func (q *queue) push(c *candidate, now time.Time) {
	c.state, c.ready = ready, now
	heap.Push(&q.oldest, c)
	heap.Push(&q.newest, c)
}

// pop takes the oldest ready candidate in hand; nil when there is none.
func (q *queue) pop() *candidate {
	if len(q.oldest) == 0 {
		return nil
	}
	c := heap.Pop(&q.oldest).(*candidate)
	heap.Remove(&q.newest, c.newAt)
	c.state = inHand
	q.inHand++
	return c
}

// wait puts a candidate that was in hand aside until next.
func (q *queue) wait(c *candidate, next time.Time) {
	c.state, c.next = waiting, next
	heap.Push(&q.timers, c)
}

// forget drops a candidate. If its file is still there, the next scan finds it again.
func (q *queue) forget(c *candidate) {
	switch c.state {
	case ready:
		heap.Remove(&q.oldest, c.oldAt)
		heap.Remove(&q.newest, c.newAt)
	case waiting:
		heap.Remove(&q.timers, c.oldAt)
	case holding:
		heap.Remove(&q.held.drops, c.oldAt)
	}
	if q.held.probe == c {
		q.held.probe = nil // the next one is due
	}
	if !q.held.on() {
		q.held.pause = 0
	}
	delete(q.byKey, c.key)
}

// retryNow makes all due that wait for another attempt.
func (q *queue) retryNow(now time.Time) {
	for _, c := range q.timers {
		if c.attempts > 0 && c.next.After(now) {
			c.next = now
		}
	}
	heap.Init(&q.timers)
}

// due moves the waiting candidates whose time has come to the ready ones. It returns when to look again, and whether any moved.
func (q *queue) due(now time.Time) (next time.Time, moved bool) {
	next, moved = q.release(now)
	for len(q.timers) > 0 {
		c := q.timers[0]
		if c.next.After(now) {
			return sooner(next, c.next), moved
		}
		heap.Pop(&q.timers)
		q.push(c, now)
		moved = true
	}
	return next, moved
}

// sooner is the earlier of two times; zero is none.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// waits is how many candidates wait for something: for a worker, to settle, to be tried again.
func (q *queue) waits() int { return len(q.oldest) + len(q.timers) + len(q.held.drops) }

// oldHeap has the oldest arrival on top, newHeap the newest, timerHeap the one that is due first.
type (
	oldHeap   []*candidate
	newHeap   []*candidate
	timerHeap []*candidate
)

func older(a, b *candidate) bool {
	if a.arrived.Equal(b.arrived) {
		return a.key < b.key
	}
	return a.arrived.Before(b.arrived)
}

func (h oldHeap) Len() int           { return len(h) }
func (h oldHeap) Less(i, j int) bool { return older(h[i], h[j]) }
func (h oldHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i]; h[i].oldAt, h[j].oldAt = i, j }
func (h *oldHeap) Push(x any)        { c := x.(*candidate); c.oldAt = len(*h); *h = append(*h, c) }
func (h *oldHeap) Pop() any          { return popLast((*[]*candidate)(h)) }

func (h newHeap) Len() int           { return len(h) }
func (h newHeap) Less(i, j int) bool { return older(h[j], h[i]) }
func (h newHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i]; h[i].newAt, h[j].newAt = i, j }
func (h *newHeap) Push(x any)        { c := x.(*candidate); c.newAt = len(*h); *h = append(*h, c) }
func (h *newHeap) Pop() any          { return popLast((*[]*candidate)(h)) }

func (h timerHeap) Len() int           { return len(h) }
func (h timerHeap) Less(i, j int) bool { return h[i].next.Before(h[j].next) }
func (h timerHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i]; h[i].oldAt, h[j].oldAt = i, j }
func (h *timerHeap) Push(x any)        { c := x.(*candidate); c.oldAt = len(*h); *h = append(*h, c) }
func (h *timerHeap) Pop() any          { return popLast((*[]*candidate)(h)) }

func popLast(h *[]*candidate) *candidate {
	last := len(*h) - 1
	c := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return c
}
