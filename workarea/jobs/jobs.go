package jobs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"hotfolderd/asset"
	"hotfolderd/storage"
	"hotfolderd/workarea"
	"hotfolderd/workarea/files"
)

// ErrAsked is wrapped when a job is asked for that nobody may have.
var ErrAsked = errors.New("no such job can be made")

// ErrQuota is wrapped when the quota of a job, or that of all, is used up. It is a kind of [storage.ErrFull].
var ErrQuota = fmt.Errorf("%w: the quota is used up", storage.ErrFull)

// Limits are what a job can have. Zero is no limit, or nothing said.
type Limits struct {
	TTL      time.Duration // of a job that asks for none
	MaxTTL   time.Duration
	Quota    int64 // of a job that asks for none
	MaxQuota int64 // of one job
	Total    int64 // of the quotas of all jobs together
}

// Options of [New]. Store and Area are required.
type Options struct {
	Store    storage.Store
	Prefix   asset.Key        // the work area's
	Changes  workarea.Changes // hears of changes of files; may be nil
	Node     string
	Instance string // of this start of the node, unlike any other
	// Live reports whether the node of an instance may still write. nil: none but this one does.
	Live func(instance string) bool
	// MayWrite says why nothing may be written now; then reads go on and note no use. nil: always.
	MayWrite func() error
	Limits   Limits
	Log      *zap.Logger           // nil is silent
	Metrics  prometheus.Registerer // nil is off
}

// Jobs are the batch jobs of a work area, as one node knows them. Its methods are safe for concurrent use.
type Jobs struct {
	o       Options
	store   storage.Store
	log     *zap.Logger
	work    sync.WaitGroup  // that writes notes
	life    context.Context //nolint:containedctx // of that work: callers may be gone
	cut     context.CancelFunc
	metrics metrics

	mu       sync.Mutex
	closed   bool                // nothing is noted any more
	accounts map[string]*account // by job; those that were used here

	sweeping sync.Mutex
	known    map[string]Note // as the sweep before saw them
	sweeps   int
}

// New makes the jobs of a work area; it touches nothing. [Jobs.Run] or [Jobs.Close] must end them.
func New(o Options) *Jobs {
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	if o.Live == nil {
		o.Live = func(string) bool { return false }
	}
	if o.MayWrite == nil {
		o.MayWrite = func() error { return nil }
	}
	o.Prefix = cmp.Or(o.Prefix, workarea.DefaultPrefix)
	j := &Jobs{o: o, store: o.Store, log: o.Log, metrics: newMetrics(o.Metrics), accounts: map[string]*account{}, known: map[string]Note{}}
	j.life, j.cut = context.WithCancel(context.Background()) // cleanup: Close ends it
	return j
}

func (j *Jobs) at(folder asset.Key) asset.Key { return j.o.Prefix.Join(folder) }

// Folder is where the files of a job are in the store.
func (j *Jobs) Folder(id string) asset.Key { return j.at("jobs").Join(asset.Key(id)) }

func (j *Jobs) endedFolder(id string) asset.Key { return j.at("jobs-ended").Join(asset.Key(id)) }

// Job is what a job was at one moment.
type Job struct {
	Note
	Renewed time.Time // when its use was noted last, and
	Expires time.Time // when it ends if it is used no more: both by the store's clock
}

func jobOf(n Note) Job { return Job{n, n.changed, n.expires()} }

// Wanted is what somebody asks for; zero values are as the limits say.
type Wanted struct {
	Owner  string
	TTL    time.Duration
	Quota  int64
	Labels map[string]string
}

// Bounds of what a note holds.
const (
	maxText   = 256
	maxLabels = 32
	minTTL    = time.Second
)

// Create makes a job and its folder. It wraps [ErrAsked] when nobody may have such a job, [ErrQuota] when the quotas of all jobs together
// would be too much.
func (j *Jobs) Create(ctx context.Context, w Wanted) (Job, error) {
	l := j.o.Limits
	w.TTL, w.Quota = cmp.Or(w.TTL, l.TTL), cmp.Or(w.Quota, l.Quota)
	if err := w.check(l); err != nil {
		return Job{}, err
	}
	n := Note{ID: newID(), Owner: w.Owner, Labels: maps.Clone(w.Labels), TTL: w.TTL, Quota: w.Quota, Node: j.o.Node, Created: time.Now().UTC()}
	n, err := j.write(ctx, n)
	if err == nil {
		err = j.furnish(ctx, n)
	}
	if err != nil {
		return Job{}, errors.Join(fmt.Errorf("make a job: %w", err), j.withdraw(ctx, n))
	}
	return jobOf(n), nil
}

func (w Wanted) check(l Limits) error {
	no := func(format string, args ...any) error {
		return fmt.Errorf("%w: "+format, append([]any{ErrAsked}, args...)...)
	}
	switch {
	case w.TTL < minTTL:
		return no("its ttl is below %s", minTTL)
	case l.MaxTTL > 0 && w.TTL > l.MaxTTL:
		return no("its ttl is above %s", l.MaxTTL)
	case w.Quota <= 0:
		return no("its quota is nothing")
	case l.MaxQuota > 0 && w.Quota > l.MaxQuota:
		return no("its quota is above %d bytes", l.MaxQuota)
	case len(w.Owner) > maxText || len(w.Labels) > maxLabels:
		return no("the owner has at most %d characters, and there are at most %d labels", maxText, maxLabels)
	}
	for k, v := range w.Labels {
		if k == "" || len(k) > maxText || len(v) > maxText {
			return no("a label and its value have at most %d characters each", maxText)
		}
	}
	return nil
}

// furnish makes the folder, when the quotas of all jobs allow another one. Of several jobs that are made at once, too many may be refused,
// never too few.
func (j *Jobs) furnish(ctx context.Context, n Note) error {
	if total := j.o.Limits.Total; total > 0 {
		var sum int64
		for o, err := range j.All(ctx) {
			if err != nil {
				return err
			}
			sum += o.Quota
		}
		if sum > total {
			return fmt.Errorf("%w: with this one, all jobs together could have %d bytes, and may have %d", ErrQuota, sum, total)
		}
	}
	if m, ok := j.store.(storage.FolderMaker); ok {
		return m.MakeFolder(ctx, j.Folder(n.ID))
	}
	return nil
}

// withdraw takes a job back that was not made.
func (j *Jobs) withdraw(ctx context.Context, n Note) error {
	if n.version == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyTime)
	defer cancel()
	if err := j.End(ctx, n.ID); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// tidyTime bounds what is done after a caller's context has ended.
const tidyTime = 10 * time.Second

// Get is a job that has not ended. It wraps fs.ErrNotExist, and [asset.ErrJobEnded] when it has.
func (j *Jobs) Get(ctx context.Context, id string) (Job, error) {
	n, err := j.read(ctx, id)
	if err == nil && n.Ended {
		err = fmt.Errorf("job %s: %w", id, asset.ErrJobEnded)
	}
	return jobOf(n), err
}

// All are the jobs that have not ended, in no particular order.
func (j *Jobs) All(ctx context.Context) iter.Seq2[Job, error] {
	return func(yield func(Job, error) bool) {
		for n, err := range j.notes(ctx, nil) {
			if (err != nil || !n.Ended) && !yield(jobOf(n), err) {
				return
			}
		}
	}
}

// notes are all that there are. What cannot be read yields its error. Those that are known already, by their versions in the listing, are
// not read again; on a share a listing may be late.
func (j *Jobs) notes(ctx context.Context, known map[string]Note) iter.Seq2[Note, error] {
	return func(yield func(Note, error) bool) {
		for o, err := range j.store.List(ctx, j.at("job-notes"), storage.ListOptions{NamesOnly: known == nil}) {
			if errors.Is(err, fs.ErrNotExist) {
				return
			}
			if err != nil {
				if !yield(Note{}, fmt.Errorf("list jobs: %w", err)) {
					return
				}
				continue
			}
			id, isNote := strings.CutSuffix(o.Key.Base(), noteExt)
			if !isNote || !isID(id) {
				continue
			}
			n, ok := known[id]
			if !ok || n.version != o.Version {
				n, err = j.read(ctx, id)
			}
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if !yield(n, err) {
				return
			}
		}
	}
}

// Renew notes that a job is used, so that it lives for its ttl from now on. [asset.ErrJobEnded] when it has ended.
func (j *Jobs) Renew(ctx context.Context, id string) (Job, error) {
	n, err := j.change(ctx, id, Note{}, func(n *Note) error {
		if n.Ended {
			return fmt.Errorf("job %s: %w", id, asset.ErrJobEnded)
		}
		return nil
	})
	if err == nil {
		j.account(id).renewed(n)
	}
	return jobOf(n), err
}

// End takes a job away, whoever uses it. When it returns, the job is not there any more; its files go with the next [Jobs.Sweep].
func (j *Jobs) End(ctx context.Context, id string) error {
	_, err := j.change(ctx, id, Note{}, func(n *Note) error {
		if n.Ended {
			return fmt.Errorf("job %s: %w", id, asset.ErrJobEnded)
		}
		n.Ended = true
		return nil
	})
	return err
}

// Files are the files of a job that has not ended, for a use of them that begins now; the job lives for at least three quarters of its ttl
// after that. done must be called when the use has ended; it may take long.
func (j *Jobs) Files(ctx context.Context, id string) (t *files.Tree, b files.Budget, done func(), err error) {
	a := j.account(id)
	if err := a.use(ctx); err != nil {
		j.drop(id, a)
		return nil, nil, nil, err
	}
	return files.New(j.store, j.Folder(id), j.o.Changes), a, a.stay(), nil
}
