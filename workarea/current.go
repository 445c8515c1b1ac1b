package workarea

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/maypok86/otter/v2"

	"hotfolderd/asset"
)

const (
	// DefaultCacheBytes is how much memory the answers of [Area.Current] may take, about.
	DefaultCacheBytes = 32 << 20
	// maxAnswerAge is how long an answer is given without another look. Whatever changes a name tells, so this is for what
	// nobody tells of: a person who puts a backup back.
	maxAnswerAge = time.Minute
	// answerStripes is how many generations there are; marks that share one only cost each other a fill.
	answerStripes = 1024
	// answerCost is what an answer takes beside the text in it, pairCost the same for a pair of its metadata.
	answerCost = 500
	pairCost   = 64
)

// Current is the version that a name stands for, with its number. fs.ErrNotExist when the name has none; that is never
// remembered, but a version that was found may be, until somebody says [Area.Forget]. The record is shared with other
// callers: what it points to must not be changed.
func (a *Area) Current(ctx context.Context, name asset.Key) (asset.Record, int, error) {
	v, err := a.answers.current(ctx, name)
	if err != nil {
		return asset.Record{}, 0, fmt.Errorf("current version of %s: %w", name.Quoted(), err)
	}
	return v.Record, v.Number, nil
}

// Forget makes the next [Area.Current] of the names with these marks read the store, also when a look at it is under way
// just now. This node's own writes need it not.
func (a *Area) Forget(marks ...uint64) {
	for _, m := range marks {
		a.answers.forget(m)
	}
}

// ForgetAll is Forget for every name.
func (a *Area) ForgetAll() { a.answers.forgetAll() }

// answers remember what names stand for. An answer goes in only when its name was not forgotten since before the store was
// read for it: otherwise a slow reader could put back what was changed while it read.
type answers struct {
	read    func(ctx context.Context, name asset.Key) (Version, error)
	fresh   func() bool
	entries *otter.Cache[uint64, *answer] // by mark; nil: nothing is remembered
	stripes [answerStripes]stripe
	count   *metrics
}

// answer holds its name, since two names can have one mark.
type answer struct {
	name    asset.Key
	version Version
	read    time.Time
}

// stripe orders the fills and the forgetting of its marks.
type stripe struct {
	sync.Mutex
	generation uint64
}

func newAnswers(count *metrics, o Options, read func(context.Context, asset.Key) (Version, error)) (*answers, error) {
	c := &answers{read: read, fresh: o.Fresh, count: count}
	if c.fresh == nil {
		c.fresh = func() bool { return true }
	}
	bytes := o.CacheBytes
	if bytes == 0 {
		bytes = DefaultCacheBytes
	}
	if bytes < 0 {
		return c, nil
	}
	var err error
	c.entries, err = otter.New(&otter.Options[uint64, *answer]{
		MaximumWeight: uint64(bytes),
		Weigher:       func(_ uint64, a *answer) uint32 { return uint32(min(a.cost(), 1<<30)) },
	})
	return c, err
}

// current answers from memory where it may, else from the store.
func (c *answers) current(ctx context.Context, name asset.Key) (Version, error) {
	if c.entries == nil || !c.fresh() {
		c.count.answerMisses.Inc()
		return c.read(ctx, name)
	}
	mark := name.Mark()
	if e, ok := c.entries.GetIfPresent(mark); ok && e.name == name && time.Since(e.read) < maxAnswerAge {
		c.count.answerHits.Inc()
		return e.version, nil
	}
	c.count.answerMisses.Inc()
	generation, begin := c.generation(mark), time.Now()
	v, err := c.read(ctx, name)
	if err == nil {
		c.fill(mark, generation, &answer{name, v, begin})
	}
	return v, err
}

func (c *answers) stripe(mark uint64) *stripe { return &c.stripes[mark%answerStripes] }

func (c *answers) generation(mark uint64) uint64 {
	s := c.stripe(mark)
	s.Lock()
	defer s.Unlock()
	return s.generation
}

// fill remembers an answer that was read since the generation was taken, if it is still the same.
func (c *answers) fill(mark, generation uint64, e *answer) {
	s := c.stripe(mark)
	s.Lock()
	defer s.Unlock()
	if s.generation == generation {
		c.entries.Set(mark, e)
	}
}

func (c *answers) forget(mark uint64) {
	if c.entries == nil {
		return
	}
	s := c.stripe(mark)
	s.Lock()
	defer s.Unlock()
	s.generation++
	c.entries.Invalidate(mark)
}

// forgetAll ends the generations first: what is filled after that was read after that, and may stay or go.
func (c *answers) forgetAll() {
	if c.entries == nil {
		return
	}
	for i := range c.stripes {
		c.stripes[i].Lock()
		c.stripes[i].generation++
		c.stripes[i].Unlock()
	}
	c.entries.InvalidateAll()
}

// size is the memory that is taken, about.
func (c *answers) size() float64 {
	if c.entries == nil {
		return 0
	}
	return float64(c.entries.WeightedSize())
}

// cost is about how much memory an answer takes.
func (e *answer) cost() int {
	r := &e.version.Record
	n := answerCost + len(e.name) + len(r.Drop) + len(r.Hotfolder) + len(r.Key) + len(r.Version) + len(r.Name) +
		len(r.Content.Type) + len(r.Node) + len(r.Token)
	for k, v := range r.Content.Meta {
		n += pairCost + len(k) + len(v)
	}
	if t := r.Thumbnails; t != nil {
		n += pairCost + 8*len(t.Sizes) + len(t.Error)
	}
	return n
}
