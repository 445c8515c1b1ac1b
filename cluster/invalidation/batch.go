package invalidation

import "slices"

// maxKept bounds what waits while the node is isolated; beyond it all becomes one "forget everything".
const maxKept = 64 << 10

// batch is what goes into one write of the head. Batches are written in order.
type batch struct {
	events []uint64
	ends   []uint64 // of the events those that end an open change
	slots  int      // to be given back when the batch is written
	close  bool     // the head is closed with it
	done   chan struct{}
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
