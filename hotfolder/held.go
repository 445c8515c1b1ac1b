package hotfolder

import (
	"container/heap"
	"time"

	"go.uber.org/zap"

	"hotfolderd/asset"
)

// How often it is tried whether the work area takes writes again that it refused for the moment; doubles in between.
const (
	leastHold = 100 * time.Millisecond
	mostHold  = 2 * time.Second
)

// heldReason is what people read while drops are held.
const heldReason = "waiting: the other nodes cannot be told"

// held are the drops whose last step was refused for the moment ([asset.ErrNotNow]). Nothing is wrong with them, so no attempt
// is counted and none of them gives way in a full queue. One is tried now and then; when it gets through, all are. So each is
// read once and not again and again, and other drops, whose names are new, go on. Guarded by the room's lock.
type held struct {
	drops oldHeap
	probe *candidate    // the one that is tried
	next  time.Time     // when one is tried
	pause time.Duration // before that; 0 while none is held
}

func (h *held) on() bool { return len(h.drops) > 0 || h.probe != nil }

// hold puts a candidate aside that was in hand. Those that were in hand together begin one pause.
func (q *queue) hold(c *candidate, now time.Time) {
	h := &q.held
	if h.pause == 0 || h.probe == c {
		h.probe = nil
		h.pause = min(max(2*h.pause, leastHold), mostHold)
		h.next = now.Add(h.pause)
	}
	c.state = holding
	heap.Push(&h.drops, c)
}

// release makes one held candidate ready when it is time, and says when that is; zero while one is on its way, or none held.
func (q *queue) release(now time.Time) (next time.Time, moved bool) {
	h := &q.held
	if h.probe != nil || len(h.drops) == 0 {
		return time.Time{}, false
	}
	if h.next.After(now) {
		return h.next, false
	}
	h.probe = heap.Pop(&h.drops).(*candidate)
	q.push(h.probe, now)
	return time.Time{}, true
}

// tried books that the walk of a candidate ended otherwise than by being held. If it was the one to be tried and got through,
// all are ready; if something else became of it, the next one is tried at once.
func (q *queue) tried(c *candidate, through bool, now time.Time) (all bool) {
	h := &q.held
	if h.probe != c {
		return false
	}
	h.probe, h.next = nil, now
	if through {
		for _, c := range h.drops {
			q.push(c, now)
		}
		h.drops = nil
	}
	if len(h.drops) == 0 {
		h.pause = 0
	}
	return through
}

// notNow ends a walk whose write was refused for the moment. The journal is told once, when it takes a while.
func (w *walk) notNow(err error) verdict {
	w.tellWaiting(*w.p.step.Load(), heldReason)
	w.f.r.mu.Lock()
	first := !w.f.q.held.on()
	w.f.r.mu.Unlock()
	if first {
		w.f.log.Info("drops wait: the work area takes no such write just now", zap.String("key", w.c.key.Shown()), zap.Error(err))
	}
	return verdict{notNow: true}
}

// tellWaiting tells the journal why a drop waits: once, and only when it takes a while.
func (w *walk) tellWaiting(step, reason string) {
	c := w.c
	now := time.Now()
	if now.Sub(c.first) <= tellWaiting || c.reason != "" {
		return
	}
	c.reason, c.told = reason, now
	e := w.event(asset.Waiting)
	e.Step, e.Reason = step, reason
	w.f.r.d.Journal(e)
}
