package consul

import (
	"context"
	"fmt"
	"time"

	"hotfolderd/leases"
)

// Session is the right of this node to hold names for as long as it renews. It never comes back: after a loss the [Keeper]
// makes another one.
type Session struct {
	id   string
	life time.Duration // from before a renewal is sent until nobody may be sure any more
	ctx  context.Context
	end  context.CancelCauseFunc
	due  *time.Timer
}

// newSession begins to count at sent, the moment before Consul was asked to make it.
func newSession(id string, life time.Duration, sent time.Time) *Session {
	s := &Session{id: id, life: life}
	s.ctx, s.end = context.WithCancelCause(context.Background()) // cleanup: the timer ends it
	s.due = time.AfterFunc(time.Until(sent.Add(life)), func() {
		s.lost(fmt.Sprintf("consul has not renewed the session for %v", life))
	})
	return s
}

// ID is Consul's name of the session, as keys that it holds show it.
func (s *Session) ID() string { return s.id }

// Context ends as soon as the holder cannot be sure of the session: when the last good renewal was sent longer ago than the
// TTL less a margin, by the monotonic clock, or when Consul says that the session is gone. [context.Cause] then wraps
// [leases.ErrLost], or [leases.ErrClosed] after Close of the keeper.
func (s *Session) Context() context.Context { return s.ctx }

// renewed moves the deadline. A session that has ended stays so.
func (s *Session) renewed(sent time.Time) { s.due.Reset(time.Until(sent.Add(s.life))) }

func (s *Session) lost(why string) { s.finish(fmt.Errorf("%w: %s", leases.ErrLost, why)) }

func (s *Session) finish(cause error) {
	s.end(cause)
	s.due.Stop()
}
