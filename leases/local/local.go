package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"

	"hotfolderd/leases"
)

// Leaser is the table. Make one with [New].
type Leaser struct {
	lock  *os.File
	epoch uint64

	mu     sync.Mutex
	index  uint64 // of the last token
	held   map[string]*lease
	closed bool
}

var _ leases.Leaser = (*Leaser)(nil)

// New locks the folder dir, makes it when it is missing, and begins a new epoch. When another process works there the
// error says which and wraps [leases.ErrHeld]. Close unlocks.
func New(dir string) (*Leaser, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("local leases: %w", err)
	}
	lock, err := lockAlone(dir)
	if err != nil {
		return nil, err
	}
	epoch, err := nextEpoch(dir)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("local leases in %s: %w", strconv.Quote(dir), err), lock.Close())
	}
	return &Leaser{lock: lock, epoch: epoch, held: map[string]*lease{}}, nil
}

// Unlocked makes a table in this process only: for a node that has been given everything by other means. Its tokens begin above
// index in the epoch. Closing it is the caller's.
func Unlocked(epoch, index uint64) *Leaser {
	return &Leaser{epoch: epoch, index: index, held: map[string]*lease{}}
}

// Acquire implements leases.Leaser. A name asked for twice in one call is granted once.
func (l *Leaser) Acquire(ctx context.Context, names ...string) ([]leases.Grant, error) {
	if ctx.Err() != nil {
		return nil, fmt.Errorf("acquire: %w", context.Cause(ctx))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, fmt.Errorf("acquire: %w", leases.ErrClosed)
	}
	grants := make([]leases.Grant, 0, len(names))
	for _, name := range names {
		grants = append(grants, l.grant(ctx, name))
	}
	return grants, nil
}

// grant decides about one name; mu is held.
func (l *Leaser) grant(ctx context.Context, name string) leases.Grant {
	if l.held[name] != nil {
		return leases.Grant{Name: name, Err: fmt.Errorf("lease %s: %w", strconv.Quote(name), leases.ErrHeld)}
	}
	l.index++
	g := &lease{leaser: l, name: name, token: leases.Token{Epoch: l.epoch, Index: l.index}}
	g.ctx, g.end = context.WithCancelCause(context.WithoutCancel(ctx)) // the lease outlives the call
	l.held[name] = g
	return leases.Grant{Name: name, Lease: g}
}

// Close implements leases.Leaser and unlocks the folder.
func (l *Leaser) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	for _, g := range l.held {
		g.end(leases.ErrClosed)
	}
	clear(l.held)
	if l.lock == nil {
		return nil
	}
	return l.lock.Close()
}

type lease struct {
	leaser *Leaser
	name   string
	token  leases.Token
	ctx    context.Context
	end    context.CancelCauseFunc
}

func (g *lease) Name() string             { return g.name }
func (g *lease) Token() leases.Token      { return g.token }
func (g *lease) Context() context.Context { return g.ctx }

// Release needs nobody's answer, so that it works with a ctx that has ended too.
func (g *lease) Release(context.Context) error {
	l := g.leaser
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held[g.name] == g {
		g.end(leases.ErrReleased)
		delete(l.held, g.name)
	}
	return nil
}
