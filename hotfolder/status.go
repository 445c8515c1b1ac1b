package hotfolder

import (
	"fmt"
	"sync/atomic"
	"time"

	"hotfolderd/asset"
)

// Level is a hotfolder's colour.
type Level string

// The levels: all is well, something waits for somebody, nothing can be imported.
const (
	Green Level = "green"
	Amber Level = "amber"
	Red   Level = "red"
)

// Status of one hotfolder, from memory: asking costs no look at any store, so it answers while a store hangs.
type Status struct {
	Hotfolder     string
	Path          string // where people drop
	Rule          string // file of the rule
	Level         Level
	State         string // watching, importing, paused, stalled, waiting, halted
	Reason        string // why it is not green
	Watching      string // "events", or why it polls
	Ready         int    // complete or to be looked at, in memory
	Settling      int    // not complete, or to be tried again
	InHand        int
	More          bool          // more lies on the store than is remembered
	OldestWaiting time.Duration // since this node saw it; 0 when nothing waits
	Ignored       int           // files that are never drops, at the last scan
	Refused       int           // links, pipes and the like, at the last scan
	LastScan      time.Time
	ScanTook      time.Duration
	Counts        Counts
}

// Status tells about all hotfolders, in the order of the rules.
func (r *Room) Status() []Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []Status
	for _, f := range r.folders {
		all = append(all, f.status())
	}
	return all
}

// Waiting tells how many drops this node knows that wait in all hotfolders (to settle, to be tried again, for a worker), and for
// how long the next one to be taken has been ready: how far this node lags behind. What is paused or halted waits without being
// late. It costs no look at any store, and little else.
func (r *Room) Waiting() (drops int, lag time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	for _, f := range r.folders {
		drops += f.q.waits()
		if len(f.q.oldest) > 0 && f.whyPaused() == "" && r.halted == "" && r.absent[f.rule.Hotfolder] == "" {
			lag = max(lag, now.Sub(f.q.oldest[0].ready))
		}
	}
	return drops, lag
}

// Ignored says why a key of a hotfolder is never a drop by its name; "" when it may be one, or when there is no such hotfolder.
func (r *Room) Ignored(hotfolder string, key asset.Key) (why string) {
	_ = r.each(hotfolder, func(f *folder) { why = f.filter.Ignored(key) })
	return why
}

func (f *folder) status() Status {
	s := Status{
		Hotfolder: f.rule.Hotfolder, Path: f.spec.Path, Rule: f.rule.File, Watching: f.watching,
		Ready: len(f.q.oldest), Settling: len(f.q.timers) + len(f.q.held.drops), InHand: f.q.inHand, More: f.q.missed,
		Ignored: f.ignored, Refused: f.refused, LastScan: f.lastScan, ScanTook: f.scanTook, Counts: f.counts,
		OldestWaiting: f.q.oldestWait(time.Now()),
	}
	s.Level, s.State, s.Reason = f.health()
	return s
}

// health is the worst of what is known.
func (f *folder) health() (Level, string, string) {
	if why := f.r.absent[f.rule.Hotfolder]; why != "" {
		return Red, "unreadable", why
	}
	if why := f.stalled(); why != "" {
		return Red, "stalled", why
	}
	switch {
	case f.r.halted != "":
		return Red, "halted", f.r.halted
	case f.scanErr != "":
		return Red, "unreadable", f.scanErr
	case f.outage.on():
		return Amber, "waiting", f.outage.reason
	case f.q.held.on():
		return Amber, "waiting", heldReason
	case f.whyPaused() != "":
		return Amber, "paused", f.whyPaused()
	case f.refused > 0:
		return Amber, f.activity(), fmt.Sprintf("left alone, because they are no plain files: %d", f.refused)
	}
	return Green, f.activity(), ""
}

func (f *folder) activity() string {
	if f.q.inHand > 0 || len(f.q.oldest) > 0 {
		return "importing"
	}
	return "watching"
}

// stalled looks for a scan or walk that has shown no sign of life.
func (f *folder) stalled() string {
	for _, of := range []*atomic.Pointer[progress]{&f.scanning, &f.looking} {
		p := of.Load()
		if p == nil {
			continue
		}
		if step, idle, yes := p.stalled(); yes {
			return fmt.Sprintf("the store has not answered a %s for %s", step, idle.Round(time.Second))
		}
	}
	for p := range f.hands {
		if step, idle, yes := p.stalled(); yes {
			return fmt.Sprintf("the store has not answered for %s (step %s of %s)", idle.Round(time.Second), step, p.key.Quoted())
		}
	}
	return ""
}

// oldestWait is how long the longest-waiting candidate has been known. The heaps are ordered by arrival, so this looks at the
// oldest ready one and at the unsettled ones, which are few.
func (q *queue) oldestWait(now time.Time) time.Duration {
	var most time.Duration
	if len(q.oldest) > 0 {
		most = now.Sub(q.oldest[0].first)
	}
	for i, c := range q.timers {
		if i == 1000 {
			break
		}
		most = max(most, now.Sub(c.first))
	}
	return most
}
