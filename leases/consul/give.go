package consul

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/hashicorp/consul/api"

	"hotfolderd/leases"
)

// parting is a lease whose context has ended and whose key is to be taken away.
type parting struct {
	lease *lease
	done  chan error // has room for the answer
}

// part ends the lease and lines it up to be given back. It returns nil when the lease had ended before.
func (l *Leaser) part(g *lease, cause error) <-chan error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if g.busy || g.ctx.Err() != nil {
		return nil
	}
	g.end(cause)
	return l.lineUp(g)
}

// lineUp has the key of a lease taken away; mu is held. What stands in line at the same time goes together.
func (l *Leaser) lineUp(g *lease) <-chan error {
	g.busy = true
	p := parting{g, make(chan error, 1)}
	l.parting = append(l.parting, p)
	if !l.giving {
		l.giving = true
		l.tasks.Go(l.give)
	}
	return p.done
}

// giveAll parts from everything and waits. Nobody asks any more.
func (l *Leaser) giveAll() error {
	var waits []<-chan error
	l.mu.Lock()
	for _, g := range l.table {
		if !g.busy && g.ctx.Err() == nil {
			g.end(leases.ErrClosed)
			waits = append(waits, l.lineUp(g))
		}
	}
	l.mu.Unlock()
	return first(waits)
}

// first waits for all and returns the first error.
func first(waits []<-chan error) (failed error) {
	for _, done := range waits {
		if err := <-done; err != nil && failed == nil {
			failed = err
		}
	}
	return failed
}

// give takes keys away until nobody waits any more. When Consul does not answer, nobody waits for it one batch after another:
// what is left is swept when it answers again, or goes with the session.
func (l *Leaser) give() {
	for now := l.nextParting(); len(now) > 0; now = l.nextParting() {
		err := l.giveTogether(now)
		for _, p := range now {
			if errors.Is(err, errStale) {
				l.left(p, l.giveOne(p.lease))
			} else {
				l.left(p, err)
			}
		}
		if errors.Is(err, ErrUnreachable) {
			l.leaveAll(err)
		}
	}
}

func (l *Leaser) nextParting() []parting {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := min(len(l.parting), batch)
	now := l.parting[:n:n]
	l.parting = l.parting[n:]
	l.giving = n > 0
	return now
}

// leaveAll tells all who stand in line that they waited in vain.
func (l *Leaser) leaveAll(err error) {
	l.mu.Lock()
	now := l.parting
	l.parting = nil
	l.mu.Unlock()
	for _, p := range now {
		l.left(p, err)
	}
}

// left takes the lease out of the table and tells its holder.
func (l *Leaser) left(p parting, err error) {
	l.mu.Lock()
	l.drop(p.lease, leases.ErrReleased)
	l.mu.Unlock()
	if err != nil {
		err = fmt.Errorf("release %s: %w", strconv.Quote(p.lease.name), err)
	}
	p.done <- err
}

// errStale: a key is not as it was when it was locked.
var errStale = errors.New("the key was changed")

// giveTogether deletes the keys as they were locked, all or none.
func (l *Leaser) giveTogether(all []parting) error {
	ops := make(api.KVTxnOps, len(all))
	for i, p := range all {
		ops[i] = l.deletion(p.lease.name, p.lease.token.Index)
	}
	return l.delete(ops)
}

func (l *Leaser) deletion(name string, index uint64) *api.KVTxnOp {
	return &api.KVTxnOp{Verb: api.KVDeleteCAS, Key: l.prefix + name, Index: index}
}

func (l *Leaser) delete(ops api.KVTxnOps) error {
	res, err := l.conn.txn(l.ctx, ops)
	switch {
	case err != nil:
		return err
	case res.ok:
		return nil
	case res.denied():
		return res.why()
	}
	return errStale
}

// giveOne takes a key away that was changed since it was locked, if it is still held by the lease's session.
func (l *Leaser) giveOne(g *lease) error {
	const tries = 5
	for range tries {
		now, err := l.conn.Get(l.ctx, l.prefix+g.name)
		if err != nil || now == nil || now.Session != g.session.id {
			return err
		}
		if err = l.delete(api.KVTxnOps{l.deletion(g.name, now.ModifyIndex)}); !errors.Is(err, errStale) {
			return err
		}
	}
	return errStale
}
