package hotfolder

import (
	"context"
	"fmt"
	"sync"

	"go.uber.org/zap"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// watching is a folder's source of hints, as far as its store has one.
type watching struct {
	f       *folder
	hints   <-chan storage.Hint        // read by the folder's loop only
	renewed chan (<-chan storage.Hint) // a new source for it

	mu sync.Mutex
	on bool
}

func newWatching(f *folder) *watching {
	return &watching{f: f, renewed: make(chan (<-chan storage.Hint), 1)}
}

func (w *watching) isOn() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.on
}

// lost is called when the source ended: the next scan asks for a new one.
func (w *watching) lost() {
	w.hints = nil
	w.mu.Lock()
	w.on = false
	w.mu.Unlock()
	w.f.askScan()
}

// ensure asks the store for hints when there are none, before a scan, so that nothing falls between.
func (w *watching) ensure(ctx context.Context) {
	if w.isOn() {
		return
	}
	hints, why := w.open(ctx)
	w.tell(why)
	if hints == nil {
		return
	}
	w.mu.Lock()
	w.on = true
	w.mu.Unlock()
	select {
	case w.renewed <- hints:
	case <-ctx.Done():
	}
}

// open returns a source of hints, or nil and why there is none.
func (w *watching) open(ctx context.Context) (<-chan storage.Hint, string) {
	f := w.f
	watcher, able := f.store.(storage.Watcher)
	p := f.store.Properties()
	mode := f.rule.Complete.Watch
	switch {
	case mode == "poll":
		return nil, "polling, as complete.watch says"
	case !able:
		return nil, "polling: a store of this kind sends no events"
	}
	hints, err := watcher.Watch(ctx, f.prefix, storage.WatchOptions{
		Enter: func(key asset.Key) bool {
			rel, ok := key.Below(f.prefix)
			return !ok || f.filter.EnterFolder(rel)
		},
		Rarely: func() bool { return !f.looksForAll() },
	})
	if err != nil {
		return nil, "polling: " + err.Error()
	}
	switch {
	case p.Flat:
		return hints, "events and polling"
	case p.Remote && !p.FolderTimes:
		return hints, fmt.Sprintf("looking at folders and polling: on %s other machines write unseen", p.Kind)
	case p.Remote:
		return hints, fmt.Sprintf("looking at folders: on %s other machines write unseen", p.Kind)
	}
	return hints, "events"
}

func (w *watching) tell(how string) {
	f := w.f
	f.r.mu.Lock()
	changed := f.watching != how
	f.watching = how
	f.r.mu.Unlock()
	if changed {
		f.log.Info("watching", zap.String("how", how))
	}
}
