package guard

import (
	"context"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

const (
	batch     = 256                   // things of a listing that are handed over at once
	batchTime = 20 * time.Millisecond // or what was found in this time
)

// item is one thing of a listing.
type item struct {
	o   storage.Object
	err error
}

// step is what the reader of a listing has for its caller: things, the question whether to enter a folder, or the end.
type step struct {
	found    []item
	folder   asset.Key
	asked    bool
	ended    bool
	panicked any
}

// listing is one List: a goroutine reads the folders, and the caller's takes what it found. The order of all that the caller sees is that
// of the inner store: before Enter is asked, what was found is handed over.
type listing struct {
	s       *Store
	o       storage.ListOptions
	steps   chan step
	answers chan bool
	left    chan struct{} // closed when the caller has left

	found []item
	since time.Time
}

// run lists until it has ended, the caller wants no more (then its error is nil), or the store does not answer.
func (l *listing) run(ctx context.Context, prefix asset.Key, yield func(storage.Object, error) bool) error {
	c := l.s.c
	refused, err := c.enter(ctx, c.slow)
	if err != nil {
		return err
	}
	go func() {
		a := run(func() (struct{}, error) { l.read(ctx, prefix); return struct{}{}, nil })
		<-c.slow
		l.give(step{ended: true, panicked: a.panicked})
	}()
	return l.take(ctx, refused, yield)
}

// read is the goroutine that asks the store.
func (l *listing) read(ctx context.Context, prefix asset.Key) {
	o := l.o
	if o.Enter != nil {
		o.Enter = l.enter
	}
	l.since = time.Now()
	for obj, err := range l.s.inner.List(ctx, prefix, o) {
		l.found = append(l.found, item{obj, err})
		if (len(l.found) == batch || err != nil || time.Since(l.since) > batchTime) && !l.hand() {
			return
		}
	}
	l.hand()
}

// hand gives the caller what was found. It reports whether there is still one.
func (l *listing) hand() bool {
	found := l.found
	l.found, l.since = nil, time.Now()
	select {
	case <-l.left:
		return false
	default:
	}
	return len(found) == 0 || l.give(step{found: found})
}

// give hands over one step. It reports whether there is a caller who took it.
func (l *listing) give(now step) bool {
	select {
	case l.steps <- now:
		return true
	case <-l.left:
		return false
	}
}

// enter has the caller decide about a folder.
func (l *listing) enter(key asset.Key) bool {
	if !l.hand() || !l.give(step{folder: key, asked: true}) {
		return false
	}
	select {
	case yes := <-l.answers:
		return yes
	case <-l.left:
		return false
	}
}

// take is the caller's goroutine. Each step of the listing is waited for like a call.
func (l *listing) take(ctx context.Context, refused <-chan struct{}, yield func(storage.Object, error) bool) error {
	for {
		now, err := await(ctx, l.s.c, refused, l.steps)
		switch {
		case err != nil:
			return err
		case now.panicked != nil:
			panic(now.panicked)
		case now.ended:
			return nil
		case now.asked:
			l.answers <- l.o.Enter(now.folder)
		}
		for _, i := range now.found {
			if !yield(i.o, i.err) {
				return nil
			}
		}
	}
}
