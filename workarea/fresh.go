package workarea

import (
	"sync"

	"hotfolderd/asset"
)

// maxFresh bounds how many drops are remembered as just committed. Whose drop is forgotten looks into the ledger once more.
const maxFresh = 10_000

// fresh are the drops whose records this process made a moment ago and did not apply yet: that they are there needs no look, and
// nobody else has applied them before.
type fresh struct {
	mu    sync.Mutex
	drops map[asset.DropID]struct{}
}

func (f *fresh) add(id asset.DropID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.drops == nil || len(f.drops) >= maxFresh {
		f.drops = map[asset.DropID]struct{}{}
	}
	f.drops[id] = struct{}{}
}

// take reports whether a drop is one of them, once.
func (f *fresh) take(id asset.DropID) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, ok := f.drops[id]
	delete(f.drops, id)
	return ok
}
