package consul

import (
	"context"
	"fmt"
	"strconv"

	"hotfolderd/leases"
)

// lease is one name in the table of a [Leaser], from before Consul is asked for it until it was given back.
type lease struct {
	leaser  *Leaser
	name    string
	session *Session
	ctx     context.Context
	end     context.CancelCauseFunc

	// Until it is granted these belong to who asks; then they stay as they are.
	token leases.Token
	err   error // why it was not granted

	busy bool // being asked for or given back: nobody else of this node may touch the name; leaser.mu guards it
}

var _ leases.Lease = (*lease)(nil)

func newLease(l *Leaser, s *Session, name string) *lease {
	g := &lease{leaser: l, name: name, session: s, busy: true}
	g.ctx, g.end = context.WithCancelCause(s.ctx)
	return g
}

func (g *lease) Name() string             { return g.name }
func (g *lease) Token() leases.Token      { return g.token }
func (g *lease) Context() context.Context { return g.ctx }

// Release ends the context and takes the key away if it is still ours. When Consul does not answer, it is taken away later.
func (g *lease) Release(ctx context.Context) error {
	done := g.leaser.part(g, leases.ErrReleased)
	if done == nil {
		return nil
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("release %s: %w", strconv.Quote(g.name), context.Cause(ctx))
	}
}

// grant is the answer to the caller of Acquire.
func (g *lease) grant() leases.Grant {
	if g.err != nil {
		return leases.Grant{Name: g.name, Err: g.err}
	}
	return leases.Grant{Name: g.name, Lease: g}
}
