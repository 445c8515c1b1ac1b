// Package leases is the contract for the right of one node to work on one name.
//
// A lease is a context: it is canceled, with cause [ErrLost], as soon as its holder cannot be sure of it any more. Leases
// make the work efficient and ordered; they do not make it safe. Safety comes from the ledger's create-if-absent, which
// holds under any pause, partition or clock. So a holder that is late does no harm, it is only refused.
//
// leases/local serves a node that is alone, leases/consul the nodes of a cluster. The suite leasestest holds every implementation to this text.
package leases

import (
	"context"
	"errors"
	"fmt"
)

var (
	// ErrHeld: another holder has the name now. It is an ordinary answer, not a fault.
	ErrHeld = errors.New("held elsewhere")
	// ErrLost is the cause of a lease's context when the lease ended without its holder's wish.
	ErrLost = errors.New("lease lost")
	// ErrReleased is the cause when the holder gave the lease back.
	ErrReleased = errors.New("lease released")
	// ErrClosed: the leaser was closed.
	ErrClosed = errors.New("leaser closed")
)

// Token is the fence: of two leases on one name the later has the greater token, over restarts too. Epoch comes first
// and grows when the source of Index begins anew.
type Token struct {
	Epoch uint64
	Index uint64
}

// Less orders tokens by age.
func (t Token) Less(u Token) bool {
	return t.Epoch < u.Epoch || t.Epoch == u.Epoch && t.Index < u.Index
}

// String is "epoch.index", as ledger records carry it.
func (t Token) String() string { return fmt.Sprintf("%d.%d", t.Epoch, t.Index) }

// Lease is one name held. Its methods are safe for concurrent use.
type Lease interface {
	Name() string
	Token() Token
	// Context ends with the lease; context.Cause tells [ErrLost], [ErrReleased] or [ErrClosed].
	Context() context.Context
	// Release gives the name back. Idempotent; after ErrLost it does nothing and returns nil. The context has ended
	// before another can get the name.
	Release(ctx context.Context) error
}

// Grant is the answer for one name: a lease, or the reason why not ([ErrHeld], or a fault of the leaser).
type Grant struct {
	Name  string
	Lease Lease
	Err   error
}

// Leaser hands out leases. Safe for concurrent use.
type Leaser interface {
	// Acquire asks for several names at once and never waits for a holder. It returns one grant per name, in order. The
	// error is for the whole call (ctx, no connection, [ErrClosed]); the grants are then nil.
	Acquire(ctx context.Context, names ...string) ([]Grant, error)
	// Close gives everything back. Idempotent.
	Close() error
}
