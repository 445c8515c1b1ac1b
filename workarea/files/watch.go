package files

import (
	"context"
	"errors"
	"hash/fnv"
	"io/fs"
	"sync"
	"time"

	"go.uber.org/zap"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

const (
	// DefaultMostWatched is how many files are known one by one.
	DefaultMostWatched = 200_000
	// scanShare is which part of the time scans may take, one of so many.
	scanShare = 10
	// tellAtOnce is how many changes are told with one call.
	tellAtOnce = 1000
	// hintPause lets hints gather.
	hintPause = 100 * time.Millisecond
)

// Watch looks for files of a tree that were changed on the share by others, so that whoever keeps something of them forgets it. A scan is
// the truth; hints of the store only make it look sooner.
type Watch struct {
	Tree    *Tree
	Folders []asset.Key // below the tree; [asset.Root] is all of it
	// Tell makes all nodes forget the files with the marks of these keys in the store, TellAll all that they keep. After an error it is
	// tried again.
	Tell    func(ctx context.Context, marks ...uint64) error
	TellAll func(ctx context.Context) error
	Every   time.Duration // between two scans, or more where a scan takes long
	Most    int           // 0 is [DefaultMostWatched]; where there are more, a change among the others is told as a change of all
	Log     *zap.Logger

	known   map[uint64]known // by mark
	turn    uint32
	newest  time.Time // of all changes that were seen
	pending []uint64
	all     bool // everything is to be told
	took    time.Duration
	work    sync.WaitGroup // that follows hints
}

// known is what is remembered of a file: a hash of its version, and the scan that saw it last.
type known struct {
	version uint64
	turn    uint32
}

// Run looks until ctx ends. What changed before is not known, so the first scan tells everything.
func (w *Watch) Run(ctx context.Context) {
	if w.Most == 0 {
		w.Most = DefaultMostWatched
	}
	if w.Log == nil {
		w.Log = zap.NewNop()
	}
	w.known, w.all = map[uint64]known{}, true
	hints := w.hints(ctx)
	defer w.work.Wait()
	w.scan(ctx)
	next := time.NewTimer(w.pause())
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case h := <-hints:
			if w.hinted(ctx, h) {
				next.Reset(hintPause)
				continue
			}
		case <-next.C:
			w.scan(ctx)
			next.Reset(w.pause())
		}
		w.tell(ctx, len(hints) == 0)
	}
}

func (w *Watch) pause() time.Duration {
	if w.all || len(w.pending) > 0 {
		return min(w.Every, time.Second) // something could not be told
	}
	return max(w.Every, scanShare*w.took)
}

// hints are those of all folders, where the store has any.
func (w *Watch) hints(ctx context.Context) <-chan storage.Hint {
	out := make(chan storage.Hint, tellAtOnce)
	watcher, ok := w.Tree.store.(storage.Watcher)
	if !ok {
		return nil
	}
	for _, folder := range w.Folders {
		w.work.Go(func() { w.follow(ctx, watcher, w.Tree.Key(folder), out) })
	}
	return out
}

// follow passes on the hints of one folder, which may not be there yet.
func (w *Watch) follow(ctx context.Context, watcher storage.Watcher, folder asset.Key, out chan<- storage.Hint) {
	for ctx.Err() == nil {
		in, err := watcher.Watch(ctx, folder, storage.WatchOptions{})
		if err == nil {
			send(ctx, out, storage.Hint{Key: folder, Rescan: true})
			for h := range in {
				send(ctx, out, h)
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(w.Every):
		}
	}
}

func send(ctx context.Context, out chan<- storage.Hint, h storage.Hint) {
	select {
	case out <- h:
	case <-ctx.Done():
	}
}

// hinted looks at one file, or says that a scan is needed.
func (w *Watch) hinted(ctx context.Context, h storage.Hint) (scan bool) {
	if h.Rescan {
		return true
	}
	o, err := w.Tree.store.Stat(ctx, h.Key)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		mark := h.Key.Mark()
		if _, ok := w.known[mark]; !ok {
			return true // a folder, or a file that was never seen
		}
		delete(w.known, mark)
		w.pending = append(w.pending, mark)
		return false
	case err != nil || o.Kind == storage.Directory:
		return true
	}
	w.saw(o)
	return false
}

// scan looks at everything. Where a part could not be read, nothing is taken for gone.
func (w *Watch) scan(ctx context.Context) {
	w.turn++
	begin, before, whole := time.Now(), w.newest, true
	for _, folder := range w.Folders {
		for o, err := range w.Tree.store.List(ctx, w.Tree.Key(folder), storage.ListOptions{Recursive: true}) {
			switch {
			case errors.Is(err, fs.ErrNotExist):
			case err != nil:
				whole = false
				w.Log.Debug("a watched folder cannot be read", zap.String("key", o.Key.Shown()), zap.Error(err))
			case o.Kind == storage.Directory:
				w.sawFolder(o, before)
			default:
				w.saw(o)
			}
		}
	}
	for mark, k := range w.known {
		if whole && ctx.Err() == nil && k.turn != w.turn {
			delete(w.known, mark)
			w.pending = append(w.pending, mark)
		}
	}
	w.took = time.Since(begin)
	w.tell(ctx, true)
}

// saw compares a file with what is known of it.
func (w *Watch) saw(o storage.Object) {
	mark, version := o.Key.Mark(), hashOf(o)
	k, ok := w.known[mark]
	switch {
	case ok && k.version != version || !ok && len(w.known) < w.Most:
		w.pending = append(w.pending, mark)
	case !ok:
		w.all = w.all || o.Changed.After(w.newest)
	}
	if ok || len(w.known) < w.Most {
		w.known[mark] = known{version, w.turn}
	}
	w.newest = later(w.newest, o.Changed)
}

// sawFolder tells everything when something may be gone that was not known one by one.
func (w *Watch) sawFolder(o storage.Object, before time.Time) {
	w.all = w.all || len(w.known) >= w.Most && o.Changed.After(before)
	w.newest = later(w.newest, o.Changed)
}

func later(x, y time.Time) time.Time {
	if y.After(x) {
		return y
	}
	return x
}

func hashOf(o storage.Object) uint64 {
	h := fnv.New64a()
	h.Write([]byte(tagOf(o)))
	return h.Sum64()
}

// tell tells what is to be told, when there is nothing more to gather or it is much.
func (w *Watch) tell(ctx context.Context, now bool) {
	if len(w.pending) > w.Most {
		w.all = true
	}
	if w.all {
		if err := w.TellAll(ctx); err != nil {
			w.late(ctx, err)
			return
		}
		w.all, w.pending = false, nil
	}
	for len(w.pending) >= tellAtOnce || now && len(w.pending) > 0 {
		n := min(len(w.pending), tellAtOnce)
		if err := w.Tell(ctx, w.pending[:n]...); err != nil {
			w.late(ctx, err)
			return
		}
		w.pending = w.pending[n:]
	}
}

func (w *Watch) late(ctx context.Context, err error) {
	if ctx.Err() == nil {
		w.Log.Info("changes on the share are told later", zap.Error(err))
	}
}
