package posix

import (
	"container/heap"
	"context"
	"errors"
	"io/fs"
	"time"

	"golang.org/x/sys/unix"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

const (
	glanceSoon = 200 * time.Millisecond // between the looks at a folder that has just changed; doubles
	glanceIdle = time.Second            // at one in which nothing happens, when there are few
	glanceRare = 10 * time.Second       // at any while somebody else looks
	glanceRate = 100                    // looks per second at all folders below a prefix
	glanceBusy = 5                      // one look in so many is for folders that change, when there are many

	// stepOfTime is what no server's time of change moves in larger steps than: who lists a folder that long after a change has seen all.
	stepOfTime = time.Second
)

// glance is the source of hints on a share, where no event tells what other machines do: looks at each folder, soon after it has changed and
// each second when it does not, which cost one small call to the server. A name that comes or goes gives its folder another time of change.
// While somebody else looks and tells, the looks are rare.
//
// That time moves in steps, so what comes just after a look may leave it as it was. Therefore a folder that changed is hinted at
// by each look until that step is over for certain; whoever lists it then has seen all. No clock is
// compared with another. What changes within a file moves nothing: that is left to scans.
type glance struct {
	s      *Store
	prefix asset.Key
	o      storage.WatchOptions
	looked map[asset.Key]*looked
	due    glanceHeap
	out    chan storage.Hint
	lost   bool // a hint did not fit; a rescan must follow
}

// looked is what the last look at a folder has found.
type looked struct {
	dir     asset.Key
	mark    folderMark
	changed time.Time // seen at that time; zero when whoever heard of it has seen all
	pause   time.Duration
	next    time.Time
	at      int // place in the heap
}

// folderMark is another when a name came or went, sooner or later.
type folderMark struct {
	ino, size    uint64
	mtime, ctime unix.StatxTimestamp
}

func (s *Store) glance(ctx context.Context, prefix asset.Key, o storage.WatchOptions) (<-chan storage.Hint, error) {
	g := &glance{s: s, prefix: prefix, o: o, looked: map[asset.Key]*looked{}, out: make(chan storage.Hint, hintBuffer)}
	if _, err := g.mark(prefix); err != nil {
		return nil, fail("watch", prefix, err)
	}
	g.add(prefix)
	go g.run(ctx)
	return g.out, nil
}

// add has a folder looked at from now on.
func (g *glance) add(dir asset.Key) {
	if g.looked[dir] != nil {
		return
	}
	l := &looked{dir: dir, next: time.Now()}
	g.looked[dir] = l
	heap.Push(&g.due, l)
}

func (g *glance) run(ctx context.Context) {
	defer close(g.out)
	for {
		g.sendLost()
		l := g.due[0]
		if wait(ctx, max(time.Until(l.next), time.Second/glanceRate)) != nil || !g.look(ctx, l) {
			return
		}
	}
}

// look looks at one folder and says when it is due again. It reports false when watching must begin anew: the prefix is gone.
func (g *glance) look(ctx context.Context, l *looked) bool {
	now, err := g.mark(l.dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) && l.dir != g.prefix:
		delete(g.looked, l.dir)
		heap.Remove(&g.due, l.at)
		return true
	case errors.Is(err, fs.ErrNotExist):
		return false
	case err == nil: // else the scan tells
		g.compare(ctx, l, now)
	}
	l.pause = min(max(2*l.pause, glanceSoon), g.idle())
	l.next = time.Now().Add(g.rarely(l.pause))
	heap.Fix(&g.due, l.at)
	return true
}

func (g *glance) compare(ctx context.Context, l *looked, now folderMark) {
	if now != l.mark {
		l.mark, l.changed, l.pause = now, time.Now(), 0
		g.folders(ctx, l.dir)
	}
	if l.changed.IsZero() {
		return
	}
	if time.Since(l.changed) >= stepOfTime {
		l.changed = time.Time{}
		g.folders(ctx, l.dir)
	}
	g.send(storage.Hint{Key: l.dir, Rescan: true, Inside: true})
}

// rarely makes a pause longer while somebody else looks.
func (g *glance) rarely(pause time.Duration) time.Duration {
	if g.o.Rarely != nil && g.o.Rarely() {
		return max(pause, glanceRare)
	}
	return pause
}

// idle is the time between two looks at a folder in which nothing happens: all of them leave some looks to those that change.
func (g *glance) idle() time.Duration {
	return max(glanceIdle, time.Duration(len(g.looked))*time.Second/glanceRate*glanceBusy/(glanceBusy-1))
}

// mark asks the server for a folder's times.
func (g *glance) mark(dir asset.Key) (folderMark, error) {
	fd, err := g.s.openDir(dir)
	if err != nil {
		return folderMark{}, notThere(err)
	}
	defer unix.Close(fd)
	var st unix.Statx_t
	err = statx(fd, "", unix.AT_EMPTY_PATH|g.s.syncFlag(), &st)
	return folderMark{ino: st.Ino, size: st.Size, mtime: st.Mtime, ctime: st.Ctime}, err
}

// folders takes note of the folders in one that changed. The kernel reads it once, for whoever hears of it too.
func (g *glance) folders(ctx context.Context, dir asset.Key) {
	for o, err := range g.s.List(ctx, dir, storage.ListOptions{NamesOnly: true}) {
		if err == nil && o.Kind == storage.Directory && g.o.Enters(o.Key) {
			g.add(o.Key)
		}
	}
}

// send never waits.
func (g *glance) send(h storage.Hint) {
	select {
	case g.out <- h:
	default:
		g.lost = true
	}
}

func (g *glance) sendLost() {
	if !g.lost {
		return
	}
	g.lost = false
	g.send(storage.Hint{Key: g.prefix, Rescan: true})
}

// glanceHeap has the folder on top that is due first.
type glanceHeap []*looked

func (h glanceHeap) Len() int           { return len(h) }
func (h glanceHeap) Less(i, j int) bool { return h[i].next.Before(h[j].next) }
func (h glanceHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i]; h[i].at, h[j].at = i, j }
func (h *glanceHeap) Push(x any)        { l := x.(*looked); l.at = len(*h); *h = append(*h, l) }

func (h *glanceHeap) Pop() any {
	last := len(*h) - 1
	l := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return l
}
