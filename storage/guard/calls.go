package guard

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"hotfolderd/storage"
)

const (
	// most is how many calls may be under way, and as many that wait for others or hand over one thing after the other. Each that hangs
	// costs a thread.
	most = 128
	// askAfter is how long a call lasts before the store is asked whether it is there at all.
	askAfter = 2 * time.Second
	// silentAfter is how long that question may be without an answer. Together they leave a hotfolder time to turn red within 10 s.
	silentAfter = 5 * time.Second
	// roomAfter is how long a call may wait for another to end.
	roomAfter = 30 * time.Second
	// endGrace is how long a call may go on behind the end of its context, so that what it has done is still told.
	endGrace = time.Second
	// closeAfter is how long a store may take to be closed.
	closeAfter = 2 * time.Second
)

// Options of [NewCalls]. Zero values are the defaults.
type Options struct {
	Most                  int           // calls at a time: 128
	AskAfter, SilentAfter time.Duration // 2 s and 5 s
	// Name of the store, for people.
	Name string
}

// Calls are the calls to one store. They are safe for concurrent use. A nil *Calls makes every call at once, unbounded.
type Calls struct {
	quick chan struct{} // a place for each call
	slow  chan struct{} // the same for calls during which others are made, so that those find places
	question
}

// NewCalls makes the bounds of one store. ask is the question: it asks the server, not a cache, and returns when there was an answer,
// whatever it was. An error that wraps [storage.ErrIdentity] refuses all calls until it is asked again with another answer.
func NewCalls(ask func(context.Context) error, o Options) *Calls {
	if o.Most <= 0 {
		o.Most = most
	}
	if o.AskAfter <= 0 {
		o.AskAfter = askAfter
	}
	if o.SilentAfter <= 0 {
		o.SilentAfter = silentAfter
	}
	return &Calls{
		quick: make(chan struct{}, o.Most), slow: make(chan struct{}, o.Most),
		question: question{ask: ask, o: o, refused: make(chan struct{})},
	}
}

// Do is Call for what returns no more than an error.
func (c *Calls) Do(ctx context.Context, f func() error) error {
	_, err := Call(ctx, c, func() (struct{}, error) { return struct{}{}, f() }, nil)
	return err
}

// Call makes one call to the store. When it returns [storage.ErrSilent], or the cause of ctx a while after that has ended, f may still
// be under way; late then gets what it returns without an error.
func Call[T any](ctx context.Context, c *Calls, f func() (T, error), late func(T)) (T, error) {
	if c == nil {
		return f()
	}
	v, _, err := callIn(ctx, c, c.quick, f, late)
	return v, err
}

// Exclude is Call for a lock, which is given back when release is called, or when the store is back.
func (c *Calls) Exclude(ctx context.Context, lock func() (release func(), err error)) (release func(), err error) {
	if c == nil {
		return lock()
	}
	inner, _, err := callIn(ctx, c, c.slow, lock, func(release func()) { release() })
	if err != nil {
		return nil, err
	}
	return func() { _ = c.finish(func() error { inner(); return nil }) }, nil
}

// Close closes the store, or what holds a lock on it. A silent one is left to the end of the process: what hangs in it is using it. So
// is a close that takes long although the store answers: a server of NFS 3 that was started anew answers for the locks of before after a minute.
func (c *Calls) Close(f func() error) error {
	if c == nil {
		return f()
	}
	if c.Why() != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(unbound(), closeAfter)
	defer cancel()
	err := c.Do(ctx, f)
	if ctx.Err() != nil || errors.Is(err, storage.ErrSilent) {
		return nil
	}
	return err
}

// callIn makes a call from one of the places. left: it may still be under way.
func callIn[T any](ctx context.Context, c *Calls, places chan struct{}, f func() (T, error), late func(T)) (v T, left bool, err error) {
	refused, err := c.enter(ctx, places)
	if err != nil {
		return v, false, err
	}
	return made(ctx, c, places, refused, f, late)
}

// answer is what a call came to: a value and an error, or a panic, which is the caller's.
type answer[T any] struct {
	v        T
	err      error
	panicked any
}

// made makes a call that has a place. left: its caller does not wait any more, and late gets what it comes to.
func made[T any](
	ctx context.Context, c *Calls, places chan struct{}, refused <-chan struct{}, f func() (T, error), late func(T),
) (v T, left bool, err error) {
	done := make(chan answer[T], 1)
	var decided atomic.Bool // by whoever is first: the end of the call, or its caller who leaves
	go func() {
		a := run(f)
		<-places
		if decided.CompareAndSwap(false, true) {
			done <- a
		} else if late != nil && a.err == nil && a.panicked == nil {
			late(a.v)
		}
	}()
	a, why := await(ctx, c, refused, done)
	if why != nil {
		if decided.CompareAndSwap(false, true) {
			return v, true, why
		}
		a = <-done
	}
	if a.panicked != nil {
		panic(a.panicked)
	}
	return a.v, false, a.err
}

func run[T any](f func() (T, error)) (a answer[T]) {
	defer func() { a.panicked = recover() }()
	a.v, a.err = f()
	return a
}

// enter waits for a place. The channel is closed when the store does not answer any more.
func (c *Calls) enter(ctx context.Context, places chan struct{}) (refused <-chan struct{}, err error) {
	refused, err = c.state()
	if err != nil {
		return nil, err
	}
	select {
	case places <- struct{}{}:
		return refused, nil
	default:
	}
	long := time.NewTimer(roomAfter)
	defer long.Stop()
	for {
		select {
		case places <- struct{}{}:
			return refused, nil
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-refused:
			_, err := c.state()
			return nil, c.orSilent(err)
		case <-long.C:
			return nil, fmt.Errorf("%w: %s: %d calls are under way and none has ended for %s", storage.ErrSilent, c.o.Name, c.o.Most, roomAfter)
		}
	}
}

// await waits for the end of a call, or for another sign of the store, or until its caller is to leave.
func await[A any](ctx context.Context, c *Calls, refused <-chan struct{}, done <-chan A) (a A, left error) {
	select {
	case a = <-done: // most calls are short
		return a, nil
	default:
	}
	ask := time.NewTimer(c.o.AskAfter)
	defer ask.Stop()
	ended := ctx.Done()
	var grace <-chan time.Time
	for {
		select {
		case a = <-done:
			return a, nil
		case <-ask.C:
			c.wonder()
			ask.Reset(c.o.AskAfter)
		case <-refused:
			_, err := c.state()
			return a, c.orSilent(err)
		case <-ended:
			ended, grace = nil, time.After(endGrace)
		case <-grace:
			return a, context.Cause(ctx)
		}
	}
}

// unbound is the context of what has none: reads, writes, the end of a thing, and the question itself.
func unbound() context.Context { return context.Background() } // cleanup: whoever waits is let go when the store is silent
