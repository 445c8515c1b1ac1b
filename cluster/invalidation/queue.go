package invalidation

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"hotfolderd/asset"
)

// maxKept bounds what waits while the node is isolated; beyond it all becomes one "forget everything".
const maxKept = 64 << 10

var errClosed = fmt.Errorf("%w: the log of invalidations is closed", asset.ErrNotNow)

// batch is what goes into one write of the head. Batches are written in order.
type batch struct {
	events []uint64
	ends   []uint64 // of the events those that end an open change
	slots  int      // to be given back when the batch is written
	close  bool     // the head is closed with it
	done   chan struct{}
}

// queue holds what is to be written, and the changes that are open. Its methods are safe for concurrent use.
type queue struct {
	kick  chan struct{} // holds a token when there may be a batch
	slots chan struct{} // a token for each open change
	over  chan struct{} // closed when nothing will be written any more

	mu       sync.Mutex
	batches  []*batch
	events   int            // in batches
	open     map[uint64]int // how many changes of each mark are open
	closed   bool
	isolated bool          // nobody waits for Consul
	alone    chan struct{} // closed when isolated
	kept     *batch        // when it is written, so is all that was kept while isolated; nil: it is
}

func newQueue() *queue {
	return &queue{
		kick: make(chan struct{}, 1), slots: make(chan struct{}, maxIntents), over: make(chan struct{}),
		open: map[uint64]int{}, alone: make(chan struct{}),
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// last is the batch that is written after all others and has room for n events more; mu is held.
func (q *queue) last(n int) *batch {
	signal(q.kick)
	if len(q.batches) > 0 {
		if b := q.batches[len(q.batches)-1]; len(b.events)+n <= maxTail {
			return b
		}
	}
	b := &batch{done: make(chan struct{})}
	q.batches = append(q.batches, b)
	return b
}

// touch asks for a write that changes nothing.
func (q *queue) touch() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		q.last(0)
	}
}

// begin opens a change. It waits while there are too many. The others know of it when the batch is written.
func (q *queue) begin(ctx context.Context, mark uint64) (*batch, error) {
	select {
	case q.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %d changes are under way: %w", asset.ErrNotNow, maxIntents, context.Cause(ctx))
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		<-q.slots
		return nil, errClosed
	}
	q.open[mark]++
	return q.last(0), nil
}

// withdraw takes back a change that is not made.
func (q *queue) withdraw(mark uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.less(mark)
	<-q.slots
	if !q.closed {
		q.last(0)
	}
}

// less counts a change as ended; mu is held.
func (q *queue) less(mark uint64) {
	if q.open[mark]--; q.open[mark] <= 0 {
		delete(q.open, mark)
	}
}

// end makes an event of an open change. Until it is written the change stays among the intents.
func (q *queue) end(mark uint64) (*batch, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return nil, errClosed
	}
	if q.isolated {
		q.less(mark)
		<-q.slots
		return q.add(mark), nil
	}
	b := q.add(mark)
	b.ends, b.slots = append(b.ends, mark), b.slots+1
	return b, nil
}

// tell adds events that end no change. The batch is that of the last one.
func (q *queue) tell(marks ...uint64) (b *batch, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return nil, errClosed
	}
	b = q.last(0)
	for _, m := range marks {
		if n := len(b.events); m != clearMark || n == 0 || b.events[n-1] != clearMark {
			b = q.add(m)
		}
	}
	return b, nil
}

// add is one more event; mu is held.
func (q *queue) add(mark uint64) *batch {
	b := q.last(1)
	b.events = append(b.events, mark)
	if q.events++; q.isolated && q.events > maxKept {
		q.collapse()
	}
	return q.batches[len(q.batches)-1]
}

// collapse makes one event of all that wait. Nobody waits for a batch while the node is isolated; mu is held.
func (q *queue) collapse() {
	for _, b := range q.batches {
		for _, m := range b.ends {
			q.less(m)
		}
		q.free(b)
	}
	q.batches, q.events = nil, 1
	b := q.last(1)
	b.events = append(b.events, clearMark)
}

// free lets go of everybody who waits for b.
func (q *queue) free(b *batch) {
	for range b.slots {
		<-q.slots
	}
	close(b.done)
}

// take removes the next batch; nil when there is none. intents is what is open besides.
func (q *queue) take() (b *batch, intents []uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.batches) == 0 {
		return nil, nil
	}
	b, q.batches = q.batches[0], q.batches[1:]
	q.events -= len(b.events)
	for _, m := range b.ends {
		q.less(m)
	}
	b.ends = nil
	if b.close {
		return b, nil
	}
	return b, q.intents()
}

// intents lists the marks of the open changes; mu is held.
func (q *queue) intents() []uint64 {
	marks := make([]uint64, 0, len(q.open))
	for m := range q.open {
		marks = append(marks, m)
	}
	slices.Sort(marks)
	return marks
}

// putBack makes b the next batch again.
func (q *queue) putBack(b *batch) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.batches = append([]*batch{b}, q.batches...)
	q.events += len(b.events)
	signal(q.kick)
}

// shut takes nothing more and makes events of the changes that are open. The head is closed with the batch returned.
func (q *queue) shut() *batch {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	for _, m := range q.intents() {
		q.add(m)
	}
	b := q.last(0)
	b.close = true
	return b
}

// state is what waits: changes, and events.
func (q *queue) state() (open, events int, isolated bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.open), q.events, q.isolated
}
