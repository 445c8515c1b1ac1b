package admin

import (
	"context"
	"slices"
	"sync"
	"time"

	"hotfolderd/asset"
)

// The page shows failed drops from memory. They live on the store, so the list is read again beside the request.
const (
	failedShown  = 50
	failedRead   = 1000
	failedFresh  = 15 * time.Second       // other nodes fail too, and tell us nothing
	failedGrace  = 400 * time.Millisecond // that the page waits for a list that is being read
	failedSettle = time.Second            // between two readings, however many look
)

// failedList is the newest failed drops as they were last read. At most one reading runs.
type failedList struct {
	mu      sync.Mutex
	shown   []asset.Failure
	more    bool
	fault   string
	read    time.Time // when the last reading ended; zero before the first
	dirty   bool
	seen    uint64        // failures counted when the last reading began
	reading chan struct{} // closed when the reading ends; nil when none runs
}

// failedView is the list for one page.
type failedView struct {
	shown []asset.Failure
	more  bool
	read  time.Time
	fault string
}

// failures gives the list, having waited a moment for a newer one if this one may be old. count is how many drops failed as
// far as this node knows: when it grows, the list is old at once.
func (s *Server) failures(ctx context.Context, count uint64) failedView {
	if s.b.Failures == nil {
		return failedView{}
	}
	if reading := s.readFailed(context.WithoutCancel(ctx), count); reading != nil {
		wait := time.NewTimer(failedGrace)
		defer wait.Stop()
		select {
		case <-reading:
		case <-wait.C:
		case <-ctx.Done():
		}
	}
	l := &s.failed
	l.mu.Lock()
	defer l.mu.Unlock()
	return failedView{shown: slices.Clone(l.shown), more: l.more, read: l.read, fault: l.fault}
}

// readFailed begins a reading when one is due and returns the one that runs, or nil.
func (s *Server) readFailed(ctx context.Context, count uint64) <-chan struct{} {
	l := &s.failed
	l.mu.Lock()
	defer l.mu.Unlock()
	since := time.Since(l.read)
	changed := l.dirty || count != l.seen
	if l.reading != nil || since <= failedFresh && !(changed && since > failedSettle) {
		return l.reading
	}
	l.dirty, l.seen = false, count
	l.reading = make(chan struct{})
	go func() {
		got, err := fetch(ctx, s, func(ctx context.Context) (some[asset.Failure], error) {
			return collect(ctx, s.b.Failures(ctx), failedRead)
		})
		l.keep(got, err)
	}()
	return l.reading
}

func (l *failedList) keep(got some[asset.Failure], err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fault = ""
	switch {
	case err != nil:
		l.fault = problemOf(err).Detail
	default:
		slices.SortStableFunc(got.values, func(a, b asset.Failure) int { return b.Time.Compare(a.Time) })
		l.more = got.more || len(got.values) > failedShown
		l.shown = got.values[:min(len(got.values), failedShown)]
	}
	l.read = time.Now()
	close(l.reading)
	l.reading = nil
}

// forget takes a drop that was put back off the list at once.
func (l *failedList) forget(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.shown = slices.DeleteFunc(slices.Clone(l.shown), func(f asset.Failure) bool { return f.ID == id })
	l.dirty = true
}

func (l *failedList) stale() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dirty, l.read = true, time.Time{}
}

// wait lets a reading that runs end, but not longer than d: it ends by its own deadline anyway.
func (l *failedList) wait(d time.Duration) {
	l.mu.Lock()
	reading := l.reading
	l.mu.Unlock()
	if reading == nil {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-reading:
	case <-t.C:
	}
}
