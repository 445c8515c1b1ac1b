package ftpgate

import (
	"io/fs"
	"strconv"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// lookAt is a file or folder as its user may see it. What is uploaded or kept of theirs counts as a file of that size; who may not
// list sees nothing else, except what they have just uploaded.
func (s *session) lookAt(param string) (storage.Object, place, error) {
	p, err := s.find(param)
	if err != nil {
		return storage.Object{}, p, err
	}
	o, err := s.see(s.ctx, p)
	if err != nil && !notThere(err) {
		return o, p, err
	}
	if own, ok := s.unfinished(p, o); ok {
		return own, p, nil
	}
	if err == nil && (!visible(o.Kind) || !s.mayKnow(p, o)) {
		err = fs.ErrNotExist
	}
	if own, ok := s.taken(p); ok && err != nil {
		return own, p, nil
	}
	return s.dated(p, o), p, err
}

// mayKnow: who may not list knows of folders, and of their own uploads.
func (s *session) mayKnow(p place, o storage.Object) bool {
	u := s.account()
	return u.May(MayList) || o.Kind == storage.Directory || s.g.recent.is(uploadName{u.Name, p.hotfolder, p.key}, o)
}

// unfinished is an upload of the user that is in hand, or what is kept of one, if that is newer than the file o.
func (s *session) unfinished(p place, o storage.Object) (storage.Object, bool) {
	if o.Kind == storage.Directory || p.key == asset.Root {
		return o, false
	}
	size := s.g.uploads.size(uploadName{s.account().Name, p.hotfolder, p.key})
	if size > 0 {
		return storage.Object{Key: p.full(), Size: size, ModTime: s.since}, true
	}
	kept, err := s.kept(s.ctx, p)
	if err != nil || kept == nil || kept.pieces.Changed.Before(o.Changed) {
		return o, false
	}
	return storage.Object{Key: p.full(), Size: kept.pieces.Size, ModTime: kept.pieces.Changed}, true
}

func (s *session) cmdSize(param string) {
	o, _, err := s.lookAt(param)
	if err == nil && o.Kind == storage.Directory {
		err = answerf(550, "that is a folder")
	}
	if err != nil {
		s.fail("SIZE", err)
		return
	}
	s.reply(213, "%s", strconv.FormatInt(o.Size, 10))
}

func (s *session) cmdMdtm(param string) {
	o, _, err := s.lookAt(param)
	if err != nil {
		s.fail("MDTM", err)
		return
	}
	s.reply(213, "%s", o.ModTime.UTC().Format(factTime))
}

// cmdDele removes a file; what is kept of the user's own broken upload, too.
func (s *session) cmdDele(param string) {
	p, err := s.changeable(param)
	if err == nil {
		err = s.remove(p)
	}
	e := p.on("delete")
	if err != nil {
		_, e.Refused, _ = answerTo(err)
		s.audit(e)
		s.fail("DELE", err)
		return
	}
	s.audit(e)
	s.reply(250, "removed")
}

func (s *session) remove(p place) error {
	kept, err := s.kept(s.ctx, p)
	if err != nil {
		return err
	}
	if kept != nil {
		u := &upload{s: s, user: s.account(), to: target{place: p}}
		u.dropPartials(s.ctx)
	}
	o, err := s.stat(s.ctx, p)
	switch {
	case notThere(err) && kept != nil:
		return nil
	case err != nil:
		return s.wasTaken(p, err)
	case o.Kind == storage.Directory:
		return answerf(550, "that is a folder; use RMD")
	}
	err = p.folder.Store.Remove(s.ctx, o.Key, o.Version)
	if err == nil {
		s.g.recent.forget(p)
	}
	return s.wasTaken(p, err)
}

// changeable finds a file or folder that is to be changed, while changes are taken.
func (s *session) changeable(param string) (place, error) {
	p, err := s.file(param)
	if ok, why := s.g.o.Writable(); err == nil && !ok {
		err = answerf(450, "not now: %s", why)
	}
	return p, err
}

// cmdRnfr notes what RNTO is to rename.
func (s *session) cmdRnfr(param string) {
	p, err := s.changeable(param)
	if err == nil && len(s.account().below(s.path(param))) > 0 {
		err = answerf(550, "another hotfolder is in that folder")
	}
	var o storage.Object
	if err == nil {
		if o, err = s.stat(s.ctx, p); err == nil && !visible(o.Kind) {
			err = fs.ErrNotExist
		}
		err = s.wasTaken(p, err)
	}
	if err != nil {
		s.rename = nil
		s.fail("RNFR", err)
		return
	}
	s.rename = &target{place: p, path: s.path(param), had: o}
	s.reply(350, "now the new name")
}

func (s *session) cmdRnto(param string) {
	from := s.rename
	s.rename = nil
	if from == nil {
		s.reply(503, "say RNFR first")
		return
	}
	to, err := s.changeable(param)
	if err == nil {
		err = s.hasParent(s.ctx, to)
	}
	if err == nil {
		err = s.move(from, to)
	}
	e := from.on("rename")
	e.To = to.key
	if err != nil {
		_, e.Refused, _ = answerTo(err)
		s.audit(e)
		s.fail("RNTO", err)
		return
	}
	s.audit(e)
	s.reply(250, "renamed")
}

// move renames within a store. A file that was uploaded here and heard of is still known to be whole under its new name.
func (s *session) move(from *target, to place) error {
	switch {
	case from.folder.Store != to.folder.Store:
		return answerf(553, "the two names are on different stores; upload it there")
	case from.had.Kind == storage.Directory:
		return s.moveFolder(from, to)
	}
	there, err := s.stat(s.ctx, to)
	if err == nil && there.Kind == storage.Directory {
		return answerf(553, "a folder has that name")
	}
	if err != nil && !notThere(err) {
		return err
	}
	if from.full() == to.full() {
		return nil
	}
	if err := storable(to); err != nil {
		return err
	}
	final, err := from.folder.Store.Move(s.ctx, from.had, to.full(), storage.PutOptions{})
	if err != nil {
		return err
	}
	s.stillWhole(from.place, from.had, to, final)
	return nil
}

// stillWhole tells the walk that what was known to be whole under one name is so under another.
func (s *session) stillWhole(from place, had storage.Object, to place, final storage.Object) {
	user := s.account().Name
	whole := s.g.recent.is(uploadName{user, from.hotfolder, from.key}, had)
	final.ModTime = s.dated(from, had).ModTime
	s.g.recent.forget(from)
	if whole {
		s.g.recent.add(uploadName{user, to.hotfolder, to.key}, final, s.id)
		s.g.o.Heard(to.hotfolder, to.key, final.Version)
	}
}
