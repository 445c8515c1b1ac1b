package httpgate

import (
	"sync"
	"time"
)

const (
	ghostTime  = time.Minute
	mostGhosts = 10_000
)

// ghosts are the files that were stored a moment ago by a mounted folder. Its program looks at them once more, sets their times, and
// takes it for a fault when they are gone, although they were only imported quickly. Of this node alone.
type ghosts struct {
	mu  sync.Mutex
	all map[string]davInfo
}

func newGhosts() *ghosts { return &ghosts{all: map[string]davInfo{}} }

func ghostName(p place) string { return p.hotfolder + "/" + string(p.key) }

func (g *ghosts) add(p place, size int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.all) >= mostGhosts {
		clear(g.all)
	}
	g.all[ghostName(p)] = davInfo{name: p.key.Base(), size: size, changed: time.Now()}
}

func (g *ghosts) of(p place) (davInfo, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	info, ok := g.all[ghostName(p)]
	return info, ok && time.Since(info.changed) < ghostTime
}

func (g *ghosts) forget(p place) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.all, ghostName(p))
}
