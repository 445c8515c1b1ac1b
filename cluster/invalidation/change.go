package invalidation

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"hotfolderd/asset"
)

// beginMost is how long Begin waits for Consul.
const beginMost = 5 * time.Second

var errSilent = errors.New("consul did not take it in time")

// Begin announces a change of a name: when it returns, Consul holds the intent, so that the others forget the name even if this
// node dies before end. It must be called before the change can be seen, and end after, whether the change was made or not.
//
// It waits for one write to Consul, 5 s at most; the error wraps [asset.ErrNotNow], and the change must not be made then.
//
// end makes this node forget the name at once, and returns when all others will: then a reader that waits for [Log.Last] sees
// the change. When ctx ends before, the error wraps [asset.ErrNotNow] and the others are told later all the same. It may be
// called again, to wait again.
func (l *Log) Begin(ctx context.Context, name asset.Key) (end func(context.Context) error, err error) {
	c := &change{l: l, mark: name.Mark()}
	if l.o.Conn == nil {
		return c.endAlone, nil
	}
	bounded, cancel := context.WithTimeoutCause(ctx, l.beginMost, errSilent)
	defer cancel()
	b, err := l.q.begin(bounded, c.mark)
	if err != nil {
		return nil, fmt.Errorf("announce the change of %s: %w", name.Quoted(), err)
	}
	if err := l.await(bounded, b); err != nil {
		l.q.withdraw(c.mark)
		return nil, fmt.Errorf("announce the change of %s: %w", name.Quoted(), err)
	}
	return c.end, nil
}

// change is one that was begun.
type change struct {
	l    *Log
	mark uint64
	once sync.Once
	b    *batch
	err  error
}

func (c *change) end(ctx context.Context) error {
	c.once.Do(func() {
		c.l.forget(c.mark)
		c.b, c.err = c.l.q.end(c.mark)
	})
	err := c.err
	if err == nil {
		err = c.l.await(ctx, c.b)
	}
	if err != nil {
		return fmt.Errorf("tell of a change: %w", err)
	}
	return nil
}

func (c *change) endAlone(context.Context) error {
	c.once.Do(func() {
		c.l.forget(c.mark)
		c.l.told.Add(1)
	})
	return nil
}

// ClearAll makes every node forget everything, this one first. The index is that of the event; while the node is isolated it
// is an older one. The error is as of end in [Log.Begin].
func (l *Log) ClearAll(ctx context.Context) (Index, error) {
	l.clear("asked to, here")
	l.m.clears.Inc()
	if l.o.Conn == nil {
		l.told.Add(1)
		return l.Last(), nil
	}
	if err := l.tell(ctx, clearMark); err != nil {
		return Index{}, fmt.Errorf("tell the others to forget everything: %w", err)
	}
	return l.Last(), nil
}

// Tell makes every node forget the names with these marks, this one first: somebody else has changed them already. The error is as of
// end in [Log.Begin].
func (l *Log) Tell(ctx context.Context, marks ...uint64) error {
	l.forget(marks...)
	if l.o.Conn == nil {
		l.told.Add(uint64(len(marks)))
		return nil
	}
	if err := l.tell(ctx, marks...); err != nil {
		return fmt.Errorf("tell of changes: %w", err)
	}
	return nil
}

// tell publishes events that end no change here.
func (l *Log) tell(ctx context.Context, marks ...uint64) error {
	b, err := l.q.tell(marks...)
	if err != nil {
		return err
	}
	return l.await(ctx, b)
}

// await returns when the batch is in Consul, or need not be because the node is isolated.
func (l *Log) await(ctx context.Context, b *batch) error {
	select {
	case <-b.done:
		return nil
	case <-l.q.isolation():
		return l.leaveNote(ctx)
	case <-l.q.over:
		return l.atLast(b)
	case <-ctx.Done():
		return errors.Join(asset.ErrNotNow, context.Cause(ctx))
	}
}

// atLast decides about a batch when nothing is written any more.
func (l *Log) atLast(b *batch) error {
	select {
	case <-b.done:
		return nil
	default:
		return errClosed
	}
}
