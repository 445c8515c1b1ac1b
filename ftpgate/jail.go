package ftpgate

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// find is the place that a client's path means. Nothing but a hotfolder of the user has one.
func (s *session) find(param string) (place, error) {
	p := s.path(param)
	if hasControl(p) {
		return place{}, answerf(553, "a name must not hold control characters")
	}
	hotfolder, rest, ok := s.account().mount(p)
	if !ok {
		return place{}, answerf(550, "no hotfolder is there; change into one first")
	}
	return s.inHotfolder(hotfolder, rest)
}

func (s *session) inHotfolder(hotfolder, rest string) (place, error) {
	folder, ok := s.g.o.Folders(hotfolder)
	if !ok {
		return place{}, answerf(450, "the hotfolder %s is not open just now", hotfolder)
	}
	if s.g.o.Reads(hotfolder) {
		folder.Streams = nil // of what the store has already nothing can be read
	}
	at := place{hotfolder: hotfolder, folder: folder}
	if rest == "" {
		return at, nil
	}
	key, err := asset.ParseKey(rest)
	if err != nil {
		return at, err
	}
	at.key = key
	if at.hidden() {
		return at, answerf(553, "that name is reserved")
	}
	return at, nil
}

// hidden: the place belongs to the store or to a door.
func (p place) hidden() bool { return p.folder.Hidden(p.key) }

// file finds a path that must name a file or folder below a hotfolder, not the hotfolder itself.
func (s *session) file(param string) (place, error) {
	p, err := s.find(param)
	if err == nil && p.key == asset.Root {
		err = answerf(550, "that is a hotfolder itself")
	}
	return p, err
}

// stat looks at a place that is to be opened or changed. Uploads to it that wait for their client's ear are waited for.
func (s *session) stat(ctx context.Context, p place) (storage.Object, error) {
	s.g.pending.wait(ctx, p.hotfolder, func(key asset.Key) bool { return key == p.key })
	return s.see(ctx, p)
}

// see looks at a place as it seems to clients: an upload whose client was told that it is stored is there, for them.
func (s *session) see(ctx context.Context, p place) (storage.Object, error) {
	if o, ok := s.g.pending.at(p); ok {
		return o, nil
	}
	o, err := p.folder.Store.Stat(ctx, p.full())
	switch {
	case err == nil:
		return o, nil
	case notThere(err) && (p.key == asset.Root || s.g.made.has(p) || p.folder.Folders == nil && (s.g.pending.anyBelow(p) || s.tookBelow(p))):
		return storage.Object{Key: p.full(), Kind: storage.Directory}, nil
	}
	return o, err
}

// waitBelow waits for the uploads into a folder that is to be changed.
func (s *session) waitBelow(p place) {
	s.g.pending.wait(s.ctx, p.hotfolder, func(key asset.Key) bool { return isBelow(key, p.key) })
}

func notThere(err error) bool { return errors.Is(err, fs.ErrNotExist) }

func isBelow(key, prefix asset.Key) bool {
	_, below := key.Below(prefix)
	return below
}

// isFolder reports whether the path is a folder in the user's view: one on the store, or one that leads to a mount.
func (s *session) isFolder(p string) (bool, error) {
	if len(s.account().below(p)) > 0 {
		return true, nil
	}
	at, err := s.find(p)
	if err != nil {
		return false, err
	}
	o, err := s.see(s.ctx, at)
	return o.Kind == storage.Directory && err == nil, err
}

// target is a place where something is to be written, looked at and found free or replaceable.
type target struct {
	place
	path string
	had  storage.Object // what is there; Key is empty when nothing is
}

// forWriting finds the place of a file to be written, whose folder must be there.
func (s *session) forWriting(ctx context.Context, param string) (target, error) {
	p, err := s.file(param)
	if err != nil {
		return target{}, err
	}
	t := target{place: p, path: s.path(param)}
	if ok, why := s.g.o.Writable(); !ok {
		return t, answerf(450, "not now: %s", why)
	}
	o, err := s.stat(ctx, p)
	switch {
	case errors.Is(err, storage.ErrNoFolder) && p.folder.Folders != nil && p.key.Dir() != asset.Root:
		return t, errNoFolder
	case notThere(err):
		return t, storable(p)
	case err != nil:
		return t, err
	case o.Kind == storage.Directory:
		return t, answerf(553, "a folder has that name")
	case o.Kind != storage.Regular && o.Kind != storage.HardLinked:
		return t, answerf(553, "something that is not a plain file has that name")
	}
	t.had = o
	return t, nil
}

// storable refuses a place whose name the store cannot hold.
func storable(p place) error {
	if p.folder.Storable == nil {
		return nil
	}
	err := p.folder.Storable(p.full())
	if err == nil {
		return nil
	}
	return answerf(553, "that name cannot be used here: %s", strings.TrimPrefix(err.Error(), asset.ErrKey.Error()+": "))
}

// hasParent checks that the folder of a place is there, where the store has folders.
func (s *session) hasParent(ctx context.Context, p place) error {
	if p.folder.Folders == nil || p.key.Dir() == asset.Root {
		return nil
	}
	parent := p
	parent.key = p.key.Dir()
	o, err := s.see(ctx, parent)
	if notThere(err) || err == nil && o.Kind != storage.Directory {
		return errNoFolder
	}
	return err
}

var errNoFolder = answerf(553, "its folder is not there; make it first")
