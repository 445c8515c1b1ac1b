package cache

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/prometheus/client_golang/prometheus"

	"hotfolderd/asset"
)

const (
	// DefaultEntry is the largest entry that is kept when [Options] say nothing, unless all memory is less than 16 of them.
	DefaultEntry = 1 << 20
	// MaxAge is how long a name is believed without another look. Whatever changes a name tells, so this is for what nobody
	// tells of: a person who puts a backup back.
	MaxAge = time.Minute
	// stripes is how many generations there are; keys that share one only cost each other a fill.
	stripes = 1024
	// overhead is about what an entry takes beside what is in it.
	overhead = 320
)

// Kind of what is kept, for the figures.
type Kind uint8

// The kinds.
const (
	Records    Kind = iota // what the name of an asset stands for
	Files                  // files of the work area
	Assets                 // bytes of assets
	Thumbnails             // bytes of thumbnails
	kinds
)

var kindWords = [kinds]string{"records", "files", "assets", "thumbnails"}

// String is the kind as metrics have it.
func (k Kind) String() string { return kindWords[k] }

// Options of [New].
type Options struct {
	// Bytes bounds all that is kept, about; 0 keeps nothing.
	Bytes int64
	// Entry bounds one thing that is kept; 0 is [DefaultEntry].
	Entry int64
	// Fresh says whether this node hears of changes just now. It must not block. nil is always.
	Fresh func() bool
	// Metrics registers the figures; nil is off.
	Metrics prometheus.Registerer
}

// Cache is shared by everything that is kept. Its methods are safe for concurrent use; there is nothing to close.
type Cache struct {
	limit, most int64
	fresh       func() bool
	entries     *otter.Cache[key, *entry] // nil: nothing is kept
	stripes     [stripes]stripe
	flights     flights
	counts      [kinds]counts
}

// key of an entry: a mark of a name, or a hash with what tells the things made of it apart.
type key struct {
	kind Kind
	hash asset.Hash
	n    uint64
}

// entry is one thing that is kept. A name is in it too, since two names can have one mark.
type entry struct {
	name  asset.Key
	value any
	cost  uint32
	read  time.Time
}

// stripe orders the fills and the forgetting of its keys.
type stripe struct {
	sync.Mutex
	generation uint64
}

// New makes an empty cache. The error is about the metrics.
func New(o Options) (*Cache, error) {
	c := &Cache{limit: max(o.Bytes, 0), fresh: o.Fresh}
	if c.fresh == nil {
		c.fresh = func() bool { return true }
	}
	if c.limit > 0 {
		c.most = o.Entry
		if c.most <= 0 {
			c.most = min(DefaultEntry, c.limit/16)
		}
		c.entries = otter.Must(&otter.Options[key, *entry]{
			MaximumWeight:    uint64(c.limit),
			Weigher:          func(_ key, e *entry) uint32 { return e.cost },
			OnAtomicDeletion: c.deleted,
		})
	}
	if o.Metrics != nil {
		if err := o.Metrics.Register(collector{c}); err != nil {
			return nil, fmt.Errorf("memory: %w", err)
		}
	}
	return c, nil
}

// Forget makes the names with these marks be read anew, also for whoever joins a read that is under way just now.
func (c *Cache) Forget(marks ...uint64) {
	for _, mark := range marks {
		for kind := range kinds {
			if kind.named() {
				c.forget(key{kind: kind, n: mark})
			}
		}
	}
}

// ForgetAll empties the cache. It ends the generations first: what is filled after that was read after that.
func (c *Cache) ForgetAll() {
	for i := range c.stripes {
		c.stripes[i].Lock()
		c.stripes[i].generation++
		c.stripes[i].Unlock()
	}
	if c.entries != nil {
		c.entries.InvalidateAll()
	}
}

// named: the kinds whose entries can come to be wrong.
func (k Kind) named() bool { return k == Records || k == Files }

func (c *Cache) forget(k key) {
	s := c.stripe(k)
	s.Lock()
	defer s.Unlock()
	s.generation++
	if c.entries != nil {
		c.entries.Invalidate(k)
	}
}

func (c *Cache) stripe(k key) *stripe {
	at := k.n ^ uint64(k.hash[0])<<2 ^ uint64(k.hash[1])
	return &c.stripes[at%stripes]
}

func (c *Cache) generation(k key) uint64 {
	s := c.stripe(k)
	s.Lock()
	defer s.Unlock()
	return s.generation
}

// fill keeps what was read since the generation was taken, if it is still the same.
func (c *Cache) fill(k key, generation uint64, e *entry) {
	s := c.stripe(k)
	s.Lock()
	defer s.Unlock()
	if s.generation == generation {
		c.counts[k.kind].added(e)
		c.entries.Set(k, e)
	}
}

// peek is what is kept, if that is right now.
func (c *Cache) peek(k key, name asset.Key) (*entry, bool) {
	if c.entries == nil || k.kind.named() && !c.fresh() {
		return nil, false
	}
	e, ok := c.entries.GetIfPresent(k)
	if !ok || k.kind.named() && (e.name != name || time.Since(e.read) >= MaxAge) {
		return nil, false
	}
	c.counts[k.kind].hits.Add(1)
	return e, true
}

// load is what is kept, or else what read brings; its cost decides whether that is kept. What read brings may be nil.
func (c *Cache) load(ctx context.Context, k key, name asset.Key, read func(context.Context) (*entry, error)) (*entry, error) {
	for older := true; ; older = false {
		if e, ok := c.peek(k, name); ok {
			return e, nil
		}
		if k.kind.named() && !c.fresh() {
			c.counts[k.kind].misses.Add(1)
			return read(ctx)
		}
		e, joined, err := c.share(ctx, k, name, read)
		if err != nil && joined && older && ctx.Err() == nil {
			continue // nobody is told when a name comes to be: what was absent when that read began may be there by now
		}
		c.counts[k.kind].missed(joined)
		return e, err
	}
}

// share reads and keeps what is read, or waits for who does.
func (c *Cache) share(ctx context.Context, k key, name asset.Key, read func(context.Context) (*entry, error)) (e *entry, joined bool, err error) {
	generation := c.generation(k)
	return c.flights.take(ctx, flight{k, name, generation}, func() (*entry, error) {
		begin := time.Now()
		e, err := read(ctx)
		if err != nil || e == nil || c.entries == nil || int64(e.cost) > c.most {
			return e, err
		}
		e.name, e.read = name, begin
		c.fill(k, generation, e)
		return e, nil
	})
}
