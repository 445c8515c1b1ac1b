package invalidation

import (
	"context"
	"fmt"
	"sync"

	"hotfolderd/asset"
)

var errClosed = fmt.Errorf("%w: the log of invalidations is closed", asset.ErrNotNow)

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

// state is what waits: changes, and events.
func (q *queue) state() (open, events int, isolated bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.open), q.events, q.isolated
}
