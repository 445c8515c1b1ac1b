package httpgate

import (
	"context"
	"time"

	"go.uber.org/zap"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

const mostForgotten = 100_000 // uploads that are looked at in one turn

// forgetUploads removes uploads by tus in which nothing happened for longer than they are kept, and those that became drops.
func (g *Gate) forgetUploads(ctx context.Context, f Folder) {
	g.forgetShadows(ctx, f)
	newest := map[asset.Key]time.Time{} // by upload
	root := f.Aside.Join(uploadsName)
	for o, err := range f.Store.List(ctx, root, storage.ListOptions{Recursive: true}) {
		if err != nil || len(newest) == mostForgotten {
			break
		}
		if o.Kind != storage.Directory && o.Changed.After(newest[o.Key.Dir()]) {
			newest[o.Key.Dir()] = o.Changed
		}
	}
	for folder, changed := range newest {
		if time.Since(changed) < g.o.ResumeTTL || ctx.Err() != nil {
			continue
		}
		t := &tusUpload{g: g, place: place{folder: f}, folder: folder}
		if err := t.remove(ctx, func(string) bool { return true }); err != nil {
			g.o.Log.Warn("the rest of an upload was left", zap.Error(err))
		}
	}
}

// forgetShadows removes what mounted folders keep that is no drop, when it is old.
func (g *Gate) forgetShadows(ctx context.Context, f Folder) {
	for o, err := range f.Store.List(ctx, f.Aside.Join(davsName), storage.ListOptions{Recursive: true}) {
		if err != nil || ctx.Err() != nil {
			return
		}
		if o.Kind == storage.Directory || time.Since(o.Changed) < davTTL {
			continue
		}
		if err := f.Store.Remove(ctx, o.Key, o.Version); err != nil && !notThere(err) {
			g.o.Log.Warn("the rest of an upload was left", zap.Error(err))
		}
	}
}
