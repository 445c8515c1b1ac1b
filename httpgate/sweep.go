package httpgate

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"hotfolderd/asset"
	"hotfolderd/intake"
	"hotfolderd/storage"
)

const (
	sweepSoon   = 500 * time.Millisecond // after an upload was put in the queue; doubles up to
	sweepEvery  = time.Minute
	othersGrace = 5 * time.Minute // after which a pending upload of another node is taken for a dead one's
	mostQueued  = 10_000          // pending uploads of one hotfolder that are looked at in one turn
)

func (g *Gate) sweep(ctx context.Context) {
	if g.o.Writable() != nil {
		return
	}
	intake.SweepFolders(g.o.Hotfolders(), g.o.Folders,
		func(hotfolder string, f Folder) { g.nameAll(ctx, hotfolder, f) },
		func(f Folder) { g.forgetUploads(ctx, f) })
}

// nameAll gives pending uploads their names, the oldest first, so that those of one name come in their order.
func (g *Gate) nameAll(ctx context.Context, hotfolder string, f Folder) {
	var all []storage.Object
	for o, err := range f.Store.List(ctx, f.PendingFolder(hotfolder), storage.ListOptions{}) {
		if err != nil || len(all) == mostQueued {
			break
		}
		all = append(all, o)
	}
	slices.SortFunc(all, func(a, b storage.Object) int {
		return cmp.Or(a.Changed.Compare(b.Changed), strings.Compare(string(a.Key), string(b.Key)))
	})
	passed := map[asset.Key]bool{} // names that are taken: later ones of the same name must not overtake
	for _, o := range all {
		if err := g.nameOne(ctx, hotfolder, f, o, passed); err != nil && !notThere(err) && ctx.Err() == nil {
			g.o.Log.Error("a stored upload has no name yet; it is tried again", zap.String("hotfolder", hotfolder), zap.Error(err))
		}
	}
}

func (g *Gate) nameOne(ctx context.Context, hotfolder string, f Folder, o storage.Object, passed map[asset.Key]bool) error {
	pending, ok := intake.ParsePending(o.Key.Base())
	if !ok || !g.mayName(pending, o) {
		return nil
	}
	key, err := f.KeyOf(ctx, o.Key, pending)
	if err != nil || f.Hidden(key) || passed[key] {
		return err
	}
	p := place{hotfolder, f, key}
	if pending.Mark != "" {
		if ours, err := g.decide(ctx, p, pending.Mark, o, asset.Hash{}); err != nil || !ours {
			return err
		}
	}
	_, named, err := g.name(ctx, p, o)
	passed[key] = !named
	if named {
		g.o.Log.Info("a stored upload has its name", zap.String("hotfolder", hotfolder), zap.String("key", key.Shown()))
	}
	return err
}

// mayName: it is ours and left, of an earlier process of this node, or so old that nobody else can be at it.
func (g *Gate) mayName(p intake.Pending, o storage.Object) bool {
	if p.Instance == g.names.Instance {
		return g.left.Has(o.Key)
	}
	return g.names.Earlier(p) || time.Since(o.Changed) > othersGrace
}

// name gives a pending upload its name if that is free.
func (g *Gate) name(ctx context.Context, p place, o storage.Object) (d Drop, named bool, err error) {
	d = Drop{Hotfolder: p.hotfolder, Key: p.key, Size: o.Size, Version: o.Version}
	g.o.Naming(d.Hotfolder, d.Key, o.Version)
	final, err := p.folder.Name(ctx, o, p.full(), storage.PutOptions{IfAbsent: true})
	if isTaken(err) && g.makeWay(ctx, p) {
		final, err = p.folder.Name(ctx, o, p.full(), storage.PutOptions{IfAbsent: true})
	}
	if isTaken(err) {
		return d, false, nil
	}
	if err != nil {
		return d, false, err
	}
	g.left.Drop(o.Key)
	if note := intake.Beside(o.Key); note != asset.Root {
		if err := p.folder.Store.Remove(ctx, note, ""); err != nil {
			g.o.Log.Warn("the note of a stored upload was left", zap.Error(err))
		}
	}
	if final.Version != "" {
		d.Version = final.Version
	}
	g.o.Heard(d.Hotfolder, d.Key, d.Version)
	g.noteDrop(ctx, p, o.Key, d)
	return d, true, nil
}
