package hotfolder

import (
	"context"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"hotfolderd/asset"
	"hotfolderd/config"
	"hotfolderd/storage"
)

// folder is one hotfolder at work. Fields are set once unless a comment says who guards them.
type folder struct {
	r      *Room
	spec   Spec
	rule   config.Rule
	store  storage.Store
	prefix asset.Key
	filter *Filter
	namer  *config.Namer
	log    *zap.Logger

	scanAsked chan struct{}
	scanJoins chan struct{} // another node is about to scan for all
	timerSet  chan struct{}
	at        cursors   // of the scan loop alone
	ownScan   time.Time // the last, or since when this node has the hotfolder; of the scan loop alone
	loans     loans
	near      *looks

	// guarded by the room's lock
	q        *queue
	done     *done
	paused   bool                   // by its rule, or it ends
	hands    map[*progress]struct{} // the walks in progress
	outage   outage
	counts   Counts
	watching string
	scanErr  string
	lastScan time.Time
	scanTook time.Duration
	told     map[asset.Key]asset.Version // refused kinds that were journaled; bounded
	known    map[asset.Key]known         // drops whose door says that they are whole; bounded
	refused  int                         // found by the last scan
	ignored  int

	scanning atomic.Pointer[progress]
	looking  atomic.Pointer[progress]
}

// Counts of a hotfolder since its node started.
type Counts struct {
	Imported uint64
	Skipped  uint64
	Failed   uint64
	Bytes    uint64
}

func newFolder(r *Room, s Spec) *folder {
	namer, err := config.CompileName(s.Rule.Name)
	f := &folder{
		r: r, spec: s, rule: s.Rule, store: s.Store, prefix: s.Prefix, filter: NewFilter(s.Rule), namer: namer,
		log:       r.d.Log.With(zap.String("hotfolder", s.Rule.Hotfolder)),
		scanAsked: make(chan struct{}, 1),
		scanJoins: make(chan struct{}, 1),
		ownScan:   time.Now(),
		timerSet:  make(chan struct{}, 1),
		q:         newQueue(r.o.Queue),
		done:      newDone(),
		paused:    s.Rule.Paused,
		hands:     map[*progress]struct{}{},
		told:      map[asset.Key]asset.Version{},
		known:     map[asset.Key]known{},
	}
	f.near = newLooks(f)
	if err != nil { // package config refuses such a rule; a caller that did not ask it gets a folder that says so
		f.paused, f.scanErr = true, err.Error()
	}
	return f
}

// same reports whether a spec asks for just what this folder does.
func (f *folder) same(s Spec) bool { return reflect.DeepEqual(f.spec, s) }

func (f *folder) askScan() { nudge(f.scanAsked) }

// nudge wakes whoever waits on the channel, which has room for one.
func nudge(ch chan<- struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// forget takes a nudge back, and reports whether there was one.
func forget(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

// run watches and scans until ctx ends, and returns when nothing of this folder is in hand any more.
func (f *folder) run(ctx context.Context) {
	w := newWatching(f)
	scans := f.scanLoop(ctx, w)
	var looks sync.WaitGroup
	looks.Go(func() { f.near.run(ctx) })
	f.loop(ctx, w)
	<-scans
	looks.Wait()
	f.drain()
}

// loop serves hints and timers.
func (f *folder) loop(ctx context.Context, w *watching) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		f.setTimer(timer)
		select {
		case <-ctx.Done():
			return
		case <-f.timerSet:
		case <-timer.C:
		case h, ok := <-w.hints:
			if !ok {
				w.lost()
				continue
			}
			f.hint(h)
		case w.hints = <-w.renewed: // a scan follows, so that nothing falls between two sources
		}
	}
}

// setTimer makes ready what is due and sets the timer to what is due next.
func (f *folder) setTimer(timer *time.Timer) {
	f.r.mu.Lock()
	next, moved := f.q.due(time.Now())
	f.r.mu.Unlock()
	if moved {
		f.r.cond.Broadcast()
	}
	wait := time.Hour
	if !next.IsZero() {
		wait = time.Until(next)
	}
	timer.Reset(wait)
}

// hint takes what an event says: look there sooner.
func (f *folder) hint(h storage.Hint) {
	if h.Rescan && h.Inside {
		f.near.ask(h.Key)
		return
	}
	if h.Rescan {
		f.askScan()
		return
	}
	key, ok := h.Key.Below(f.prefix)
	if !ok {
		return
	}
	if marked, ok := f.filter.markedBy(key); ok {
		if marked == key.Dir() {
			f.askScan()
			return
		}
		key = marked
	}
	if f.filter.Ignored(key) != "" {
		return
	}
	f.offer(key, time.Now(), h.Created)
}

// mine reports whether a drop is this node's to walk. Never asked with the room's lock held.
func (f *folder) mine(key asset.Key) bool { return f.r.d.Claims.Mine(f.rule.Hotfolder, key) }

// offer puts a file into the queue if it is worth a look and this node's, and wakes a worker.
func (f *folder) offer(key asset.Key, arrived time.Time, created bool) {
	if !f.mine(key) {
		return
	}
	f.r.mu.Lock()
	isNew := f.q.offer(key, arrived, created, time.Now())
	f.r.mu.Unlock()
	if isNew {
		f.wake()
	}
}

// wake tells a worker that something is ready and the loop that a timer may have changed.
func (f *folder) wake() {
	f.r.cond.Signal()
	f.setTimerAgain()
}

// setTimerAgain tells the loop that something is due at another time than it thinks.
func (f *folder) setTimerAgain() { nudge(f.timerSet) }

// pop takes the oldest ready drop in hand, unless the folder must not have another. The room's lock is held.
func (f *folder) pop(now time.Time) *candidate {
	most := f.r.o.PerHotfolder
	if f.whyPaused() != "" || f.r.halted != "" || f.r.absent[f.rule.Hotfolder] != "" || f.q.inHand >= f.outage.limit(most, now) {
		return nil
	}
	return f.q.pop()
}

// whyPaused is empty when drops are taken. The room's lock is held.
func (f *folder) whyPaused() string {
	if f.paused {
		return "paused by its rule: it watches, but imports nothing"
	}
	return f.r.pauses[f.rule.Hotfolder]
}

// settleAccount books what became of a candidate that was in hand. The room's lock is held.
func (f *folder) settleAccount(c *candidate, v verdict) {
	now := time.Now()
	f.q.inHand--
	switch {
	case v.notNow:
		c.again = false // the next walk sees what is there then
		f.q.hold(c, now)
	case v.wait > 0:
		if c.again && c.attempts == 0 {
			v.wait = min(v.wait, hintPause)
		}
		c.again = false
		f.q.wait(c, now.Add(v.wait))
		f.setTimerAgain()
	default:
		delete(f.q.byKey, c.key)
		if f.known[c.key].is(c.version, c.first) {
			delete(f.known, c.key)
		}
		if v.finished {
			f.done.add(c.key, c.version)
		}
		if c.again || v.lookAgain {
			f.q.offer(c.key, c.arrived, false, now)
		}
	}
	if !v.notNow && f.q.tried(c, v.through, now) {
		f.log.Info("drops that waited go on")
		f.r.cond.Broadcast()
	}
	if f.q.held.on() {
		f.setTimerAgain()
	}
	if f.q.missed && len(f.q.byKey) < f.q.limit/2 {
		f.q.missed = false
		f.askScan()
	}
}

// drain waits until no worker has a drop of this folder in hand. Walks end on their own or with the room's context.
func (f *folder) drain() {
	f.r.mu.Lock()
	defer f.r.mu.Unlock()
	f.paused = true
	for f.q.inHand > 0 {
		f.r.ended.Wait()
	}
}
