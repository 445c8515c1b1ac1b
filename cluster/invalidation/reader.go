package invalidation

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/consul/api"
	"go.uber.org/zap"

	"hotfolderd/leases/consul"
)

// freshTime is how long ago the others may have been heard.
const freshTime = 3 * time.Second

// reader follows the logs of the others: how far each one has been applied. One look is taken at a time, each at the heads of
// all logs at one moment.
type reader struct {
	l     *Log
	turn  chan struct{} // held by whoever takes a look
	begun atomic.Uint64 // sure looks so far
	done  atomic.Uint64 // the newest of them that was applied

	// For the holder of turn.
	started bool      // the first look is done
	sent    time.Time // the answer that comes next was asked for no earlier
	counter counter   // of removed logs

	mu      sync.Mutex
	origins map[string]*origin
	made    time.Time
	heard   time.Time     // everything that was published before is applied
	doubt   bool          // a look showed less than an earlier one, and no sure look has settled it
	changed chan struct{} // closed at the next change of origins
	heardOf uint64        // events that were applied
	clears  uint64
	why     string // of the last clear
}

// origin is one log.
type origin struct {
	head    head
	index   uint64 // of the head, in Consul
	applied uint64 // the newest event that this node has applied
	foreign bool   // its newest head cannot be read
}

func newReader(l *Log) *reader {
	return &reader{l: l, turn: make(chan struct{}, 1), origins: map[string]*origin{}, changed: make(chan struct{}), made: time.Now()}
}

// run follows the logs until ctx ends.
func (r *reader) run(ctx context.Context) {
	if take(ctx, r.turn) != nil {
		return
	}
	r.sent = time.Now()
	give(r.turn)
	r.l.o.Conn.Watch(ctx, headsPrefix(r.l.o.Root), consul.Watching{
		Seen:   func(pairs api.KVPairs) { r.answered(ctx, func() error { return r.apply(ctx, r.parse(pairs), false) }) },
		Same:   func() { r.answered(ctx, func() error { return nil }) },
		Failed: func(err error) { r.failed(ctx, err) },
	})
}

// answered handles an answer of the watch. What it leaves in doubt needs a sure look.
func (r *reader) answered(ctx context.Context, settle func() error) {
	if take(ctx, r.turn) != nil {
		return
	}
	defer give(r.turn)
	err := settle()
	if err == nil && !r.doubtful() {
		r.hear(r.sent)
	} else {
		r.setDoubt(true)
		err = r.sure(ctx)
	}
	if err != nil && ctx.Err() == nil {
		r.l.o.Log.Warn("the logs of invalidations cannot be read", zap.Error(err))
	}
	r.sent = time.Now()
}

func (r *reader) failed(ctx context.Context, err error) {
	r.l.o.Log.Debug("the logs of invalidations cannot be followed", zap.Error(err))
	if take(ctx, r.turn) == nil {
		r.sent = time.Now()
		give(r.turn)
	}
}

// look takes a sure look that begins after the call, or shares one.
func (r *reader) look(ctx context.Context) error {
	before := r.begun.Load()
	if err := take(ctx, r.turn); err != nil {
		return err
	}
	defer give(r.turn)
	if r.done.Load() > before {
		return nil
	}
	return r.sure(ctx)
}

// sure looks at what Consul's leader has made sure of; the turn is held, so that each one is newer than all before.
func (r *reader) sure(ctx context.Context) error {
	n, start := r.begun.Add(1), time.Now()
	pairs, err := r.l.o.Conn.List(ctx, headsPrefix(r.l.o.Root))
	if err == nil {
		err = r.apply(ctx, r.parse(pairs), true)
	}
	if err != nil {
		return err
	}
	r.setDoubt(false)
	r.hear(start)
	r.done.Store(n)
	return nil
}

// glance is what one look saw.
type glance struct {
	heads   map[string]*origin
	counter counter
}

func (r *reader) parse(pairs api.KVPairs) glance {
	g := glance{heads: make(map[string]*origin, len(pairs))}
	for _, p := range pairs {
		name := strings.TrimPrefix(p.Key, headsPrefix(r.l.o.Root))
		if name == removedName {
			g.counter = decodeCounter(p)
			continue
		}
		h, err := decodeHead(p.Value)
		if known := r.origins[name]; err != nil && (known == nil || !known.foreign) {
			r.l.o.Log.Error("a log of invalidations cannot be read; caches are passed by", zap.String("log", name), zap.Error(err))
		}
		g.heads[name] = &origin{head: h, index: p.ModifyIndex, foreign: err != nil}
	}
	return g
}

func (r *reader) setDoubt(doubt bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.doubt = doubt
}

func (r *reader) doubtful() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.doubt
}

// hear notes that everything before t has been applied.
func (r *reader) hear(t time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if t.After(r.heard) {
		r.heard = t
	}
}

// silence is the time since then; before anything was heard, since this log was made.
func (r *reader) silence() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.heard.IsZero() {
		return time.Since(r.made)
	}
	return time.Since(r.heard)
}

// fresh reports whether everything of 3 s ago has been applied.
func (r *reader) fresh() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.doubt || time.Since(r.heard) > freshTime {
		return false
	}
	for _, o := range r.origins {
		if o.foreign {
			return false
		}
	}
	return true
}
