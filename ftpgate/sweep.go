package ftpgate

import (
	"context"
	"strings"
	"time"

	"go.uber.org/zap"

	"hotfolderd/intake"
	"hotfolderd/storage"
)

const (
	sweepEvery  = 5 * time.Minute
	sweepSoon   = 2 * time.Second  // after an upload could not be given its name
	othersGrace = 15 * time.Minute // after which a pending upload of another node is taken for a dead one's
)

// sweepLoop finishes what dead gates left and forgets what is kept too long, at once and then now and again, until ctx ends. What
// this gate itself could not finish is tried again sooner.
func (g *Gate) sweepLoop(ctx context.Context) {
	g.left.Sweep(ctx, sweepSoon, sweepEvery, func(ctx context.Context) {
		if ok, _ := g.o.Writable(); ok {
			g.sweep(ctx)
		}
	})
}

func (g *Gate) sweep(ctx context.Context) {
	intake.SweepFolders(g.o.Users.Hotfolders(), g.o.Folders,
		func(hotfolder string, f Folder) { g.finishPending(ctx, hotfolder, f) },
		func(f Folder) { g.forgetPartials(ctx, f) })
}

// finishPending publishes the uploads that a dead gate had stored. Their clients may have been told so; if they have not heard it, the
// walk finds out by the format: nobody is told that these are known to be whole.
func (g *Gate) finishPending(ctx context.Context, hotfolder string, f Folder) {
	for o, err := range f.Store.List(ctx, f.PendingFolder(hotfolder), storage.ListOptions{}) {
		if err == nil {
			err = g.finishOne(ctx, hotfolder, f, o)
		}
		if err != nil && !notThere(err) && ctx.Err() == nil {
			g.o.Log.Error("a stored upload has no name yet; it is tried again", zap.String("hotfolder", hotfolder), zap.Error(err))
		}
	}
}

func (g *Gate) finishOne(ctx context.Context, hotfolder string, f Folder, o storage.Object) error {
	parsed, ok := intake.ParsePending(o.Key.Base())
	if !ok || !g.isDead(parsed, o) {
		return nil
	}
	key, err := f.KeyOf(ctx, o.Key, parsed)
	if err != nil {
		return err
	}
	p := place{hotfolder: hotfolder, folder: f, key: key}
	if p.hidden() {
		return nil
	}
	if now, err := f.Store.Stat(ctx, p.full()); err == nil && now.Changed.After(o.Changed) {
		return f.Store.Remove(ctx, o.Key, o.Version) // its owner has stored a newer one since
	}
	if whole, err := isProven(ctx, f, o, parsed.Mark); err != nil {
		return err
	} else if !whole {
		return g.forgetCut(ctx, p, o)
	}
	if _, err := g.giveName(ctx, p, o); err != nil {
		return err
	}
	g.left.Drop(o.Key)
	g.o.Log.Info("a stored upload has its name at last", zap.String("hotfolder", hotfolder), zap.String("key", key.Shown()))
	return nil
}

// isDead reports whether nobody else will finish a pending upload. This node's former lives are dead for sure; of other nodes age
// decides.
func (g *Gate) isDead(p intake.Pending, o storage.Object) bool {
	switch {
	case p.Mark == streamMark && (p.Instance == g.names.Instance || g.names.Earlier(p)):
		return g.left.Has(o.Key) || time.Since(o.Changed) > streamGrace // another gate may have ended it
	case p.Instance == g.names.Instance:
		return g.left.Has(o.Key)
	case g.names.Earlier(p):
		return true
	}
	return time.Since(o.Changed) > othersGrace
}

// forgetPartials removes what was kept of broken uploads for longer than it is worth.
func (g *Gate) forgetPartials(ctx context.Context, f Folder) {
	if g.o.ResumeTTL < 0 {
		return
	}
	for o, err := range f.Store.List(ctx, f.Aside.Join(partialsName), storage.ListOptions{Recursive: true}) {
		old := err == nil && o.Kind == storage.Regular && time.Since(o.Changed) > g.o.ResumeTTL
		if old && f.Streams != nil && strings.HasSuffix(o.Key.Base(), "."+streamKind) {
			err = giveUp(ctx, f, o.Key, "")
		}
		if old && err == nil {
			err = f.Store.Remove(ctx, o.Key, o.Version)
		}
		if old && f.Folders != nil {
			_ = f.Folders.RemoveFolder(ctx, o.Key.Dir()) // if nothing is in it
		}
		if err != nil && !notThere(err) && ctx.Err() == nil {
			g.o.Log.Warn("the rest of a broken upload was left", zap.Error(err))
		}
	}
}
