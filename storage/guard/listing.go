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

// listing is one List: a goroutine reads the folders, and the caller's takes what it found. The order of all that the caller sees is that
// of the inner store: before Enter is asked, what was found is handed over.
type listing struct {
	s       *Store
	o       storage.ListOptions
	items   chan []item
	asks    chan asset.Key
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
	done := make(chan any, 1)
	go func() {
		a := run(func() (struct{}, error) { l.read(ctx, prefix); return struct{}{}, nil })
		<-c.slow
		done <- a.panicked
	}()
	return l.take(ctx, refused, done, yield)
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
	if len(found) == 0 {
		return true
	}
	select {
	case l.items <- found:
		return true
	case <-l.left:
		return false
	}
}

// enter has the caller decide about a folder.
func (l *listing) enter(key asset.Key) bool {
	if !l.hand() {
		return false
	}
	select {
	case l.asks <- key:
	case <-l.left:
		return false
	}
	select {
	case yes := <-l.answers:
		return yes
	case <-l.left:
		return false
	}
}

// take is the caller's goroutine.
func (l *listing) take(ctx context.Context, refused <-chan struct{}, done <-chan any, yield func(storage.Object, error) bool) error {
	c := l.s.c
	ask := time.NewTimer(c.o.AskAfter)
	defer ask.Stop()
	ended := ctx.Done()
	var grace <-chan time.Time
	for {
		select {
		case found := <-l.items:
			for _, i := range found {
				if !yield(i.o, i.err) {
					return nil
				}
			}
			ask.Reset(c.o.AskAfter)
		case key := <-l.asks:
			l.answers <- l.o.Enter(key)
		case panicked := <-done:
			if panicked != nil {
				panic(panicked)
			}
			return nil
		case <-ask.C:
			c.wonder()
			ask.Reset(c.o.AskAfter)
		case <-refused:
			_, err := c.state()
			return c.orSilent(err)
		case <-ended:
			ended, grace = nil, time.After(endGrace)
		case <-grace:
			return context.Cause(ctx)
		}
	}
}
