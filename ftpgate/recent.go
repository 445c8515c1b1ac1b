package ftpgate

import (
	"maps"
	"strings"
	"sync"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

const (
	maxRecent  = 10_000
	recentTime = 10 * time.Minute
	seenTime   = time.Minute // in which other sessions of the uploader still see what was taken in
)

// recent remembers the last uploads. Their owner may ask for them without the right to list, a rename does not make them unknown, and
// their owner still sees them for a while when the walk has taken them in: clients look whether a file is there that they have just
// sent. Nobody else does.
type recent struct {
	mu  sync.Mutex
	all map[uploadName]uploaded
}

type uploaded struct {
	object  storage.Object // as it got its name
	session string
	at      time.Time
}

func newRecent() *recent { return &recent{all: map[uploadName]uploaded{}} }

func (r *recent) add(name uploadName, o storage.Object, session string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.all) >= maxRecent {
		r.forgetOld()
	}
	r.all[name] = uploaded{o, session, time.Now()}
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

// forget is called when a place is changed by hand: nobody is told of what was there.
func (r *recent) forget(p place) {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.all, func(name uploadName, _ uploaded) bool {
		return name.hotfolder == p.hotfolder && (name.key == p.key || isBelow(name.key, p.key))
	})
}

func (r *recent) of(name uploadName) (uploaded, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	u, ok := r.all[name]
	return u, ok
}

// is reports whether an object is what was uploaded under that name.
func (r *recent) is(name uploadName, o storage.Object) bool {
	u, ok := r.of(name)
	return ok && u.object.Version == o.Version
}

// date says the time of a file as its uploader is to see it.
func (r *recent) date(name uploadName, t time.Time) (known bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	u, known := r.all[name]
	if known {
		u.object.ModTime = t
		r.all[name] = u
	}
	return known
}

// below are the uploads of a user into a folder.
func (r *recent) below(user string, folder place) map[asset.Key]uploaded {
	r.mu.Lock()
	defer r.mu.Unlock()
	found := map[asset.Key]uploaded{}
	for name, u := range r.all {
		if name.user == user && name.hotfolder == folder.hotfolder && isBelow(name.key, folder.key) {
			found[name.key] = u
		}
	}
	return found
}

// sees reports whether a session still sees an upload of its user that was taken in.
func (s *session) sees(u uploaded) bool { return u.session == s.id || time.Since(u.at) < seenTime }

// taken is what the session's user has uploaded to a place where nothing is any more, as they still see it.
func (s *session) taken(p place) (storage.Object, bool) {
	u, ok := s.g.recent.of(uploadName{s.account().Name, p.hotfolder, p.key})
	if !ok || !s.sees(u) {
		return storage.Object{}, false
	}
	return u.object, true
}

// takenIn is what the session's user has uploaded into a folder and still sees, by its name there, if they may list. The store may
// have it, too.
func (s *session) takenIn(folder place) map[string]item {
	found := map[string]item{}
	if !s.account().May(MayList) {
		return found
	}
	for key, u := range s.g.recent.below(s.account().Name, folder) {
		if !s.sees(u) {
			continue
		}
		at := folder
		at.key = key
		rest, _ := key.Below(folder.key)
		switch name, _, deeper := strings.Cut(string(rest), "/"); {
		case !deeper:
			found[name] = s.itemOf(at, u.object, name)
		case folder.folder.Folders == nil: // the folder was there because something was in it
			found[name] = s.folderItem(name)
		}
	}
	return found
}

// tookBelow reports whether the session's user still sees something that they have uploaded into a folder.
func (s *session) tookBelow(folder place) bool {
	for _, u := range s.g.recent.below(s.account().Name, folder) {
		if s.sees(u) {
			return true
		}
	}
	return false
}

// wasTaken says of an upload that was taken in why nothing is there.
func (s *session) wasTaken(p place, err error) error {
	if notThere(err) && s.tookIn(p) {
		return errTakenIn
	}
	return err
}

// tookIn reports whether the session's user, to whom nothing is at a place, was told not long ago that their upload is.
func (s *session) tookIn(p place) bool {
	u, ok := s.g.recent.of(uploadName{s.account().Name, p.hotfolder, p.key})
	return ok && (s.sees(u) || time.Since(u.at) < recentTime)
}

var errTakenIn = answerf(550, "it was taken in already, and is no longer here")
