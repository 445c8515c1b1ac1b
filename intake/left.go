package intake

import (
	"context"
	"sync"
	"time"

	"hotfolderd/asset"
)

// Left are pending uploads of this process that could not be given their name. Safe for concurrent use; make one with [NewLeft].
type Left struct {
	asked chan struct{} // somebody is to try again

	mu  sync.Mutex
	all map[asset.Key]bool
}

// NewLeft makes an empty one.
func NewLeft() *Left { return &Left{asked: make(chan struct{}, 1), all: map[asset.Key]bool{}} }

// Add has a pending upload tried again by [Left.Sweep].
func (l *Left) Add(at asset.Key) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all[at] = true
	l.ask()
}

// Has reports whether it was added and not dropped.
func (l *Left) Has(at asset.Key) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all[at]
}

// Drop forgets one that has its name.
func (l *Left) Drop(at asset.Key) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.all, at)
}

// Sweep calls sweep at once and then now and again, until ctx ends. While something is left it does so sooner: after soon, and then
// later and later.
func (l *Left) Sweep(ctx context.Context, soon, seldom time.Duration, sweep func(context.Context)) {
	pause := soon
	for ctx.Err() == nil {
		sweep(ctx)
		if l.askIfAny() {
			pause = min(2*pause, seldom)
		} else {
			pause = soon
		}
		select {
		case <-ctx.Done():
		case <-time.After(seldom):
		case <-l.asked:
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
		}
	}
}

// askIfAny has those that are left tried again, and reports whether there are any.
func (l *Left) askIfAny() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.all) > 0 {
		l.ask()
	}
	return len(l.all) > 0
}

func (l *Left) ask() {
	select {
	case l.asked <- struct{}{}:
	default:
	}
}
