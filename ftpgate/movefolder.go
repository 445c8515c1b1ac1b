package ftpgate

import (
	"maps"
	"slices"

	"hotfolderd/storage"
)

const mostMoved = 10_000 // files of a folder that are moved one by one

// moveFolder gives a folder another name, which must be free.
func (s *session) moveFolder(from *target, to place) error {
	if _, err := s.stat(s.ctx, to); err == nil {
		return answerf(553, "something has that name already")
	}
	if isBelow(to.full(), from.full()) {
		return answerf(553, "a folder cannot be moved into itself")
	}
	s.waitBelow(from.place)
	if from.folder.Folders != nil {
		err := from.folder.Folders.MoveFolder(s.ctx, from.full(), to.full())
		if err == nil {
			s.stillWholeIn(from.place, to)
		}
		return err
	}
	return s.moveFiles(from, to)
}

// stillWholeIn is stillWhole for what was uploaded into a folder not long ago, on a store where a rename changes no version.
func (s *session) stillWholeIn(from, to place) {
	for key, u := range s.g.recent.below(s.account().Name, from) {
		rest, _ := key.Below(from.key)
		was, is := from, to
		was.key, is.key = key, to.key.Join(rest)
		if o, err := s.stat(s.ctx, is); err == nil && o.Version == u.object.Version {
			s.stillWhole(was, o, is, o)
		}
	}
	s.g.recent.forget(from)
}

// moveFiles moves a folder on a store that has none: file by file. When it breaks, it can be said again, for the rest.
func (s *session) moveFiles(from *target, to place) error {
	var files []storage.Object
	for o, err := range from.folder.Store.List(s.ctx, from.full(), storage.ListOptions{Recursive: true}) {
		if notThere(err) {
			break
		}
		if err != nil {
			return err
		}
		if o.Kind == storage.Directory {
			continue
		}
		if files = append(files, o); len(files) > mostMoved {
			return answerf(553, "the folder has more than %d files; move them one by one", mostMoved)
		}
	}
	for _, o := range files {
		rest, _ := o.Key.Below(from.full())
		was, is := from.place, to
		was.key, is.key = from.key.Join(rest), to.key.Join(rest)
		final, err := from.folder.Store.Move(s.ctx, o, is.full(), storage.PutOptions{IfAbsent: true})
		if err != nil {
			return err
		}
		s.stillWhole(was, o, is, final)
	}
	s.g.made.rename(from.place, to)
	s.g.recent.forget(from.place)
	return nil
}

// rename takes the folders that were made along.
func (m *made) rename(from, to place) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, f := range slices.Collect(maps.Keys(m.all)) {
		rest, below := f.key.Below(from.key)
		if f.hotfolder == from.hotfolder && below {
			delete(m.all, f)
			m.all[madeFolder{to.hotfolder, to.key.Join(rest)}] = true
		}
	}
	delete(m.all, madeFolder{from.hotfolder, from.key})
	m.all[madeFolder{to.hotfolder, to.key}] = true
}
