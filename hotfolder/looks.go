package hotfolder

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

const (
	maxAsked = 1000            // folders that wait for a look; more are one scan
	tellsFor = 5 * time.Second // how long a hint of a folder explains what a scan finds there
)

// looks are at single folders of which a hint says that names came or went in them. So a file that comes to a share costs a look at its
// folder and no scan of all. They have a goroutine of their own: a scan of much may take minutes.
type looks struct {
	f    *folder
	wake chan struct{}

	mu    sync.Mutex
	asked map[asset.Key]struct{}
	told  map[asset.Key]time.Time // when a hint named the folder; bounded

	passed map[asset.Key]asset.Version // drops of which others were told, by the goroutine of the looks; bounded
}

func newLooks(f *folder) *looks {
	return &looks{f: f, wake: make(chan struct{}, 1), asked: map[asset.Key]struct{}{}, told: map[asset.Key]time.Time{}, passed: map[asset.Key]asset.Version{}}
}

// ask has a folder looked at soon.
func (l *looks) ask(dir asset.Key) {
	l.mu.Lock()
	l.asked[dir] = struct{}{}
	l.note(dir)
	many := len(l.asked) > maxAsked
	if many {
		clear(l.asked)
	}
	l.mu.Unlock()
	if many {
		l.f.askScan()
		return
	}
	nudge(l.wake)
}

// hear takes note that another node has looked at a folder and told of something there.
func (l *looks) hear(dir asset.Key) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.note(dir)
}

// note remembers a folder that was told of. mu is held.
func (l *looks) note(dir asset.Key) {
	if len(l.told) >= maxAsked {
		clear(l.told)
	}
	l.told[dir] = time.Now()
}

// explain reports whether a hint has told of a folder just now, so that a scan which finds something there does not show that hints
// miss what happens.
func (l *looks) explain(dir asset.Key) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	at, ok := l.told[dir]
	return ok && time.Since(at) < tellsFor
}

// take takes what was asked for.
func (l *looks) take() []asset.Key {
	l.mu.Lock()
	defer l.mu.Unlock()
	dirs := slices.Collect(maps.Keys(l.asked))
	clear(l.asked)
	return dirs
}

// run looks until ctx ends.
func (l *looks) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.wake:
			for _, dir := range l.take() {
				l.look(ctx, dir)
			}
		}
	}
}

// look looks at what lies directly in a folder. What cannot be read there is left to a scan, which tells of it.
func (l *looks) look(ctx context.Context, dir asset.Key) {
	p := newProgress("look", dir)
	l.f.looking.Store(p)
	defer l.f.looking.Store(nil)
	s := scan{f: l.f, ctx: ctx, p: p, at: &cursors{}}
	if l.f.looksForAll() {
		s.others = &finds{}
	}
	for o, err := range l.f.store.List(ctx, dir, storage.ListOptions{}) {
		p.beat()
		if err != nil {
			l.f.askScan()
			return
		}
		s.see(o)
	}
	l.tell(s.others)
}
