package storagetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"sync"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// The operations that a rule can name. Those of a staging (write, flush, publish, discard) and of a reader (read, check)
// count like those of the store. Before a staging is published its key is [asset.Root].
const (
	OpStat       = "stat"
	OpList       = "list"
	OpOpen       = "open"
	OpRead       = "read"  // Read and ReadAt, of a reader and of a staging
	OpCheck      = "check" // Reader.Check
	OpStage      = "stage"
	OpWrite      = "write"
	OpFlush      = "flush"
	OpPublish    = "publish"
	OpDiscard    = "discard" // recorded and counted; it can crash, but not fail
	OpPut        = "put"
	OpCopy       = "copy" // matched by the destination
	OpSync       = "sync" // matched by the first key
	OpRemove     = "remove"
	OpMove       = "move" // matched by the destination
	OpWriters    = "writers"
	OpSpace      = "space"
	OpWatch      = "watch"
	OpMakeFolder = "mkdir"
)

// ErrCrashed is what every operation returns after a Crash whose OnCrash came back: for the caller the node is dead.
var ErrCrashed = errors.New("crashed on purpose")

// Crashed is the value of the panic that a Crash raises by default.
type Crashed struct {
	Op  string
	Key asset.Key
}

// When says on which side of the operation a fault strikes.
type When uint8

// Before is a request that never arrived; After is a reply that was lost: the operation took effect.
const (
	Before When = iota
	After
)

// Rule is one fault. The zero value of each field means "no such condition".
type Rule struct {
	Op    string               // one of the names above; empty matches all
	Match func(asset.Key) bool // nil matches all; see [Glob] and [Below]; it must not call the Fault
	After int                  // so many matching operations pass unharmed first
	Times int                  // so many are hit then; 0 is all of them
	When  When

	Err     error         // what the operation returns, wrapped with its name
	Latency time.Duration // slept before anything else; ctx ends it
	Hang    bool          // blocks until ctx ends or Release; then Err, or the operation itself
	Deaf    bool          // with Hang: not even ctx ends it, as with a system call on a share that is gone
	// Partial does half the work before Err: half the bytes of a read or a write, one entry of a listing, half the
	// content of a put (of which a good store keeps nothing). Operations that cannot be halved fail whole.
	Partial bool
	// Crash calls OnCrash. From then on every operation of this Fault returns [ErrCrashed].
	Crash bool
}

// Glob matches keys like [path.Match].
func Glob(pattern string) func(asset.Key) bool {
	return func(k asset.Key) bool {
		ok, err := path.Match(pattern, string(k))
		return ok && err == nil
	}
}

// Below matches prefix and everything below it.
func Below(prefix asset.Key) func(asset.Key) bool {
	return func(k asset.Key) bool {
		_, below := k.Below(prefix)
		return below || k == prefix
	}
}

// Fault is a store that fails as it is told. It is safe for concurrent use.
//
// It always is a [storage.Watcher]; when the inner store is none, Watch returns an error, as a store may.
type Fault struct {
	inner storage.Store
	// OnCrash is called, once, by the operation that a Crash rule hits. The default panics with [Crashed]; a child process
	// sets it to kill itself; one that returns makes the store dead. Set it before use.
	OnCrash func(op string, key asset.Key)

	mu       sync.Mutex
	rules    []*armed
	ops      []string
	counts   map[string]int
	fired    int
	dead     bool
	released chan struct{}
}

type armed struct {
	Rule
	seen, hit int
}

var (
	_ storage.Store        = (*Fault)(nil)
	_ storage.Watcher      = (*Fault)(nil)
	_ storage.FolderMaker  = (*Fault)(nil)
	_ storage.HoleFinder   = (*faultReader)(nil)
	_ storage.WriterFinder = (*faultReader)(nil)
)

// NewFault wraps inner. Without rules it changes nothing but counts.
func NewFault(inner storage.Store) *Fault {
	return &Fault{
		inner:    inner,
		OnCrash:  func(op string, key asset.Key) { panic(Crashed{Op: op, Key: key}) },
		counts:   map[string]int{},
		released: make(chan struct{}),
	}
}

// Inject adds a rule. Of several that match, the first one injected strikes; all count. The function returned takes the
// rule away again.
func (f *Fault) Inject(r Rule) (lift func()) {
	a := &armed{Rule: r}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = append(f.rules, a)
	return func() { f.lift(a) }
}

func (f *Fault) lift(a *armed) {
	f.mu.Lock()
	defer f.mu.Unlock()
	kept := f.rules[:0:0]
	for _, r := range f.rules {
		if r != a {
			kept = append(kept, r)
		}
	}
	f.rules = kept
}

// Clear takes all rules away and lets go of what hangs.
func (f *Fault) Clear() {
	f.mu.Lock()
	f.rules = nil
	f.mu.Unlock()
	f.Release()
}

// Release lets every operation go on that hangs now. Later ones hang again.
func (f *Fault) Release() {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.released)
	f.released = make(chan struct{})
}

// Ops is what was called so far, in order, each as "op key" with the key quoted.
func (f *Fault) Ops() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.ops...)
}

// Counts is how often each operation was called.
func (f *Fault) Counts() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.counts)
}

// Count is how often op was called; of "" it is the number of all operations.
func (f *Fault) Count(op string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if op == "" {
		return len(f.ops)
	}
	return f.counts[op]
}

// Fired is how often a rule struck: a sweep is over when a round ends with none.
func (f *Fault) Fired() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fired
}

// Reset forgets what was recorded and counted, rules included.
func (f *Fault) Reset() {
	f.Clear()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ops, f.counts, f.fired, f.dead = nil, map[string]int{}, 0, false
}

// next records an operation and picks the rule that strikes it.
func (f *Fault) next(op string, key asset.Key) (r *Rule, release <-chan struct{}, dead bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dead {
		return nil, nil, true
	}
	f.ops = append(f.ops, op+" "+key.Quoted())
	f.counts[op]++
	for _, a := range f.rules {
		if a.strikes(op, key) && r == nil {
			a.hit++
			f.fired++
			r = &a.Rule
		}
	}
	return r, f.released, false
}

// strikes counts the operation for this rule and says whether it is one to be hit.
func (a *armed) strikes(op string, key asset.Key) bool {
	if a.Op != "" && a.Op != op || a.Match != nil && !a.Match(key) {
		return false
	}
	a.seen++
	return a.seen > a.After && (a.Times == 0 || a.hit < a.Times)
}

// around runs one operation under the rule that strikes it, if any. do gets the error after which it must stop half way,
// or nil.
func (f *Fault) around(ctx context.Context, op string, key asset.Key, do func(half error) error) error {
	r, release, dead := f.next(op, key)
	switch {
	case dead:
		return ErrCrashed
	case r == nil:
		return do(nil)
	}
	if err := hold(ctx, r, release); err != nil {
		return fmt.Errorf("%s %s: %w", op, key.Quoted(), err)
	}
	switch {
	case r.When == After:
		if err := do(nil); err != nil {
			return err
		}
		return f.strike(r, op, key)
	case r.Partial:
		err := do(r.error(op, key))
		if struck := f.strike(r, op, key); struck != nil {
			return struck
		}
		return err
	}
	if err := f.strike(r, op, key); err != nil {
		return err
	}
	return do(nil)
}

// hold is the waiting part of a fault.
func hold(ctx context.Context, r *Rule, release <-chan struct{}) error {
	if r.Latency > 0 {
		t := time.NewTimer(r.Latency)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if !r.Hang {
		return nil
	}
	ended := ctx.Done()
	if r.Deaf {
		ended = nil
	}
	select {
	case <-release:
		return nil
	case <-ended:
		return context.Cause(ctx)
	}
}

// strike is the failing part: a crash, an error, or nothing when the rule only slows down.
func (f *Fault) strike(r *Rule, op string, key asset.Key) error {
	if !r.Crash {
		return r.error(op, key)
	}
	f.mu.Lock()
	first := !f.dead
	f.dead = true
	f.mu.Unlock()
	if first {
		f.OnCrash(op, key)
	}
	return ErrCrashed
}

func (r *Rule) error(op string, key asset.Key) error {
	switch {
	case r.Err != nil:
		return fmt.Errorf("%s %s: injected: %w", op, key.Quoted(), r.Err)
	case r.Crash:
		return ErrCrashed
	}
	return nil
}
