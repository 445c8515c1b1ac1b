package invalidation

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/hashicorp/consul/api"
	"go.uber.org/zap"

	"hotfolderd/asset"
)

const (
	dutyPace  = time.Second      // between two looks at the logs of others; a writer is dead when it is on two of them
	closedFor = 60 * time.Second // how long a closed log stays, for readers that are away for a moment
	maxRemove = 32               // logs removed in one transaction
)

// duty sees to the logs of the others whose writers are dead: it publishes what they left open, closes them, and removes them
// when they have been closed for a while. Nothing of it harms when two nodes do it at a time.
type duty struct {
	l         *Log
	pace      time.Duration
	closedFor time.Duration
	silent    map[string]time.Time // since when a log has had no live writer
	closed    map[string]time.Time // since when a log has been seen closed
	sweepPace time.Duration
	swept     time.Time
	orphans   map[asset.Key]asset.Version // what the last sweep found in the store to belong to no log
}

func newDuty(l *Log) *duty {
	return &duty{
		l: l, pace: dutyPace, closedFor: closedFor, silent: map[string]time.Time{}, closed: map[string]time.Time{},
		sweepPace: sweepPace, swept: time.Now(),
	}
}

// run goes round until ctx ends.
func (d *duty) run(ctx context.Context) {
	for ctx.Err() == nil {
		sleep(ctx, d.pace)
		if !d.l.r.fresh() || ctx.Err() != nil {
			continue
		}
		if err := d.round(ctx); err != nil && ctx.Err() == nil {
			d.l.o.Log.Warn("the logs of invalidations could not be tidied; trying again", zap.Error(err))
		}
	}
}

// round does what is due now.
func (d *duty) round(ctx context.Context) error {
	heads, removed := d.l.r.snapshot()
	d.l.removeNote(ctx)
	if err := d.closeOwn(ctx, heads); err != nil {
		return err
	}
	if !d.l.o.Duty() {
		clear(d.silent)
		clear(d.closed)
		return nil
	}
	return errors.Join(d.closeDead(ctx, heads), d.removeClosed(ctx, heads, removed), d.sweep(ctx, heads))
}

// closeOwn closes logs that this writer has left because Consul went back to an older state.
func (d *duty) closeOwn(ctx context.Context, heads map[string]origin) error {
	for name, o := range heads {
		_, current, own := d.l.w.own(name)
		if own && !current && !o.head.closed && !o.foreign {
			if err := d.shut(ctx, name, o); err != nil {
				return err
			}
		}
	}
	return nil
}

// closeDead takes over from writers that were dead on the last round too.
func (d *duty) closeDead(ctx context.Context, heads map[string]origin) error {
	for name := range d.silent {
		if _, known := heads[name]; !known {
			delete(d.silent, name)
		}
	}
	for name, o := range heads {
		if o.head.closed || o.foreign || d.l.r.own(name) || d.l.o.Live(writerOf(name)) {
			delete(d.silent, name)
			continue
		}
		since, known := d.silent[name]
		if !known {
			d.silent[name] = time.Now()
		} else if time.Since(since) >= d.pace*9/10 {
			if err := d.takeOver(ctx, name, o); err != nil {
				return fmt.Errorf("take over the log %s: %w", name, err)
			}
		}
	}
	return nil
}

// takeOver publishes what a dead writer left open, and closes its log if it is still as it was: what was published is then all
// there ever is of it.
func (d *duty) takeOver(ctx context.Context, name string, o origin) error {
	client, err := d.l.o.Conn.Get(ctx, clientKey(d.l.o.Root, writerOf(name)))
	if err != nil || client != nil && client.Session != "" {
		return err
	}
	marks := o.head.intents
	alone, err := d.noted(ctx, name)
	if err != nil {
		return err
	}
	if alone {
		marks = []uint64{clearMark}
	}
	if err := d.publish(ctx, marks); err != nil {
		return err
	}
	d.l.o.Log.Info("took over the log of a dead writer",
		zap.String("log", name), zap.Int("intents", len(o.head.intents)), zap.Bool("isolated", alone))
	return d.shut(ctx, name, o)
}

func clientKey(root, instance string) string { return root + "clients/" + instance }

// noted reports whether the writer was isolated: then nobody knows what it changed.
func (d *duty) noted(ctx context.Context, name string) (bool, error) {
	if d.l.o.Store == nil {
		return false, nil
	}
	_, err := d.l.o.Store.Stat(ctx, noteKey(d.l.o.Prefix, writerOf(name)))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// publish tells of what a dead writer did not, as events of the own log.
func (d *duty) publish(ctx context.Context, marks []uint64) error {
	if len(marks) == 0 {
		return nil
	}
	if marks[0] == clearMark {
		d.l.r.clear("a node that is gone was isolated, and nobody knows what it changed")
	} else {
		d.l.forget(marks...)
	}
	return d.l.tell(ctx, marks...)
}

// shut closes a log that is still as it was seen; if it is not, that is for the next round.
func (d *duty) shut(ctx context.Context, name string, o origin) error {
	pair := &api.KVPair{Key: headsPrefix(d.l.o.Root) + name, Value: o.head.shut().encode(), ModifyIndex: o.index}
	_, _, err := d.l.o.Conn.CAS(ctx, pair)
	return err
}

// removeClosed removes logs that have been closed for long, and counts them in the same transaction, so that a reader that never
// saw them knows.
func (d *duty) removeClosed(ctx context.Context, heads map[string]origin, removed counter) error {
	for name := range d.closed {
		if _, known := heads[name]; !known {
			delete(d.closed, name)
		}
	}
	var old []string
	for name, o := range heads {
		since, known := d.closed[name]
		switch {
		case !o.head.closed || o.foreign:
		case !known:
			d.closed[name] = time.Now()
		case time.Since(since) >= d.closedFor && len(old) < maxRemove:
			old = append(old, name)
		}
	}
	if len(old) == 0 {
		return nil
	}
	prefix := headsPrefix(d.l.o.Root)
	next := counter{count: removed.count + uint64(len(old))}
	ops := api.KVTxnOps{{Verb: api.KVCAS, Key: prefix + removedName, Value: next.encode(), Index: removed.index}}
	for _, name := range old {
		ops = append(ops, &api.KVTxnOp{Verb: api.KVDeleteCAS, Key: prefix + name, Index: heads[name].index})
	}
	_, _, err := d.l.o.Conn.Txn(ctx, ops)
	return err
}
