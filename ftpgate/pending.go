package ftpgate

import (
	"context"
	"sync"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

const pendingWait = 3 * time.Second // at most, for an upload whose client is silent

// pending are the uploads of this gate whose clients were told 226 and have not been heard of yet.
type pending struct {
	mu  sync.Mutex
	all map[*waiting]bool
}

type waiting struct {
	uploadName
	stored  storage.Object // under its pending name
	decided chan struct{}
	// time is that of the file, as its client said; closed when it is too late to say.
	time   time.Time
	closed bool
}

// object is the upload as if it had its name already.
func (w waiting) object(p place) storage.Object {
	o := storage.Object{Key: p.full(), Size: w.stored.Size, ModTime: w.stored.ModTime, Changed: w.stored.Changed}
	if !w.time.IsZero() {
		o.ModTime = w.time
	}
	return o
}

func newPending() *pending { return &pending{all: map[*waiting]bool{}} }

// begin says that the fate of an upload is open; done, that it is decided.
func (p *pending) begin(name uploadName, stored storage.Object) (w *waiting, done func()) {
	w = &waiting{uploadName: name, stored: stored, decided: make(chan struct{})}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all[w] = true
	return w, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.all, w)
		close(w.decided)
	}
}

// date says the time of a file that has no name yet. It reports whether there is one of that user that can still get it.
func (p *pending) date(name uploadName, t time.Time) (taken bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for w := range p.all {
		if w.uploadName == name && !w.closed {
			w.time, taken = t, true
		}
	}
	return taken
}

// dated is the time that was said; none can be said any more. Zero: none was.
func (p *pending) dated(w *waiting) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	w.closed = true
	return w.time
}

// wait returns when the fate of all keys that match, as of now, is decided; or when that takes too long.
func (p *pending) wait(ctx context.Context, hotfolder string, match func(asset.Key) bool) {
	open := p.matching(hotfolder, match)
	if len(open) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, pendingWait)
	defer cancel()
	for _, w := range open {
		select {
		case <-w.decided:
		case <-ctx.Done():
			return
		}
	}
}

func (p *pending) matching(hotfolder string, match func(asset.Key) bool) []waiting {
	p.mu.Lock()
	defer p.mu.Unlock()
	var open []waiting
	for w := range p.all {
		if w.hotfolder == hotfolder && match(w.key) {
			open = append(open, *w)
		}
	}
	return open
}

// at is the upload that is to have a place's name.
func (p *pending) at(to place) (storage.Object, bool) {
	for _, w := range p.matching(to.hotfolder, func(key asset.Key) bool { return key == to.key }) {
		return w.object(to), true
	}
	return storage.Object{}, false
}

// anyBelow reports whether there is an upload into a folder.
func (p *pending) anyBelow(to place) bool {
	return len(p.matching(to.hotfolder, func(key asset.Key) bool { return isBelow(key, to.key) })) > 0
}
