package workarea

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// DefaultPrefix is where the work area lies in its store.
const DefaultPrefix asset.Key = "workarea"

// Options of [Open]. The zero value works.
type Options struct {
	// Node goes into the records and the journal.
	Node string
	// Expect is the identity that this node saw last, where it remembers one: an empty mount point in place of the share
	// is then refused too. Empty accepts any.
	Expect string
	// Existing refuses a store that holds no work area (fs.ErrNotExist) instead of making one there.
	Existing bool
	// Log gets what no caller is told: a journal that cannot be written, a mark that was left by a crash. nil is silent.
	Log *zap.Logger
	// Metrics registers the counters; nil is off.
	Metrics prometheus.Registerer
	// Now is the clock for records, events and archive folders; nil is time.Now.
	Now func() time.Time
	// Prefix is the place in the store; empty is [DefaultPrefix].
	Prefix asset.Key
	// Changes hears of each name that comes to stand for other bytes; nil when nobody else keeps any.
	Changes Changes
}

// Area is one work area. Its methods are safe for concurrent use. Make one with [Open]; there is nothing to close.
type Area struct {
	store   storage.Store
	prefix  asset.Key
	node    string
	id      string
	log     *zap.Logger
	now     func() time.Time
	count   *metrics
	journal *Journal
	changes Changes
	fresh   fresh
	rules   atomic.Int64 // the newest published rule set that was seen
}

// Open checks the identity of the work area and creates it in a store that holds none, unless told not to. [storage.ErrIdentity] when the
// identity is missing beside files that are there, unreadable, of a newer program, or not the expected one.
func Open(ctx context.Context, store storage.Store, o Options) (*Area, error) {
	a := &Area{store: store, prefix: o.Prefix, node: o.Node, log: o.Log, now: o.Now, changes: o.Changes}
	if a.prefix == asset.Root {
		a.prefix = DefaultPrefix
	}
	if a.log == nil {
		a.log = zap.NewNop()
	}
	if a.now == nil {
		a.now = time.Now
	}
	var err error
	if a.count, err = newMetrics(o.Metrics); err != nil {
		return nil, fmt.Errorf("open work area: %w", err)
	}
	if a.id, err = a.identify(ctx, o); err != nil {
		return nil, fmt.Errorf("open work area: %w", err)
	}
	a.journal = newJournal(a)
	return a, nil
}

// ID is the identity of the work area: the same on every node that sees the same store.
func (a *Area) ID() string { return a.id }

// Journal is where events are recorded. It is written only while its Run runs.
func (a *Area) Journal() *Journal { return a.journal }

func (a *Area) at(folder, rest asset.Key) asset.Key { return a.prefix.Join(folder).Join(rest) }

// AssetKey is where the bytes of an asset are in the work area's store.
func (a *Area) AssetKey(h asset.Hash) asset.Key { return a.at("assets", h.Shard()) }

func (a *Area) ledgerKey(id asset.DropID) asset.Key { return a.at("ledger", id.Shard()+recordExt) }

// isFile reports whether a listed thing holds bytes. Our own files may have several names in one store.
func isFile(o storage.Object) bool { return o.Kind == storage.Regular || o.Kind == storage.HardLinked }

// OpenAsset opens the bytes of an asset. fs.ErrNotExist when there are none of that hash.
func (a *Area) OpenAsset(ctx context.Context, h asset.Hash) (storage.Reader, error) {
	r, err := a.store.Open(ctx, a.AssetKey(h), "")
	if err != nil {
		return nil, fmt.Errorf("open asset %s: %w", h, err)
	}
	return r, nil
}
