package guard

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"hotfolderd/storage"
)

// question asks the store whether it is there. At most one is under way.
type question struct {
	ask func(context.Context) error
	o   Options

	mu      sync.Mutex
	asked   chan struct{} // closed when the question under way has its answer, or is late; nil: none is under way
	late    bool          // the question under way has no answer in time
	why     error         // all calls are refused; nil: none is
	refused chan struct{} // closed while they are
	after   []func()      // to be done when the store is back
}

// state is why calls are refused, or a channel that is closed as soon as they are.
func (q *question) state() (refused <-chan struct{}, why error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.why != nil {
		q.begin() // whoever is refused asks again: there may be nobody else who does
		return nil, q.why
	}
	return q.refused, nil
}

// orSilent is for callers who were refused while the store has come back already.
func (q *question) orSilent(why error) error {
	if why != nil {
		return why
	}
	return q.silence()
}

func (q *question) silence() error {
	return fmt.Errorf("%s: %w: see that its server runs and can be reached; all goes on when it answers", q.o.Name, storage.ErrSilent)
}

// wonder asks, unless somebody does.
func (q *question) wonder() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.begin()
}

// Ask asks the store and returns why calls are refused from now on; nil when they are not. It returns within the time of
// [Options].SilentAfter.
func (q *question) Ask() error {
	q.mu.Lock()
	asked := q.begin()
	q.mu.Unlock()
	<-asked
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.why
}

// Why is why calls are refused now, without asking; nil when they are not.
func (q *question) Why() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.why
}

// begin asks if nobody does. mu is held. The goroutine ends with the system call, which nothing else can end.
func (q *question) begin() (asked <-chan struct{}) {
	if q.asked != nil {
		return q.asked
	}
	q.asked = make(chan struct{})
	q.late = false
	asking := q.asked
	over := time.AfterFunc(q.o.SilentAfter, func() { q.over(asking) })
	go func() {
		err := q.ask(unbound()) // no context ends a system call; it is waited for until it ends
		over.Stop()
		q.answered(err)
	}()
	return q.asked
}

// over makes the store silent: this question has no answer in time.
func (q *question) over(asking chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.asked != asking {
		return
	}
	q.late = true
	q.refuse(q.silence())
	close(q.asked)
}

// refuse refuses all calls from now on. mu is held.
func (q *question) refuse(why error) {
	if q.why == nil {
		close(q.refused)
	}
	q.why = why
}

// answered is the end of the question. An error that came late is no answer: a share that gives up says so after a long time.
func (q *question) answered(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case err != nil && q.late: // asked again by the next who comes
	case errors.Is(err, storage.ErrIdentity):
		q.refuse(err)
	case q.why != nil:
		q.why, q.refused = nil, make(chan struct{})
		go runAll(q.after)
		q.after = nil
	}
	if !q.late {
		close(q.asked)
	}
	q.asked = nil
}

func runAll(all []func()) {
	for _, f := range all {
		f()
	}
}

// finish does what must be done in the end, such as closing a file: now, or when the store is back.
func (c *Calls) finish(f func() error) error {
	if c == nil {
		return f()
	}
	refused, err := c.enter(unbound(), c.quick)
	if err != nil {
		c.finishLater(f)
		return nil
	}
	_, _, err = made(unbound(), c, c.quick, refused, func() (struct{}, error) { return struct{}{}, f() }, nil)
	return err
}

func (c *Calls) finishLater(f func() error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	do := func() { _ = f() } // whoever wanted it has left
	if c.why == nil {
		go do()
		return
	}
	c.after = append(c.after, do)
}
