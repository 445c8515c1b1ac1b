package consul

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"go.uber.org/zap"

	"hotfolderd/leases"
)

// Options of a [Leaser].
type Options struct {
	// Root is the prefix of the namespace's keys, see [Root]; the names lie below it, in leases/.
	Root string
	// Epoch is the first part of every token: it must grow when Consul's data were lost. The key epoch below Root, a decimal
	// number, takes its place when that is greater, and while that key is missing again nothing is granted.
	Epoch uint64
	Log   *zap.Logger // nil is silent
}

// Leaser holds names by the session of its keeper. There must be at most one for a keeper and a root: it takes away the keys
// of the session that it does not know.
type Leaser struct {
	conn   *Conn
	keeper *Keeper
	prefix string
	epochs epochs
	log    *zap.Logger
	ctx    context.Context // of all requests that no caller bounds
	stop   context.CancelFunc
	tasks  sync.WaitGroup
	askers sync.WaitGroup

	mu      sync.Mutex
	table   map[string]*lease
	parting []parting // waiting to be given back
	giving  bool      // somebody gives back
	closed  bool

	sight sight
}

var _ leases.Leaser = (*Leaser)(nil)

// New begins to watch the names. Close the leaser before the keeper and the connection.
func New(conn *Conn, k *Keeper, o Options) *Leaser {
	l := &Leaser{
		conn: conn, keeper: k, prefix: strings.TrimSuffix(o.Root, "/") + "/leases/", log: o.Log,
		epochs: epochs{key: strings.TrimSuffix(o.Root, "/") + "/epoch", last: o.Epoch}, table: map[string]*lease{}, sight: sight{changed: make(chan struct{})},
	}
	if l.log == nil {
		l.log = zap.NewNop()
	}
	l.ctx, l.stop = context.WithCancel(context.Background()) // cleanup: Close
	l.tasks.Go(l.look)
	return l
}

// Acquire implements leases.Leaser. Held names are found by reading, which costs Consul's log nothing; only free ones are
// asked for. Without a session the error wraps [leases.ErrLost].
func (l *Leaser) Acquire(ctx context.Context, names ...string) ([]leases.Grant, error) {
	if ctx.Err() != nil {
		return nil, fmt.Errorf("acquire: %w", context.Cause(ctx))
	}
	s := l.keeper.Current()
	if s.ctx.Err() != nil {
		return nil, fmt.Errorf("acquire: %w", context.Cause(s.ctx))
	}
	asked, err := l.reserve(s, names)
	if err != nil {
		return nil, fmt.Errorf("acquire: %w", err)
	}
	defer l.askers.Done()
	if err = l.take(ctx, s, asked); err != nil {
		l.forget(asked, err)
		return nil, fmt.Errorf("acquire: %w", err)
	}
	return l.settle(asked), nil
}

// reserve puts the names into the table, so that nobody else of this node asks for them; those that are there stay refused.
// Afterwards askers has one more to wait for.
func (l *Leaser) reserve(s *Session, names []string) ([]*lease, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, leases.ErrClosed
	}
	asked := make([]*lease, len(names))
	for i, name := range names {
		asked[i] = newLease(l, s, name)
		if l.knows(name) {
			asked[i].err = held(name)
			continue
		}
		l.table[name] = asked[i]
	}
	l.askers.Add(1)
	return asked, nil
}

func held(name string) error { return fmt.Errorf("lease %s: %w", strconv.Quote(name), leases.ErrHeld) }

// settle ends the asking: what was not granted leaves the table.
func (l *Leaser) settle(asked []*lease) []leases.Grant {
	l.mu.Lock()
	defer l.mu.Unlock()
	grants := make([]leases.Grant, len(asked))
	for i, g := range asked {
		g.busy = false
		if g.err != nil {
			l.drop(g, g.err)
		}
		grants[i] = g.grant()
	}
	return grants
}

// forget ends an asking that failed. What Consul may have locked all the same is taken away when it is seen.
func (l *Leaser) forget(asked []*lease, why error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, g := range asked {
		l.drop(g, why)
	}
}

// drop takes a lease out of the table; mu is held.
func (l *Leaser) drop(g *lease, cause error) {
	g.end(cause)
	if l.table[g.name] == g {
		delete(l.table, g.name)
	}
}

// Close implements leases.Leaser. The error says that Consul was not told; then the session's end frees the names.
func (l *Leaser) Close() error {
	l.mu.Lock()
	first := !l.closed
	l.closed = true
	l.mu.Unlock()
	var err error
	if first {
		l.askers.Wait() // a request that is given up may still be done, and nobody would know
		if err = l.giveAll(); err == nil {
			err = l.sweepAll()
		}
		l.stop()
	}
	l.tasks.Wait()
	return err
}

// nonce tells one asking from another. A name that is locked anew gets a new index only when its value is new, and only a new
// index keeps a late request of the past from touching it.
func (l *Leaser) nonce() []byte { return []byte(l.keeper.node + " " + rand.Text()[:16]) }

// waiting are those that Consul may still grant.
func waiting(asked []*lease) []*lease {
	return slices.DeleteFunc(slices.Clone(asked), func(g *lease) bool { return g.err != nil || g.token.Index != 0 })
}
