package hotfolder

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"hotfolderd/asset"
	"hotfolderd/config"
	"hotfolderd/leases"
	"hotfolderd/storage"
)

// Area is what the walk needs of the work area. Package workarea has it.
type Area interface {
	// Stage reads r once: its hash, type and metadata, and its bytes on their way into the store.
	Stage(ctx context.Context, r io.Reader) (asset.Content, storage.Staged, error)
	// Commit creates the ledger record only if absent and returns the one that stands.
	Commit(ctx context.Context, rec asset.Record, bytes storage.Staged) (standing asset.Record, found bool, err error)
	// Apply does what the record says; when it returns nil, everything is durable.
	Apply(ctx context.Context, rec asset.Record) (asset.Outcome, error)
	// Record is the ledger's record of a drop; fs.ErrNotExist when there is none.
	Record(ctx context.Context, id asset.DropID) (asset.Record, error)
	// Fail moves a drop to failed/ and says why beside it.
	Fail(ctx context.Context, src storage.Store, obj storage.Object, f asset.Failure) (asset.Failure, error)
	// Archive moves an imported drop to the archive.
	Archive(ctx context.Context, src storage.Store, obj storage.Object, hotfolder string, key asset.Key) (asset.Key, error)
}

// Renderer makes thumbnails into the image cache. What cannot be rendered is said in the result, not in the error.
type Renderer interface {
	Render(ctx context.Context, c asset.Content, bytes storage.Staged, t config.Thumbnails) (*asset.Thumbnails, error)
}

// Claims tells which drops are this node's to walk. Both methods answer from memory, and may be called by many at once. When
// drops become this node's that were not, somebody calls [Room.Scan].
type Claims interface {
	// Claim gives the lease under which a drop is walked, and done, which is called once when the walk has ended: until then
	// the drop is given to nobody else. nil, nil: it is not this node's, leave it alone.
	Claim(hotfolder string, key asset.Key) (lease leases.Lease, done func())
	// Mine reports whether Claim would give one just now.
	Mine(hotfolder string, key asset.Key) bool
}

// Deps are the parts that a room works with. All must be set, except Tell, Begins, Borrow and Step.
type Deps struct {
	Area    Area
	Render  Renderer
	Claims  Claims
	Journal func(asset.Event)                     // must not block
	Tell    func(hotfolder string, key asset.Key) // that a drop of another node was seen; nil: nobody is told. Must not block
	// Begins tells other nodes that a whole scan for all is about to begin, and reports whether there are others. nil: there are none. Must not block
	Begins func(hotfolder string) bool
	// Borrow is Lend of the node that looks for all, with this one's own drops wanted; nil: [ErrNotLent]
	Borrow func(ctx context.Context, hotfolder string, join bool, take func(*storage.Object)) (Left, error)
	Step   func(step string, hotfolder string, key asset.Key) // called before each step; for tests that end the process there
	Log    *zap.Logger
	Node   string
}

// Options of a room. Zero values are the defaults of package config.
type Options struct {
	Workers      int
	PerHotfolder int
	Queue        int
	Metrics      *Metrics
}

// Spec is one hotfolder: its rule and where it is.
type Spec struct {
	Rule   config.Rule
	Store  storage.Store
	Prefix asset.Key
	Path   string // where people drop, for people
}

// Room runs the hotfolders of one node. Set may be called before and while it runs.
type Room struct {
	d Deps
	o Options

	grace atomic.Int64 // a time.Duration

	mu      sync.Mutex // guards everything below and the queues of all folders
	cond    *sync.Cond // something may be ready to be taken; only workers wait for it
	ended   *sync.Cond // a walk has ended; only folders that drain wait for it
	folders []*folder
	turn    int // whose turn it is
	specs   []Spec
	changed chan struct{}
	halted  string // why nothing is imported at all; empty when it is
	pauses  map[string]string
	absent  map[string]string // of hotfolders whose store cannot be used, why
}

// New makes a room that does nothing until Run.
func New(d Deps, o Options) *Room {
	o.Workers = orDefault(o.Workers, config.DefaultWorkers)
	o.PerHotfolder = min(orDefault(o.PerHotfolder, config.DefaultPerHotfolder), o.Workers)
	o.Queue = orDefault(o.Queue, config.DefaultQueue)
	if o.Metrics == nil {
		o.Metrics = NewMetrics(nil)
	}
	if d.Step == nil {
		d.Step = func(string, string, asset.Key) {}
	}
	d.orAlone()
	r := &Room{d: d, o: o, changed: make(chan struct{}, 1)}
	r.SetGrace(defaultGrace)
	r.cond, r.ended = sync.NewCond(&r.mu), sync.NewCond(&r.mu)
	return r
}

// orAlone sets what only nodes with others need.
func (d *Deps) orAlone() {
	if d.Tell == nil {
		d.Tell = func(string, asset.Key) {}
	}
	if d.Begins == nil {
		d.Begins = func(string) bool { return false }
	}
	if d.Borrow == nil {
		d.Borrow = func(context.Context, string, bool, func(*storage.Object)) (Left, error) { return Left{}, ErrNotLent }
	}
}

func orDefault(n, def int) int {
	if n <= 0 {
		return def
	}
	return n
}

// Set replaces the hotfolders. Those whose spec did not change go on undisturbed; the others end what they have in hand first.
// It returns at once.
func (r *Room) Set(specs []Spec) {
	r.mu.Lock()
	r.specs = specs
	r.mu.Unlock()
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

// Halt stops taking drops for a reason that people can read, or with "" goes on. What is in hand is finished.
func (r *Room) Halt(reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.halted = reason
	r.cond.Broadcast()
}

// Scan makes a hotfolder look now. fs.ErrNotExist when there is none of that name; "" means all.
func (r *Room) Scan(hotfolder string) error {
	return r.each(hotfolder, func(f *folder) { f.askScan() })
}

// Again has a hotfolder try at once what it waits with because its store, or the work area's, was at fault: that is mended.
// fs.ErrNotExist when there is none of that name; "" means all.
func (r *Room) Again(hotfolder string) error {
	defer r.cond.Broadcast()
	return r.each(hotfolder, func(f *folder) {
		f.outage.success()
		f.q.retryNow(time.Now())
		f.setTimerAgain()
	})
}

// Absent makes these hotfolders take nothing and show that their store cannot be used, of each why; all others go on. The map must not
// be changed afterwards.
func (r *Room) Absent(why map[string]string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.absent = why
	r.cond.Broadcast()
}

// Pause makes these hotfolders take nothing (they still watch and count), of each a sentence why, and lets all others go on,
// but for those that their rule pauses. It holds whatever rules change or come. The map must not be changed afterwards.
func (r *Room) Pause(why map[string]string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pauses = why
	r.cond.Broadcast()
}

// named is a hotfolder; nil when there is none of that name.
func (r *Room) named(hotfolder string) (f *folder) {
	_ = r.each(hotfolder, func(of *folder) { f = of })
	return f
}

// each calls f for the folders of that name with the lock held.
func (r *Room) each(hotfolder string, do func(*folder)) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	found := hotfolder == ""
	for _, f := range r.folders {
		if hotfolder == "" || f.rule.Hotfolder == hotfolder {
			found = true
			do(f)
		}
	}
	if !found {
		return fmt.Errorf("hotfolder %q: %w", hotfolder, fs.ErrNotExist)
	}
	return nil
}

// defaultGrace is how long walks in hand may go on when the room ends. What is not finished by then is walked again by whoever
// comes next.
const defaultGrace = 10 * time.Second

// SetGrace says how long walks in hand may go on when the room ends, in place of 10 seconds. Before that end.
func (r *Room) SetGrace(d time.Duration) { r.grace.Store(int64(d)) }

// Grace is how long walks in hand may go on when the room ends.
func (r *Room) Grace() time.Duration { return time.Duration(r.grace.Load()) }

// Run works until ctx ends; then it takes nothing new, finishes what it has in hand within its grace and returns nil.
func (r *Room) Run(ctx context.Context) error {
	wctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(r.Grace(), cancel) })()
	stop := context.AfterFunc(ctx, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.cond.Broadcast()
	})
	defer stop()
	var wg sync.WaitGroup
	for range r.o.Workers {
		wg.Go(func() { r.work(ctx, wctx) })
	}
	wg.Go(func() { r.reconcile(ctx) })
	wg.Wait()
	return nil
}

// work takes one drop after the other until ctx ends; wctx is the walks' own, which ends a little later.
func (r *Room) work(ctx, wctx context.Context) {
	for {
		f, c := r.take(ctx)
		if f == nil {
			return
		}
		again := f.walk(wctx, c)
		r.mu.Lock()
		f.settleAccount(c, again)
		r.mu.Unlock()
		r.cond.Signal()
		r.ended.Broadcast()
	}
}

// take waits for the next drop: the hotfolders take turns, each gives its oldest. It returns nil when ctx ended.
func (r *Room) take(ctx context.Context) (*folder, *candidate) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for ctx.Err() == nil {
		for i := range r.folders {
			f := r.folders[(r.turn+i)%len(r.folders)]
			if c := f.pop(time.Now()); c != nil {
				r.turn = (r.turn + i + 1) % len(r.folders)
				return f, c
			}
		}
		r.cond.Wait()
	}
	return nil, nil
}

// reconcile keeps the running folders equal to what Set asked for.
func (r *Room) reconcile(ctx context.Context) {
	running := map[string]*running{}
	defer func() {
		for _, x := range running {
			x.end()
		}
	}()
	for {
		r.mu.Lock()
		specs := r.specs
		r.mu.Unlock()
		r.apply(ctx, running, specs)
		select {
		case <-ctx.Done():
			return
		case <-r.changed:
		}
	}
}

// running is a folder's goroutine.
type running struct {
	f      *folder
	cancel context.CancelFunc
	done   chan struct{}
}

func (x *running) end() {
	x.cancel()
	<-x.done
}

func (r *Room) apply(ctx context.Context, now map[string]*running, specs []Spec) {
	want := map[string]Spec{}
	for _, s := range specs {
		want[s.Rule.Hotfolder] = s
	}
	for name, x := range now {
		if s, ok := want[name]; !ok || !x.f.same(s) {
			x.end()
			delete(now, name)
		}
	}
	var folders []*folder
	for _, s := range specs {
		x := now[s.Rule.Hotfolder]
		if x == nil {
			x = r.begin(ctx, s)
			now[s.Rule.Hotfolder] = x
		}
		folders = append(folders, x.f)
	}
	r.mu.Lock()
	r.folders, r.turn = folders, 0
	r.mu.Unlock()
	r.cond.Broadcast()
}

func (r *Room) begin(ctx context.Context, s Spec) *running {
	f := newFolder(r, s)
	fctx, cancel := context.WithCancel(ctx)
	x := &running{f: f, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(x.done)
		f.run(fctx)
	}()
	return x
}
