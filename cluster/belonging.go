package cluster

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/hashicorp/consul/api"

	"hotfolderd/leases/consul"
	"hotfolderd/storage"
)

// ErrHome: the store belongs to another cluster than this node. The node must end: two clusters know nothing of each other's
// members, tokens and changes.
var ErrHome = errors.New("the store belongs to another cluster")

// Home is what the shared store says of the cluster that it belongs to.
type Home interface {
	// Home is the cluster, and the number of the entry that says so; 0 when none ever did.
	Home(ctx context.Context) (h storage.Home, number uint64, err error)
	// SetHome gives the store to a cluster, durably, if the newest entry is still number after; else fs.ErrExist.
	SetHome(ctx context.Context, h storage.Home, after uint64) error
}

// Belonging holds a namespace on a Consul and a store together: each remembers the other, so that neither serves two. All fields
// but Cluster are required.
//
// Consul has the key `store`: the store's identity and the cluster's id, a random one that the first node made. The store has
// the id. Of a store that says nothing the first cluster takes possession. Consul that says nothing about a store that says
// something is another Consul, or has lost its data; nobody can tell which. Members that were there before know it for the same
// cluster by its id and write it again. For all others it must be said by people: [Belonging.Take].
type Belonging struct {
	Conn      *consul.Conn
	Namespace string
	Store     string // its identity
	Home      Home
	// Cluster is the id that this node has been a member of until now; empty when it was none.
	Cluster string
}

const (
	// putBackTime is how long a node that starts waits for members that were there before to write again what Consul lost.
	putBackTime  = 10 * time.Second
	putBackPause = 500 * time.Millisecond
)

// pledge is what Consul has in the key `store`.
type pledge struct {
	Store   string `json:"store"`
	Cluster string `json:"cluster"`
}

// found is what both sides say.
type found struct {
	pair   *api.KVPair // nil: Consul says nothing
	theirs pledge
	home   storage.Home
	number uint64
}

// Settle makes both sides say the same, and returns the id of the cluster. [ErrStore] when the namespace has another store,
// [ErrHome] when the store has another cluster.
func (b Belonging) Settle(ctx context.Context) (cluster string, err error) {
	until := time.Now().Add(putBackTime)
	for {
		f, err := b.look(ctx)
		if err != nil {
			return "", err
		}
		cluster, err := b.settle(ctx, f)
		switch {
		case cluster != "" || err != nil && !errors.Is(err, errLost):
			return cluster, err
		case err != nil && !time.Now().Before(until):
			return "", b.foreign(f)
		case err != nil && !sleep(ctx, putBackPause):
			return "", context.Cause(ctx)
		}
	}
}

// errLost: Consul says nothing about a store that has a cluster.
var errLost = errors.New("consul does not know the cluster of the store")

// settle does one step. An empty id without an error: look again.
func (b Belonging) settle(ctx context.Context, f found) (string, error) {
	switch {
	case f.pair != nil && f.theirs.Store != b.Store:
		return "", b.otherStore(f.theirs.Store)
	case f.home.Cluster != b.Cluster && b.Cluster != "" && f.number > 0:
		return "", b.foreign(f) // it was given away under this node
	case f.pair != nil && f.home.Cluster == f.theirs.Cluster:
		return f.theirs.Cluster, nil
	case f.pair != nil && f.home.Cluster == "":
		return b.possess(ctx, f)
	case f.pair != nil, f.home.Cluster != "" && f.home.Namespace != b.Namespace:
		return "", b.foreign(f)
	case f.home.Cluster != "" && f.home.Cluster != b.Cluster:
		return "", errLost
	}
	_, err := b.pledge(ctx, b.Cluster)
	return "", err
}

// possess takes a store that belongs to nobody.
func (b Belonging) possess(ctx context.Context, f found) (string, error) {
	err := b.Home.SetHome(ctx, storage.Home{Cluster: f.theirs.Cluster, Namespace: b.Namespace}, f.number)
	if errors.Is(err, fs.ErrExist) {
		return "", nil
	}
	return f.theirs.Cluster, err
}

// pledge writes to Consul which store the namespace has, if nothing says so yet. An empty id is made.
func (b Belonging) pledge(ctx context.Context, cluster string) (pledge, error) {
	if cluster == "" {
		cluster = rand.Text()
	}
	p := pledge{b.Store, cluster}
	value, err := json.Marshal(p)
	if err == nil {
		_, _, err = b.Conn.CAS(ctx, &api.KVPair{Key: b.key(), Value: value})
	}
	if err != nil {
		return p, fmt.Errorf("write the store of the cluster: %w", err)
	}
	return p, nil
}

// storeKey is where Consul has the pledge.
const storeKey = "store"

func (b Belonging) key() string { return consul.Root(b.Namespace) + storeKey }

func (b Belonging) look(ctx context.Context) (f found, err error) {
	if f.pair, err = b.Conn.Get(ctx, b.key()); err != nil {
		return f, fmt.Errorf("read the store of the cluster: %w", err)
	}
	if f.pair != nil {
		if err := json.Unmarshal(f.pair.Value, &f.theirs); err != nil || f.theirs.Cluster == "" {
			return f, fmt.Errorf("%w: consul key %q cannot be understood: delete it when no node runs, then start them", ErrStore, b.key())
		}
	}
	f.home, f.number, err = b.Home.Home(ctx)
	return f, err
}

// Check looks whether both sides say the same, and changes nothing: for a client that is no member. That one says nothing is no
// fault.
func (b Belonging) Check(ctx context.Context) error {
	f, err := b.look(ctx)
	switch {
	case err != nil:
		return err
	case f.pair != nil && f.theirs.Store != b.Store:
		return b.otherStore(f.theirs.Store)
	case f.home.Cluster != f.theirs.Cluster && f.home.Cluster != "":
		return b.foreign(f)
	}
	return nil
}

// Take gives the store to the cluster of the namespace, whatever it belonged to before; taken is false when it did already. No
// node may work on the store; members of the cluster before end when they see it. raise is as that of [Epoch]: the next epoch is
// above all that the store has seen, so that no token is given twice.
func (b Belonging) Take(ctx context.Context, raise func(ctx context.Context, atLeast uint64) (uint64, error)) (taken bool, err error) {
	f, err := b.look(ctx)
	if err == nil && f.pair == nil {
		if _, err = b.pledge(ctx, ""); err == nil {
			f, err = b.look(ctx)
		}
	}
	switch {
	case err != nil:
		return false, err
	case f.theirs.Store != b.Store:
		return false, b.otherStore(f.theirs.Store)
	case f.home.Cluster == f.theirs.Cluster:
		return false, nil
	}
	epoch, err := raise(ctx, 0)
	if err == nil {
		_, err = raise(ctx, epoch+1)
	}
	if err != nil {
		return false, fmt.Errorf("raise the store's epoch: %w", err)
	}
	return true, b.Home.SetHome(ctx, storage.Home{Cluster: f.theirs.Cluster, Namespace: b.Namespace}, f.number)
}

func (b Belonging) otherStore(theirs string) error {
	return fmt.Errorf("%w: namespace %q has store %s, this node has %s: mount the share that the other nodes have, or choose another namespace",
		ErrStore, b.Namespace, theirs, b.Store)
}

func (b Belonging) foreign(f found) error {
	here := "knows no cluster there: it is another Consul, or its data were lost"
	if f.pair != nil {
		here = "has cluster " + f.theirs.Cluster + " there"
	}
	return Foreign(f.home, fmt.Sprintf("this node is set to namespace %q, and its Consul %s", b.Namespace, here))
}

// Foreign is [ErrHome] with what the store says, what the node is set to, and what to do.
func Foreign(h storage.Home, wanted string) error {
	says := "no cluster at all any more"
	if h.Cluster != "" {
		says = fmt.Sprintf("cluster %s, namespace %q", h.Cluster, h.Namespace)
	}
	return fmt.Errorf("%w: the store says %s (since %s, by node %q), %s: correct cluster.consul and cluster.namespace; or, to move "+
		"the store on purpose, stop all its nodes and give it once to the new ones: hotfolderd cluster adopt",
		ErrHome, says, h.Since.Format(time.RFC3339), h.Node, wanted)
}

// homeless stands for a store that nobody asks.
type homeless struct{}

func (homeless) Home(context.Context) (storage.Home, uint64, error)  { return storage.Home{}, 0, nil }
func (homeless) SetHome(context.Context, storage.Home, uint64) error { return nil }
