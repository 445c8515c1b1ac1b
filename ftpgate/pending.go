package ftpgate

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

const pendingWait = 3 * time.Second // at most, for an upload whose client is silent

// pending are the uploads of this gate whose clients were told 226 and have not been heard of yet.
type pending struct {
	next atomic.Uint64

	mu  sync.Mutex
	all map[uint64]waiting
}

type waiting struct {
	hotfolder string
	key       asset.Key
	stored    storage.Object // under its pending name
	decided   chan struct{}
}

// object is the upload as if it had its name already.
func (w waiting) object(p place) storage.Object {
	return storage.Object{Key: p.full(), Size: w.stored.Size, ModTime: w.stored.ModTime, Changed: w.stored.Changed}
}

func newPending() *pending { return &pending{all: map[uint64]waiting{}} }

// begin says that the key's fate is open; done, that it is decided.
func (p *pending) begin(to place, stored storage.Object) (done func()) {
	id := p.next.Add(1)
	w := waiting{to.hotfolder, to.key, stored, make(chan struct{})}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all[id] = w
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.all, id)
		close(w.decided)
	}
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
	for _, w := range p.all {
		if w.hotfolder == hotfolder && match(w.key) {
			open = append(open, w)
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
