package ftpgate

import (
	"io/fs"
	"path"
	"sync"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

func (s *session) cmdPwd(string) { s.reply(257, "%s is the current folder", quotedPath(s.cwd)) }

func (s *session) cmdCdup(string) { s.cmdCwd("..") }

func (s *session) cmdCwd(param string) {
	p := s.path(param)
	ok, err := s.isFolder(p)
	if err == nil && !ok {
		err = answerf(550, "that is no folder")
	}
	if err != nil {
		s.fail("CWD", err)
		return
	}
	s.cwd = p
	s.reply(250, "%s is the current folder", quotedPath(p))
}

// cmdMkd makes one folder; the one above it must be there.
func (s *session) cmdMkd(param string) {
	p, err := s.changeable(param)
	if err == nil {
		err = s.makeFolder(p)
	}
	e := p.on("mkdir")
	if err != nil {
		_, e.Refused, _ = answerTo(err)
		s.audit(e)
		s.fail("MKD", err)
		return
	}
	s.audit(e)
	s.reply(257, "%s made", quotedPath(s.path(param)))
}

func (s *session) makeFolder(p place) error {
	if err := s.hasParent(s.ctx, p); err != nil {
		return err
	}
	_, err := s.stat(s.ctx, p)
	switch {
	case err == nil:
		return fs.ErrExist
	case !notThere(err):
		return err
	case p.folder.Folders == nil:
		if err := storable(p); err != nil {
			return err
		}
		s.g.made.add(p)
		return nil
	}
	return p.folder.Folders.MakeFolder(s.ctx, p.full())
}

// cmdRmd removes an empty folder.
func (s *session) cmdRmd(param string) {
	p, err := s.changeable(param)
	if err == nil && len(s.account().below(s.path(param))) > 0 {
		err = answerf(550, "another hotfolder is in that folder")
	}
	if err == nil {
		err = s.removeFolder(p)
	}
	e := p.on("rmdir")
	if err != nil {
		_, e.Refused, _ = answerTo(err)
		s.audit(e)
		s.fail("RMD", err)
		return
	}
	s.audit(e)
	s.reply(250, "removed")
}

func (s *session) removeFolder(p place) error {
	s.waitBelow(p)
	o, err := s.stat(s.ctx, p)
	switch {
	case err != nil:
		return err
	case o.Kind != storage.Directory:
		return answerf(550, "that is no folder; use DELE")
	}
	empty, err := s.isEmpty(p)
	switch {
	case err != nil:
		return err
	case !empty:
		return answerf(550, "the folder is not empty")
	}
	s.g.recent.forget(p)
	if p.folder.Folders == nil {
		s.g.made.drop(p)
		return nil
	}
	return p.folder.Folders.RemoveFolder(s.ctx, p.full())
}

// isEmpty looks for anything in a folder, also for what its user does not see.
func (s *session) isEmpty(p place) (bool, error) {
	for _, err := range p.folder.Store.List(s.ctx, p.full(), storage.ListOptions{NamesOnly: true}) {
		if !notThere(err) {
			return false, err
		}
	}
	return len(s.g.made.below(p)) == 0, nil
}

// made are folders that were made where a store has none: they exist, for this gate's clients, until something is in them.
type made struct {
	mu  sync.Mutex
	all map[madeFolder]bool
}

type madeFolder struct {
	hotfolder string
	key       asset.Key
}

const maxMade = 10_000

func newMade() *made { return &made{all: map[madeFolder]bool{}} }

func (m *made) add(p place) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.all) >= maxMade {
		clear(m.all)
	}
	m.all[madeFolder{p.hotfolder, p.key}] = true
}

func (m *made) has(p place) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.all[madeFolder{p.hotfolder, p.key}]
}

func (m *made) drop(p place) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.all, madeFolder{p.hotfolder, p.key})
}

// below are the names of made folders directly in a place.
func (m *made) below(p place) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var names []string
	for f := range m.all {
		if f.hotfolder == p.hotfolder && f.key.Dir() == p.key {
			names = append(names, path.Base(string(f.key)))
		}
	}
	return names
}
