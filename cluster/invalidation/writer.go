package invalidation

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/consul/api"
	"go.uber.org/zap"
)

const (
	retryFirst = 50 * time.Millisecond
	retryMost  = 500 * time.Millisecond
)

// writer writes the head of the own log: at most one write is under way, and what comes meanwhile goes with the next.
type writer struct {
	o    *Options
	q    *queue
	segs *segments
	m    *metrics
	told atomic.Uint64 // events that were published

	// For the goroutine of run alone.
	key   string
	index uint64 // of the head that was written last, in Consul
	head  head

	mu   sync.Mutex
	name string
	n    int               // how often the log had to begin anew
	mine map[string]uint64 // own logs, with their newest published event
	last Index
}

func newWriter(o *Options, q *queue, segs *segments, m *metrics) *writer {
	w := &writer{o: o, q: q, segs: segs, m: m, mine: map[string]uint64{}}
	w.begin(o.Instance)
	return w
}

// begin starts a log that nobody has written yet.
func (w *writer) begin(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.name, w.mine[name] = name, 0
	w.key, w.index, w.head = headsPrefix(w.o.Root)+name, 0, head{}
	if w.n == 0 {
		w.last = Index{Instance: name}
	}
	w.segs.begin(name)
}

// run writes batch after batch until the head is closed or ctx ends. The head is written at once, so that it can be seen that
// the log exists.
func (w *writer) run(ctx context.Context) {
	defer close(w.q.over)
	w.q.touch()
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.q.kick:
		}
		for {
			b, intents := w.q.take()
			if b == nil {
				break
			}
			if !w.commit(ctx, b, intents) {
				return
			}
		}
	}
}

// commit writes one batch. more is false when it was the last, or ctx ended.
func (w *writer) commit(ctx context.Context, b *batch, intents []uint64) (more bool) {
	next := w.head.next(b.events, intents, w.segs.oldest())
	next.closed = b.close
	start := time.Now()
	index, ours, err := w.write(ctx, next)
	switch {
	case err != nil:
		w.q.putBack(b)
		return false
	case !ours:
		w.anew(b)
		return true
	}
	w.m.commits.Observe(time.Since(start).Seconds())
	w.written(index, next, b)
	return !b.close
}

// written makes the batch known here. Whoever waits for it finds the index of its events in place.
func (w *writer) written(index uint64, h head, b *batch) {
	w.index, w.head = index, h
	w.mu.Lock()
	if len(b.events) > 0 {
		w.last = Index{Instance: w.name, Seq: h.seq}
		w.mine[w.name] = h.seq
	}
	w.mu.Unlock()
	w.told.Add(uint64(len(b.events)))
	w.m.published.Add(float64(len(b.events)))
	w.segs.add(b.events)
	w.q.free(b)
}

// write sets the head when it is still the one that was written last, and tries until that is certain: the same value each
// time, so that a try that was done without an answer is known again. The error is that of ctx.
func (w *writer) write(ctx context.Context, h head) (index uint64, ours bool, err error) {
	pair := &api.KVPair{Key: w.key, Value: h.encode(), ModifyIndex: w.index}
	for pause := retryFirst; ; pause = min(2*pause, retryMost) {
		index, ours, err = w.o.Conn.CAS(ctx, pair)
		if err == nil || ctx.Err() != nil {
			return index, ours, err
		}
		if pause == retryFirst {
			w.o.Log.Warn("the log of invalidations cannot be written; trying again", zap.Error(err))
		}
		sleep(ctx, pause/2+rand.N(pause))
	}
}

// anew goes on in another log: somebody took this writer for dead and closed its log, or Consul lost it. Everything that is
// open or not certain to be in the old one is written to the new one before anybody is told that it was.
func (w *writer) anew(b *batch) {
	w.n++
	name := again(w.o.Instance, w.n)
	w.o.Log.Warn("the log of invalidations was closed by another node or lost by Consul; going on in a new one", zap.String("log", name))
	w.begin(name)
	w.q.putBack(b)
	w.m.renewed.Inc()
}

// own tells of a log of this writer; ok is false when it is none.
func (w *writer) own(name string) (newest uint64, current, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	newest, ok = w.mine[name]
	return newest, name == w.name, ok
}

func (w *writer) newest() Index {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
