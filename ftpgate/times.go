package ftpgate

import (
	"context"
	"io/fs"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"hotfolderd/storage"
)

// Clients that copy a file with its time say MFMT behind its upload. The time is part of what tells one drop from the next, so it must not
// change when the drop can be seen: the walk may have it in hand, and would import it twice. Most clients say MFMT at once. That it comes
// proves that they have heard 226, for which the name of the upload waits; so the file gets its time before its name. What is said later
// is told to the uploader, here, and changes nothing on the store.

// cmdMfmt takes "20020717210715 path", as draft-somers-ftp-mfxx has it.
func (s *session) cmdMfmt(param string) {
	t, name, err := parseMfmt(param)
	if err == nil {
		var p place
		if p, err = s.file(name); err == nil {
			err = s.setTime(p, t)
		}
	}
	if err != nil {
		s.fail("MFMT", err)
		return
	}
	s.reply(213, "Modify=%s; %s", t.Format(factTime), name)
}

// parseMfmt takes a parameter apart. A fraction of a second may follow the digits.
func parseMfmt(param string) (t time.Time, name string, err error) {
	stamp, name, _ := strings.Cut(param, " ")
	t, err = time.Parse(factTime, stamp)
	if err != nil || name == "" {
		return t, name, answerf(501, "expected a time as YYYYMMDDHHMMSS, in UTC, and a path")
	}
	return t, name, nil
}

// setTime gives one of the user's own uploads a time, also when it was taken in meanwhile.
func (s *session) setTime(p place, t time.Time) error {
	if p.folder.SetTime == nil {
		return answerf(550, "times cannot be set there: a bucket keeps its own")
	}
	name := uploadName{s.account().Name, p.hotfolder, p.key}
	if s.g.pending.date(name, t) {
		return nil
	}
	o, err := s.stat(s.ctx, p)
	switch _, taken := s.taken(p); {
	case err == nil && s.g.recent.is(name, o), notThere(err) && taken:
		s.g.recent.date(name, t)
		return nil
	case err != nil && !notThere(err):
		return err
	case err == nil && o.Kind == storage.Directory:
		return answerf(550, "that is a folder")
	}
	if _, ok := s.unfinished(p, o); ok {
		return answerf(550, "it is not complete yet")
	}
	if err != nil || !s.mayKnow(p, o) {
		return fs.ErrNotExist
	}
	return answerf(550, "only what you have just uploaded can be given a time: it would be another drop")
}

// date gives stored bytes the time that their client said meanwhile, or says next.
func (u *upload) date(ctx context.Context, stored storage.Object, open *waiting, before uint64) storage.Object {
	if l, ok := u.s.foresee(before); ok && l.verb == "MFMT" {
		if t, name, err := parseMfmt(l.param); err == nil && u.isAt(name) {
			u.s.g.pending.date(u.name(), t)
		}
	}
	t := u.s.g.pending.dated(open)
	if t.IsZero() || u.to.folder.SetTime == nil {
		return stored
	}
	dated, err := u.to.folder.SetTime(ctx, stored, t)
	if err != nil {
		u.s.log.Warn("the time of an upload was not set", zap.String("key", u.to.key.Shown()), zap.Error(err))
		return stored
	}
	return dated
}

// isAt reports whether the upload's place is what a client calls by a name.
func (u *upload) isAt(name string) bool {
	p, err := u.s.file(name)
	return err == nil && p.hotfolder == u.to.hotfolder && p.key == u.to.key
}

// dated is an object with the time that its uploader has said.
func (s *session) dated(p place, o storage.Object) storage.Object {
	u, ok := s.g.recent.of(uploadName{s.account().Name, p.hotfolder, p.key})
	if ok && p.folder.SetTime != nil && u.object.Version == o.Version {
		o.ModTime = u.object.ModTime
	}
	return o
}

// keepsTimes reports whether MFMT can be used in all hotfolders: of the user, or of anybody before login.
func (s *session) keepsTimes() bool {
	names := s.g.o.Users.Hotfolders()
	if u := s.account(); u != nil {
		names = nil
		for _, name := range u.Mounts {
			names = append(names, name)
		}
	}
	return !slices.ContainsFunc(names, func(name string) bool {
		f, ok := s.g.o.Folders(name)
		return ok && f.SetTime == nil
	})
}
