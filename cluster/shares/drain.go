package shares

import (
	"context"
	"errors"
	"fmt"
)

var errResumed = errors.New("drain: ended by Resume")

// Drain takes nothing any more, whatever Set says, lets no walk begin, and returns when those in hand have ended and everything
// was given back; at once when Run does not run. When ctx ends first, the error says what is still in hand, and the draining goes
// on. It holds until Resume. The others take over once their Set counts on this node no longer, so that must be published, too.
func (s *Shares) Drain(ctx context.Context) error {
	select {
	case <-s.drain():
		return s.drained()
	case <-ctx.Done():
		held := s.Status()
		walks := 0
		for _, h := range held {
			walks += h.InHand
		}
		return fmt.Errorf("drain: %d partitions not given back, %d walks in hand: %w", len(held), walks, context.Cause(ctx))
	}
}

// drain begins it and returns a channel that is closed when all is given back.
func (s *Shares) drain() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draining = true
	s.replan()
	if s.empty == nil {
		s.empty = make(chan struct{})
	}
	empty := s.empty
	if !s.running {
		s.emptied()
	}
	return empty
}

func (s *Shares) drained() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.draining {
		return errResumed
	}
	return nil
}

// Resume ends Drain: the node takes part again as Set says. Idempotent.
func (s *Shares) Resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.draining {
		return
	}
	s.draining = false
	s.emptied()
	s.replan()
}

// emptied tells those who wait in Drain; mu is held.
func (s *Shares) emptied() {
	if s.empty != nil {
		close(s.empty)
		s.empty = nil
	}
}
