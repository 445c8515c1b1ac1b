package shares

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

const (
	gather    = 10 * time.Millisecond // what comes so close together is handled at once, in fewer transactions
	minPause  = 100 * time.Millisecond
	maxPause  = 2 * time.Second
	callTime  = 5 * time.Second  // bounds one call of the leaser
	leaveTime = 15 * time.Second // bounds the wait for walks in hand when Run ends
)

// loop is what only the goroutine of Run touches.
type loop struct {
	sets     []*set
	in       input
	moved    bool      // hotfolders changed sets in this round
	stopping bool      // Run ends: nothing is wanted
	forced   bool      // and nothing is waited for
	failed   bool      // something was refused in this round
	fails    int       // rounds with that, since the last without and the last news
	until    time.Time // what was refused is not tried before
}

// Run acquires, drains and gives back until ctx ends. Then it lets no walk begin, waits up to 15 s for those in hand, gives all
// back, and returns nil. It may be called again, never twice at a time.
func (s *Shares) Run(ctx context.Context) error {
	s.begin()
	defer s.end()
	var watch sync.WaitGroup
	if s.o.Watch != nil {
		watch.Go(func() { s.o.Watch(ctx, s.saw) })
	}
	for ctx.Err() == nil {
		s.round(ctx)
		s.await(ctx)
	}
	s.leave(ctx)
	watch.Wait()
	return nil
}

func (s *Shares) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loop, s.running = loop{}, true
	s.in.held, s.in.seen = nil, s.o.Watch == nil
	s.replan()
}

func (s *Shares) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = false
	s.emptied()
}

// leave gives all back, at the end of ctx.
func (s *Shares) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTime)
	defer cancel()
	s.loop.stopping = true
	s.mu.Lock()
	s.replan()
	s.mu.Unlock()
	for s.round(ctx); ctx.Err() == nil && !s.vacant(); s.round(ctx) {
		s.await(ctx)
	}
	s.loop.forced = true
	s.round(ctx)
}

// await returns when there is something to do.
func (s *Shares) await(ctx context.Context) {
	var due <-chan time.Time
	if s.loop.fails > 0 {
		t := time.NewTimer(time.Until(s.loop.until))
		defer t.Stop()
		due = t.C
	}
	select {
	case <-ctx.Done():
	case <-due:
	case <-s.wake:
		sleep(ctx, gather)
	}
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// round brings what is held nearer to what is wanted.
func (s *Shares) round(ctx context.Context) {
	s.look()
	s.dropEnded()
	reopened := s.turn()
	s.giveBack(ctx)
	taken := s.take(ctx)
	s.backOff()
	s.tidy()
	if taken+reopened > 0 || s.loop.moved {
		s.o.Gained()
	}
}

// backOff sets the pause after a round in which something was refused. News end it early.
func (s *Shares) backOff() {
	l := &s.loop
	if !l.failed {
		if !time.Now().Before(l.until) {
			l.fails = 0
		}
		return
	}
	d := min(2*minPause<<min(l.fails, 10), maxPause)
	l.fails++
	l.until = time.Now().Add(d/2 + rand.N(d/2))
}

// tidy forgets the sets of hotfolders that are not pinned any more, and tells Drain.
func (s *Shares) tidy() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for hotfolder, set := range s.sets {
		if _, pinned := s.in.pins[hotfolder]; !pinned && set.vacant() {
			delete(s.sets, hotfolder)
		}
	}
	if s.draining && s.vacant() {
		s.emptied()
	}
}

// vacant reports whether nothing is held.
func (s *Shares) vacant() bool {
	for _, set := range s.loop.sets {
		if !set.vacant() {
			return false
		}
	}
	return true
}
