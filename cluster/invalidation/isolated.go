package invalidation

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"go.uber.org/zap"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// Isolated tells the log that this node goes on writing without Consul (on), or that it does not any more. While on, nobody waits
// for Consul: this node forgets, and what it has to tell the others is kept; beyond 65,536 events that is "forget everything". A
// note in the store says so, in case the node dies before it has told them. When off again, everything kept is published before
// Begin returns.
func (l *Log) Isolated(on bool) {
	if l.o.Conn != nil {
		l.q.isolate(on)
	}
}

// isolate switches. Whoever waits is let go when it is on.
func (q *queue) isolate(on bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.isolated == on {
		return
	}
	q.isolated = on
	if on {
		close(q.alone)
		return
	}
	q.alone = make(chan struct{})
	if !q.closed {
		q.kept = q.last(0)
	}
}

// isolation is closed while the node is isolated.
func (q *queue) isolation() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.alone
}

// Covers reports whether [Log.Last] covers every change whose end has returned. While the node is isolated, and until what it kept is
// published, no number does: which one its events will get is known to nobody yet.
func (l *Log) Covers() bool { return l.o.Conn == nil || l.q.settled() }

// settled reports whether everything that was kept while the node was isolated is in Consul.
func (q *queue) settled() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.isolated {
		return false
	}
	if q.kept == nil {
		return true
	}
	select {
	case <-q.kept.done:
		q.kept = nil
		return true
	default:
		return false
	}
}

// noteAge is how old a note may be when a change is made.
const noteAge = 10 * time.Second

// note is the object that says that a writer is isolated. When it is gone, nobody knows what it changed: then all forget
// everything. The note is written again as long as there are changes, so that a writer whose note grows old makes none.
type note struct {
	turn chan struct{} // held by whoever writes or removes it
	left time.Time     // zero: there is none
}

func noteKey(prefix asset.Key, instance string) asset.Key {
	return prefix.Join(asset.Key(nodeOf(instance))).Join(asset.Key(instance + noteSuffix))
}

const noteSuffix = ",isolated"

// parseNote reads the last component of a key.
func parseNote(base string) (instance string, ok bool) {
	instance, ok = strings.CutSuffix(base, noteSuffix)
	return instance, ok && nameFault(instance) == ""
}

// leaveNote makes sure that there is a durable note, not older than noteAge.
func (l *Log) leaveNote(ctx context.Context) error {
	if l.o.Store == nil {
		return nil
	}
	if err := take(ctx, l.note.turn); err != nil {
		return errors.Join(asset.ErrNotNow, err)
	}
	defer give(l.note.turn)
	now := time.Now()
	if !l.note.left.IsZero() && now.Sub(l.note.left) < noteAge {
		return nil
	}
	why := strings.NewReader("This node wrote without Consul. When it is gone, all others must forget what they cached.\n")
	if _, err := l.o.Store.Put(ctx, noteKey(l.o.Prefix, l.o.Instance), why, storage.PutOptions{}); err != nil {
		return fmt.Errorf("%w: note that this node is isolated: %w", asset.ErrNotNow, err)
	}
	l.note.left = now
	return nil
}

// removeNote takes the note away when everything it stands for is in Consul.
func (l *Log) removeNote(ctx context.Context) {
	if l.o.Store == nil || take(ctx, l.note.turn) != nil {
		return
	}
	defer give(l.note.turn)
	if l.note.left.IsZero() || !l.q.settled() {
		return
	}
	if err := remove(ctx, l.o.Store, noteKey(l.o.Prefix, l.o.Instance)); err != nil {
		l.o.Log.Warn("the note that this node was isolated could not be removed", zap.Error(err))
		return
	}
	l.note.left = time.Time{}
}

// remove takes an object away; that there is none is no error.
func remove(ctx context.Context, store storage.Store, key asset.Key) error {
	if err := store.Remove(ctx, key, ""); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// take waits for the turn, which a channel of one holds.
func take(ctx context.Context, turn chan struct{}) error {
	select {
	case turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func give(turn chan struct{}) { <-turn }
