package httpgate

import (
	"context"
	"crypto/rand"
	"net/http"
	"sync/atomic"
	"time"

	"hotfolderd/asset"
	"hotfolderd/intake"
)

// Gate takes drops by HTTP. Make one with [New]; what it offers may be used before [Gate.Run] and not after.
type Gate struct {
	o       Options
	names   *intake.Names
	left    *intake.Left
	metrics *metrics
	turns   *turns
	ghosts  *ghosts
	tus     http.Handler
	hand    atomic.Int64 // uploads
	grace   atomic.Int64 // a time.Duration
}

// New makes a gate; [Gate.Run] sees to what is left behind.
func New(o Options) (*Gate, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	g := &Gate{
		o: o, names: &intake.Names{Node: o.Node, Instance: rand.Text()[:12]}, left: intake.NewLeft(), metrics: newMetrics(o.Metrics),
		turns: newTurns(), ghosts: newGhosts(),
	}
	g.SetGrace(o.Grace)
	if g.tus, err = g.newTus(); err != nil {
		return nil, err
	}
	return g, nil
}

// Run finishes what dead gates left, and forgets what rests too long, until ctx ends; then it gives the uploads in hand their grace.
func (g *Gate) Run(ctx context.Context) error {
	g.left.Sweep(ctx, sweepSoon, sweepEvery, g.sweep)
	for end := time.Now().Add(g.Grace()); g.hand.Load() > 0 && time.Now().Before(end); {
		time.Sleep(handLook)
	}
	return nil
}

const handLook = 20 * time.Millisecond // between two looks whether uploads are in hand

// SetGrace says how long uploads in hand may go on when Run is to end.
func (g *Gate) SetGrace(d time.Duration) { g.grace.Store(int64(d)) }

// Grace is how long uploads in hand may go on when Run is to end.
func (g *Gate) Grace() time.Duration { return time.Duration(g.grace.Load()) }

// place is where a file is to be: a name in a hotfolder.
type place struct {
	hotfolder string
	folder    Folder
	key       asset.Key
}

// full is the place's key in its store.
func (p place) full() asset.Key { return p.folder.Prefix.Join(p.key) }

// place finds a hotfolder and refuses names that are not for drops.
func (g *Gate) place(hotfolder string, key asset.Key) (place, error) {
	f, ok := g.o.Folders(hotfolder)
	switch {
	case !ok:
		return place{}, refuse(http.StatusNotFound, "there is no hotfolder %q", hotfolder)
	case key == asset.Root:
		return place{}, refuse(http.StatusMethodNotAllowed, "that is the hotfolder itself; a file needs a name")
	case f.Hidden(key):
		return place{}, refuse(http.StatusUnprocessableEntity, "that name is reserved")
	}
	return place{hotfolder, f, key}, nil
}
