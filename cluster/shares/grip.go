package shares

import (
	"context"
	"sync/atomic"
	"time"

	"hotfolderd/leases"
)

// grip is one lease in our hand and the number of walks under it. Claims come from many goroutines; only the loop shuts and
// opens it.
type grip struct {
	lease leases.Lease
	since time.Time
	state atomic.Int64 // walks in hand, and shut
	done  func()       // leave, made once so that a claim allocates nothing
	wake  func()       // called when the lease has ended, and when the last walk of a shut grip has
	stop  func() bool  // stops looking for the lease's end
}

// shut says in a grip's state that no walk may begin.
const shut = 1 << 62

func newGrip(l leases.Lease, wake func()) *grip {
	g := &grip{lease: l, since: time.Now(), wake: wake, stop: context.AfterFunc(l.Context(), wake)}
	g.done = g.leave
	return g
}

// enter begins a walk, unless the grip is shut or the lease has ended. Each true asks for one leave.
func (g *grip) enter() bool {
	if g.state.Add(1)&shut == 0 && !g.ended() {
		return true
	}
	g.leave()
	return false
}

func (g *grip) leave() {
	if g.state.Add(-1) == shut {
		g.wake()
	}
}

func (g *grip) open() bool  { return g.state.Load()&shut == 0 }
func (g *grip) inHand() int { return int(g.state.Load() &^ shut) }
func (g *grip) ended() bool { return g.lease.Context().Err() != nil }

// close lets no walk begin any more; those in hand go on.
func (g *grip) close() { g.state.Or(shut) }

// reopen undoes close. The lease was held all the time.
func (g *grip) reopen() { g.state.And(^int64(shut)) }

// release gives the lease back; its context ends, whatever the answer.
func (g *grip) release(ctx context.Context) error {
	g.stop()
	return g.lease.Release(ctx)
}
