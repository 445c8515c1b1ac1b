package cache

import (
	"context"
	"sync"

	"hotfolderd/asset"
)

// flight names one read that is under way. Who comes after the generation has changed does not join it.
type flight struct {
	key        key
	name       asset.Key
	generation uint64
}

// flights lets all who want the same at the same time wait for one read. The zero value is ready.
type flights struct {
	mu    sync.Mutex
	under map[flight]*landing
}

// landing is how a read ended.
type landing struct {
	done  chan struct{}
	e     *entry
	err   error
	given bool // the read was given up for its reader's sake: another may have more time
}

// take reads, or waits for who does. A reader whose ctx ends, or that panics, leaves the read to the next.
func (f *flights) take(ctx context.Context, id flight, read func() (*entry, error)) (e *entry, joined bool, err error) {
	for {
		l, leads := f.join(id)
		if leads {
			e, err = f.lead(ctx, id, l, read)
			return e, false, err
		}
		select {
		case <-l.done:
			if !l.given {
				return l.e, true, l.err
			}
		case <-ctx.Done():
			return nil, true, context.Cause(ctx)
		}
	}
}

func (f *flights) join(id flight) (l *landing, leads bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if l, ok := f.under[id]; ok {
		return l, false
	}
	if f.under == nil {
		f.under = map[flight]*landing{}
	}
	l = &landing{done: make(chan struct{}), given: true}
	f.under[id] = l
	return l, true
}

func (f *flights) lead(ctx context.Context, id flight, l *landing, read func() (*entry, error)) (*entry, error) {
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.under, id)
		close(l.done)
	}()
	e, err := read()
	l.e, l.err, l.given = e, err, err != nil && ctx.Err() != nil
	return e, err
}
