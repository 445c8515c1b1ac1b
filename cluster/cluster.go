package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"hotfolderd/leases/consul"
)

var (
	// ErrDuplicate: another live node has the id. The text names its address. The node must end: its settings are wrong.
	ErrDuplicate = errors.New("the node id is taken")
	// ErrStore: the cluster works on another store than this node. The node must end.
	ErrStore = errors.New("this cluster works on another store")
	// ErrForget: the node has no duty that another could get.
	ErrForget = errors.New("there is nothing to give to another")
)

// Values of Options.Isolation, as in the settings.
const (
	Majority = "majority" // a node without contact is read-only
	Static   = "static"   // the main node stays read-write, the others only while it lives
	Dynamic  = "dynamic"  // as majority: those that have contact stay read-write
)

// Options of one member. Conn, Keeper, Namespace, Self.ID and Self.Store are required.
type Options struct {
	Conn   *consul.Conn
	Keeper *consul.Keeper
	// Namespace keeps clusters on one Consul apart.
	Namespace string
	// Self is the entry to begin with. An empty Instance is made, a zero Started is now, Share begins at 1.
	Self Member
	// Isolation is Majority, Static or Dynamic; empty is Majority.
	Isolation string
	// WaitFor importers must have been live at the same time before this node imports.
	WaitFor int
	// Home is what the store says of its cluster, see [Belonging]; nil: nobody asks. Cluster is what Settle said before.
	Home    Home
	Cluster string
	// Epoch raises the epoch on the shared store; see the function Epoch. With it a Consul that was rebuilt under a running
	// cluster gets a new epoch, without which no lease is granted any more. nil: nobody looks.
	Epoch func(ctx context.Context, atLeast uint64) (uint64, error)
	Probe ProbeOptions
	// Log nil is silent.
	Log     *zap.Logger
	Metrics prometheus.Registerer
}

// Cluster is this node's place among the members. Make it with [Join]. All methods are safe for concurrent use.
type Cluster struct {
	o       Options
	root    string
	prober  *prober
	metrics *metrics

	writing sync.Mutex // one writer of the own entry at a time
	left    bool       // under writing: the entry must not come back
	written written    // under writing
	epoch   uint64     // only Join and then publish use it
	cluster string     // likewise: the id of the cluster, once it is known

	mu      sync.Mutex // guards what follows
	self    Member     // as it should be published
	state   state
	signals map[chan struct{}]struct{}

	dirty chan struct{} // self has changed
}

// Join enters the node. The HTTP server at Self.Address must answer /livez already.
//
// An entry of the own id that another start left behind is taken over at once when nobody listens at its address. When nobody
// answers there Join waits until its session has ended, at most twice its TTL and 5 seconds. It returns [ErrDuplicate] when the
// other lives, [ErrStore] when the cluster works on another store, [ErrHome] when the store belongs to another cluster, and what Consul says. The entry is gone after [Cluster.Leave],
// or when the Keeper is closed.
func Join(ctx context.Context, o Options) (*Cluster, error) {
	c, err := newCluster(o)
	if err != nil {
		return nil, fmt.Errorf("join: %w", err)
	}
	_, err = c.enter(ctx, false)
	if err == nil {
		err = c.look(ctx)
	}
	if err != nil {
		_ = c.Leave(ctx) // else the entry ends with the session
		return nil, fmt.Errorf("join: %w", err)
	}
	return c, nil
}

func newCluster(o Options) (*Cluster, error) {
	switch {
	case o.Conn == nil || o.Keeper == nil || o.Namespace == "" || o.Self.ID == "" || o.Self.Store == "":
		return nil, errors.New("connection, keeper, namespace, node id and store id are required")
	case o.Isolation == "":
		o.Isolation = Majority
	case o.Isolation != Majority && o.Isolation != Static && o.Isolation != Dynamic:
		return nil, fmt.Errorf("isolation %q: want %s, %s or %s", o.Isolation, Majority, Static, Dynamic)
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	if o.Home == nil {
		o.Home = homeless{}
	}
	if o.Self.Instance == "" {
		o.Self.Instance = NewInstance(o.Self.ID)
	}
	if o.Self.Started.IsZero() {
		o.Self.Started = time.Now()
	}
	o.Self.Share = 1
	o.Probe = o.Probe.withDefaults()
	m, err := newMetrics(o.Metrics)
	c := &Cluster{
		o: o, root: consul.Root(o.Namespace), prober: newProber(o.Probe), metrics: m, self: o.Self,
		signals: map[chan struct{}]struct{}{}, dirty: make(chan struct{}, 1),
	}
	return c, err
}

// Run keeps the entry and the view until ctx ends, and returns nil then. The entry stays: call [Cluster.Leave]. It returns
// earlier with [ErrDuplicate], [ErrStore] or [ErrHome] when the session was lost and meanwhile another node took the id, or Consul was
// rebuilt for another store.
func (c *Cluster) Run(ctx context.Context) error {
	rctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	defer c.prober.close()
	var wg sync.WaitGroup
	for _, part := range []func(context.Context){c.watch, c.vigil, c.shed, c.stand, c.observe, c.convict} {
		wg.Go(func() { part(rctx) })
	}
	err := c.publish(rctx)
	end(err)
	wg.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// enter does what comes before being a member, and becomes one. again says that this node was a member a moment ago.
func (c *Cluster) enter(ctx context.Context, again bool) (*consul.Session, error) {
	if err := c.belong(ctx); err != nil {
		return nil, err
	}
	if err := c.agreeOnEpoch(ctx, again); err != nil {
		return nil, err
	}
	session, err := c.claim(ctx, again)
	if err != nil {
		return nil, err
	}
	return session, c.standNow(ctx)
}

// belong makes sure that all members work on one store, and the store for no other cluster.
func (c *Cluster) belong(ctx context.Context) error {
	b := Belonging{Conn: c.o.Conn, Namespace: c.o.Namespace, Store: c.o.Self.Store, Home: c.o.Home, Cluster: cmp.Or(c.cluster, c.o.Cluster)}
	id, err := b.Settle(ctx)
	if err == nil {
		c.cluster = id
	}
	return err
}

// Self is the own entry as it should be published. It may be ahead of the view.
func (c *Cluster) Self() Member {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.self
}
