package invalidation

import (
	"context"
	"fmt"
	"time"

	"hotfolderd/asset"
)

const (
	waitHeard = 200 * time.Millisecond // how long the watch has to bring an event before it is looked for
	waitPause = 100 * time.Millisecond // before a look that failed is repeated
)

// Wait returns when this node has applied the event, so that what it reads afterwards is not older. It waits as long as ctx
// allows; the error then wraps [asset.ErrNotNow]. An index that no log gave out is [ErrIndex].
func (l *Log) Wait(ctx context.Context, i Index) error {
	if i.Seq == 0 {
		return nil
	}
	if newest, own := l.ownNewest(i.Instance); own {
		return within(i, newest)
	}
	switch {
	case l.o.Conn == nil:
		return nil // of an earlier start or another node: what this one cached it read later
	case l.o.PublishOnly:
		return fmt.Errorf("wait for index %s: %w: this client does not read", i, ErrIndex)
	}
	if err := l.r.wait(ctx, i); err != nil {
		return fmt.Errorf("wait for index %s: %w", i, err)
	}
	return nil
}

// ownNewest is the newest event of a log of this node.
func (l *Log) ownNewest(log string) (newest uint64, own bool) {
	if l.o.Conn == nil {
		return l.told.Load(), log == l.o.Instance
	}
	newest, _, own = l.w.own(log)
	return newest, own
}

func within(i Index, newest uint64) error {
	if i.Seq > newest {
		return fmt.Errorf("%w: %s: the newest event of that log is %d", ErrIndex, i, newest)
	}
	return nil
}

// wait looks at Consul itself when the watch does not bring the event.
func (r *reader) wait(ctx context.Context, i Index) error {
	if r.reached(ctx, i) {
		return nil
	}
	for {
		err := r.look(ctx)
		if err == nil {
			o, known := r.origin(i.Instance)
			switch {
			case !known:
				return nil // its log is gone: all of it was applied, or everything forgotten, or it ended before this node began
			case !o.foreign:
				return within(i, o.applied)
			}
			err = errHead
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%w: %w: %w", asset.ErrNotNow, context.Cause(ctx), err)
		}
		sleep(ctx, waitPause)
	}
}

// reached waits a moment for the event, if its log is known.
func (r *reader) reached(ctx context.Context, i Index) bool {
	ctx, cancel := context.WithTimeout(ctx, waitHeard)
	defer cancel()
	for {
		r.mu.Lock()
		o, changed := r.origins[i.Instance], r.changed
		there := o != nil && !o.foreign && o.applied >= i.Seq
		r.mu.Unlock()
		if there || o == nil {
			return there
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// origin is what is known of one log.
func (r *reader) origin(name string) (o origin, known bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if found := r.origins[name]; found != nil {
		return *found, true
	}
	return origin{}, false
}
