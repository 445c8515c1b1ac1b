package invalidation

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// sweepPace is the time between two sweeps; what has no log on two of them is removed.
const sweepPace = time.Minute

// sweep removes from the store what belongs to no log any more, when it was so on the last sweep too. The note of an isolated
// writer makes everybody forget everything first.
func (d *duty) sweep(ctx context.Context, heads map[string]origin) error {
	if d.l.o.Store == nil || time.Since(d.swept) < d.sweepPace {
		return nil
	}
	d.swept = time.Now()
	before := d.orphans
	d.orphans = map[asset.Key]asset.Version{}
	for o, err := range d.l.o.Store.List(ctx, d.l.o.Prefix, storage.ListOptions{Recursive: true, NamesOnly: true}) {
		if err == nil && o.Kind != storage.Directory {
			err = d.sweepOne(ctx, o.Key, heads, before)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("sweep old invalidations: %w", err)
		}
	}
	return nil
}

// sweepOne removes one object if it is an orphan that has not changed since the last sweep.
func (d *duty) sweepOne(ctx context.Context, key asset.Key, heads map[string]origin, before map[asset.Key]asset.Version) error {
	base := string(key.Base())
	writer, isNote := parseNote(base)
	log, _, isSegment := parseSegment(base)
	_, known := heads[log]
	switch {
	case isNote && (writer == d.l.o.Instance || d.l.o.Live(writer)):
		return nil // it removes the note itself
	case isSegment && (known || d.l.r.own(log) || d.l.o.Live(writerOf(log))):
		return nil
	case !isNote && !isSegment:
		return nil
	}
	o, err := d.l.o.Store.Stat(ctx, key)
	if err != nil {
		return err
	}
	if before[key] != o.Version {
		d.orphans[key] = o.Version
		return nil
	}
	if isNote {
		if err := d.publish(ctx, []uint64{clearMark}); err != nil {
			return err
		}
	}
	return remove(ctx, d.l.o.Store, key)
}
