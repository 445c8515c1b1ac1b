package ftpgate

import (
	"sync"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

const (
	maxRecent  = 10_000
	recentTime = 10 * time.Minute
)

// recent remembers the last uploads: their owner may ask for their size without the right to list, and a rename does not make
// them unknown.
type recent struct {
	mu  sync.Mutex
	all map[uploadName]uploaded
}

type uploaded struct {
	version asset.Version
	at      time.Time
}

func newRecent() *recent { return &recent{all: map[uploadName]uploaded{}} }

func (r *recent) add(name uploadName, o storage.Object) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.all) >= maxRecent {
		r.forgetOld()
	}
	r.all[name] = uploaded{o.Version, time.Now()}
}

// forgetOld makes room; mu is held.
func (r *recent) forgetOld() {
	for name, u := range r.all {
		if time.Since(u.at) > recentTime {
			delete(r.all, name)
		}
	}
	for name := range r.all {
		if len(r.all) < maxRecent*9/10 {
			return
		}
		delete(r.all, name)
	}
}

// is reports whether an object is what was uploaded under that name.
func (r *recent) is(name uploadName, o storage.Object) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	u, ok := r.all[name]
	return ok && u.version == o.Version
}

// below are the uploads of a user into a folder, with their versions.
func (r *recent) below(user string, folder place) map[asset.Key]asset.Version {
	r.mu.Lock()
	defer r.mu.Unlock()
	found := map[asset.Key]asset.Version{}
	for name, u := range r.all {
		if name.user == user && name.hotfolder == folder.hotfolder && isBelow(name.key, folder.key) {
			found[name.key] = u.version
		}
	}
	return found
}
