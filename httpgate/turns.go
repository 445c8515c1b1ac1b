package httpgate

import (
	"context"
	"errors"
	"io/fs"
	"sync"

	"go.uber.org/zap"
)

// turns lets the uploads of one name through one after the other, so that they get it in the order in which they were complete.
type turns struct {
	mu  sync.Mutex
	all map[string]*turn
}

type turn struct {
	sync.Mutex
	users int
}

func newTurns() *turns { return &turns{all: map[string]*turn{}} }

// take waits for the turn of a place; done gives it on.
func (t *turns) take(p place) (done func()) {
	name := p.hotfolder + "/" + string(p.key)
	t.mu.Lock()
	of := t.all[name]
	if of == nil {
		of = &turn{}
		t.all[name] = of
	}
	of.users++
	t.mu.Unlock()
	of.Lock()
	return func() {
		of.Unlock()
		t.mu.Lock()
		defer t.mu.Unlock()
		if of.users--; of.users == 0 {
			delete(t.all, name)
		}
	}
}

func isTaken(err error) bool { return errors.Is(err, fs.ErrExist) }

// makeWay removes the file that has a name when it was imported and only stays there (after: keep). Whatever is not known to be
// imported stays.
func (g *Gate) makeWay(ctx context.Context, p place) bool {
	o, err := p.folder.Store.Stat(ctx, p.full())
	if notThere(err) {
		return true
	}
	if err != nil || o.Version == "" {
		return false
	}
	done, err := g.o.Done(ctx, Drop{Hotfolder: p.hotfolder, Key: p.key, Version: o.Version, Size: o.Size})
	if err == nil && done {
		err = p.folder.Store.Remove(ctx, o.Key, o.Version)
	}
	if err != nil && !notThere(err) {
		g.o.Log.Debug("a name is taken", zap.String("key", p.key.Shown()), zap.Error(err))
		return false
	}
	return done
}
