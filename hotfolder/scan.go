package hotfolder

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"time"

	"go.uber.org/zap"

	"hotfolderd/asset"
	"hotfolderd/config"
	"hotfolderd/storage"
)

// How often a folder is scanned. A scan is the truth; hints only make it sooner.
const (
	scanDuty    = 20               // without hints, a scan may take one part in so many of the time
	minPoll     = time.Second      // shortest time between two scans of a folder without hints
	maxPoll     = 10 * time.Second // longest, when nothing changes and the rule does not say
	watchedDuty = 100              // with hints
	watchedPoll = time.Minute      // shortest time between two scans that nobody asked for, with hints; of a bucket the longest
	askedDuty   = 4                // when the rule says how often, or a scan looks at a few pages only
	keptPoll    = 30 * time.Second // longest with hints of a share that files stay in: they do not tell when those are written to
	sharePoll   = 5 * time.Minute  // longest with hints of any other share
	maxTold     = 10_000           // refused things that are remembered as told
)

// scanLoop scans at once, then when asked and when it is time, until ctx ends. Where a listing is paid by the page, only a scan that
// was asked for looks at the whole.
func (f *folder) scanLoop(ctx context.Context, w *watching) <-chan struct{} {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer f.loans.end()
		quiet, due, how := time.Duration(0), time.Time{}, everything
		for ctx.Err() == nil {
			paged := f.store.Properties().Flat
			if !paged && how == newThings {
				how = everything
			}
			w.ensure(ctx)
			if how != newThings {
				f.gather(ctx, how)
				if forget(f.scanAsked) { // this is it
					how = everything
					w.ensure(ctx) // that may have been why
				}
			}
			found, took, done := f.scan(ctx, how)
			if done {
				quiet = f.pollPause(quiet, found, took, w.isOn())
				if paged && how == everything {
					quiet = minPoll // what comes is a poll, which is short however long the whole took
				}
				due = time.Now().Add(quiet)
				forget(f.scanJoins) // it was this one
			}
			how = newThings
			select {
			case <-ctx.Done():
			case <-f.scanAsked:
				how = everything
				sleep(ctx, took/4) // asked again and again, scans still leave time for work
			case <-f.scanJoins:
				how = withOthers
			case <-time.After(time.Until(due)):
			}
		}
	}()
	return ended
}

// pollPause is the time to the next scan: it doubles while nothing is found. A bucket's hints come over a network, and more of them are
// lost when there is more to tell. What is found on a share although no hint told of it shows that its folders' times cannot be trusted.
func (f *folder) pollPause(last time.Duration, found bool, took time.Duration, hints bool) time.Duration {
	least, most, duty := minPoll, maxPoll, time.Duration(scanDuty)
	p := f.store.Properties()
	switch {
	case p.Flat && hints:
		most, duty = watchedPoll, askedDuty
	case p.Flat:
		duty = askedDuty
	case hints && p.Remote && !p.FolderTimes:
	case hints && p.Remote && f.rule.After == config.AfterKeep:
		most = keptPoll
	case hints && p.Remote:
		most, duty = sharePoll, watchedDuty
	case hints:
		least, most, duty = watchedPoll, 10*watchedPoll, watchedDuty
	}
	if p := f.rule.Complete.Poll.D(); p > 0 {
		least, most, duty = min(least, p), p, askedDuty
	}
	next := least
	if !found {
		next = min(max(2*last, least), most)
	}
	return max(next, duty*took)
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// What a scan looks at.
type howMuch int

const (
	everything howMuch = iota
	newThings          // a poll, where a listing is paid by the page
	withOthers         // everything, if it is another node that looks
)

// scan looks at the whole hotfolder once, as a stream, or has another node's scan tell it, or does one poll. It reports whether it found anything
// to do, and whether it was done at all.
func (f *folder) scan(ctx context.Context, how howMuch) (found bool, took time.Duration, done bool) {
	p := newProgress(stepScan, f.prefix)
	f.scanning.Store(p)
	defer f.scanning.Store(nil)
	f.leaveOthers()
	s := scan{f: f, ctx: ctx, p: p, at: &f.at, begin: time.Now()}
	switch {
	case how == newThings:
		s.poll()
		s.took = time.Since(s.begin)
	case f.borrows() && s.borrow(how == withOthers):
	case how == withOthers:
		return false, 0, false
	default:
		s.own()
	}
	s.end()
	return s.found, s.took, true
}

// own looks at the whole, and lends that to those who take part.
func (s *scan) own() {
	f := s.f
	s.ignored, s.refused = 0, 0
	f.at = cursors{}
	s.loans = f.loans.begin()
	ended := s.look(asset.Root, func(storage.Object) bool { return false })
	f.at.before = f.at.newest
	f.ownScan, s.took = s.begin, time.Since(s.begin)
	s.count(s.ignored, s.refused)
	s.endLoans(ended)
}

// look goes through what comes after a key, or through all with Root, until there is enough. It reports whether it came to the end.
func (s *scan) look(after asset.Key, enough func(storage.Object) bool) (ended bool) {
	ended = true
	opts := storage.ListOptions{Recursive: true, StartAfter: after, Enter: func(key asset.Key) bool {
		rel, _ := key.Below(s.f.prefix)
		return s.f.filter.EnterFolder(rel)
	}}
	for o, err := range s.f.store.List(s.ctx, s.f.prefix, opts) {
		s.p.beat()
		if err != nil {
			s.fault(err)
			ended = false
			continue
		}
		s.see(o)
		if enough(o) {
			return false
		}
	}
	return ended
}

type scan struct {
	f       *folder
	ctx     context.Context //nolint:containedctx // lives as long as one scan
	p       *progress
	at      *cursors
	begin   time.Time
	took    time.Duration
	found   bool // what no hint has told of
	ignored int
	refused int
	others  *finds  // what is other nodes' to import, when they are to be told
	loans   []*loan // other nodes that are told of all that is theirs
	err     error
}

// see decides by name, kind, partition and memory whether a thing is worth a worker's look. What is another node's is left to
// it, not remembered: when it becomes this node's, a scan is asked for. Every node counts what is never a drop, for its own
// status; what is unusual is told by the node whose it would be.
func (s *scan) see(o storage.Object) {
	if o.Kind == storage.Regular {
		s.at.note(o)
	}
	key, ok := o.Key.Below(s.f.prefix)
	switch {
	case !ok || o.Kind == storage.Directory:
		return
	case s.f.filter.ignoredFile(key) != "":
		s.ignored++
		return
	}
	s.lend(key, o)
	switch {
	case unsafeKind(o.Kind):
		s.refused++
		if s.f.mine(key) {
			s.f.tell(key, o)
		}
		return
	case !s.f.mine(key):
		s.others.add(o)
		return
	}
	s.f.r.mu.Lock()
	known := s.f.done.has(key, o.Version)
	isNew := !known && s.f.q.offerSeen(key, o, time.Now())
	s.f.r.mu.Unlock()
	if isNew {
		s.found = s.found || !s.f.near.explain(o.Key.Dir())
		s.f.wake()
	}
}

// leaveOthers forgets the candidates that have become another node's since they were queued.
func (f *folder) leaveOthers() {
	f.r.mu.Lock()
	keys := slices.Collect(maps.Keys(f.q.byKey))
	f.r.mu.Unlock()
	others := slices.DeleteFunc(keys, f.mine)
	f.r.mu.Lock()
	defer f.r.mu.Unlock()
	for _, key := range others {
		if c := f.q.byKey[key]; c != nil && c.state != inHand {
			f.q.forget(c)
		}
	}
}

// offerSeen is offer without the hint: a scan that sees a waiting file again says nothing new about it.
func (q *queue) offerSeen(key asset.Key, o storage.Object, now time.Time) bool {
	if q.byKey[key] != nil {
		return false
	}
	return q.offer(key, o.Changed, false, now)
}

func (s *scan) fault(err error) {
	if s.err == nil && s.ctx.Err() == nil {
		s.err = err
	}
}

// count publishes what a look at the whole left alone.
func (s *scan) count(ignored, refused int) {
	s.f.r.mu.Lock()
	defer s.f.r.mu.Unlock()
	if s.ctx.Err() == nil {
		s.f.ignored, s.f.refused = ignored, refused
	}
}

func (s *scan) end() {
	f := s.f
	if s.ctx.Err() != nil {
		return
	}
	f.r.mu.Lock()
	before := f.scanErr
	f.lastScan, f.scanTook = time.Now(), s.took
	f.scanErr = faultWords(s.err)
	after := f.scanErr
	f.r.mu.Unlock()
	f.r.o.Metrics.scan(f.rule.Hotfolder, s.took)
	if after != "" && after != before {
		f.log.Warn("scan failed", zap.Error(s.err))
	}
	if after == "" && before != "" {
		f.log.Info("scan works again")
	}
}

func faultWords(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, fs.ErrNotExist):
		return "the folder does not exist; make it, or check that the share is mounted"
	}
	return err.Error()
}

// tell journals once that something in the hotfolder is left alone because of what it is.
func (f *folder) tell(key asset.Key, o storage.Object) {
	mark := asset.Version(o.Kind.String())
	f.r.mu.Lock()
	told := f.told[key] == mark
	if len(f.told) >= maxTold {
		clear(f.told)
	}
	f.told[key] = mark
	f.r.mu.Unlock()
	if told {
		return
	}
	reason := kindReason(o.Kind)
	f.log.Warn("left alone", zap.String("key", key.Shown()), zap.String("reason", reason))
	f.r.d.Journal(asset.Event{
		Time: time.Now(), Node: f.r.d.Node, Hotfolder: f.rule.Hotfolder, Key: key, Size: o.Size,
		Result: asset.Ignored, Step: "detect", Reason: reason,
	})
}
