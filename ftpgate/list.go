package ftpgate

import (
	"bufio"
	"context"
	"errors"
	"io"
	"path"
	"strings"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

func (s *session) cmdList(param string) {
	s.list("LIST", withoutFlags(param), func(e item, now time.Time) string { return e.longLine(now) })
}

func (s *session) cmdNlst(param string) {
	s.list("NLST", withoutFlags(param), func(e item, _ time.Time) string { return e.name })
}

func (s *session) cmdMlsd(param string) {
	s.list("MLSD", param, func(e item, _ time.Time) string { return e.factLine(s.facts) })
}

// withoutFlags drops what clients mean for ls: "-la", "-a folder".
func withoutFlags(param string) string {
	for strings.HasPrefix(param, "-") {
		_, rest, _ := strings.Cut(param, " ")
		param = strings.TrimLeft(rest, " ")
	}
	return param
}

// listing is what a command lists: one folder or one file, of which the names that match.
type listing struct {
	path    string // of the folder, in the user's view
	at      place
	mounted bool   // at is a place in a hotfolder
	pattern string // of the names; empty is all
	single  *item  // a file that was named
}

// list sends a listing.
func (s *session) list(verb, param string, format func(item, time.Time) string) {
	err := s.dataReady()
	var l listing
	if err == nil {
		l, err = s.toList(verb, param)
	}
	if err == nil {
		err = s.sendData("list", l.path, func(ctx context.Context, t *transfer, d *dataConn) error {
			w := bufio.NewWriterSize(deadlined{d, s.g.o.Stall, t}, bufferSize/4)
			now := time.Now()
			err := s.each(ctx, l, func(e item) error {
				_, err := w.WriteString(format(e, now) + "\r\n")
				return err
			})
			return errors.Join(err, w.Flush())
		})
	}
	s.dropData()
	if err != nil {
		s.fail(verb, err)
		return
	}
	s.reply(226, "that was all")
}

// deadlined writes to a data connection that must move on.
type deadlined struct {
	d     *dataConn
	stall time.Duration
	t     *transfer
}

func (w deadlined) Write(p []byte) (int, error) {
	if err := w.d.put(p, w.stall); err != nil {
		return 0, errors.Join(errCut, err)
	}
	w.t.moved.Add(int64(len(p)))
	return len(p), nil
}

// toList finds out what is meant: a folder, a file, or names in a folder that match a pattern.
func (s *session) toList(verb, param string) (listing, error) {
	p := s.path(param)
	l := listing{path: p}
	folder, err := s.isFolder(p)
	if folder {
		return s.inFolder(l), nil
	}
	if err == nil && verb == "MLSD" {
		return l, answerf(501, "that is no folder")
	}
	o, at, err := s.lookAt(p)
	if err == nil {
		e := s.itemOf(at, o, path.Base(p))
		l.single = &e
		return l, nil
	}
	if verb != "MLSD" && strings.ContainsAny(path.Base(p), "*?[") {
		l.path, l.pattern = path.Dir(p), path.Base(p)
		if folder, err = s.isFolder(l.path); folder {
			return s.inFolder(l), nil
		}
	}
	return l, err
}

// inFolder completes the listing of a folder. One that only leads to hotfolders has no place, and nothing else in it.
func (s *session) inFolder(l listing) listing {
	at, err := s.find(l.path)
	l.at, l.mounted = at, err == nil
	return l
}

// each gives every item of a listing to yield, in no order.
func (s *session) each(ctx context.Context, l listing, yield func(item) error) error {
	if l.single != nil {
		return yield(*l.single)
	}
	seen := map[string]bool{} // names that are not to be listed again: few
	pass := func(e item) error {
		if ok, err := path.Match(l.pattern, e.name); l.pattern != "" && (err != nil || !ok) {
			return nil
		}
		return yield(e)
	}
	for _, name := range s.account().below(l.path) {
		seen[name] = true
		if err := pass(s.folderItem(name)); err != nil {
			return err
		}
	}
	if !l.mounted {
		return nil
	}
	for _, extra := range []func(context.Context, place) ([]item, error){s.unfinishedIn, s.pendingIn, s.madeIn} {
		items, err := extra(ctx, l.at)
		if err != nil {
			return err
		}
		for _, e := range items {
			if seen[e.name] {
				continue
			}
			seen[e.name] = true
			if err := pass(e); err != nil {
				return err
			}
		}
	}
	taken := s.takenIn(l.at)
	err := s.eachStored(ctx, l.at, seen, func(e item) error {
		delete(taken, e.name)
		return pass(e)
	})
	for name, e := range taken {
		if err == nil && !seen[name] {
			err = pass(e)
		}
	}
	return err
}

// eachStored gives what is on the store, to those who may list.
func (s *session) eachStored(ctx context.Context, at place, seen map[string]bool, yield func(item) error) error {
	if !s.account().May(MayList) {
		return nil
	}
	for o, err := range at.folder.Store.List(ctx, at.full(), storage.ListOptions{}) {
		switch {
		case notThere(err):
			return nil
		case err != nil:
			return err
		}
		name := o.Key.Base()
		in := at
		in.key = at.key.Join(asset.Key(name))
		if seen[name] || hasControl(name) || in.hidden() || !visible(o.Kind) {
			continue
		}
		if err := yield(s.itemOf(in, s.dated(in, o), name)); err != nil {
			return err
		}
	}
	return nil
}

// visible: links, pipes and devices are for nobody.
func visible(k storage.Kind) bool {
	return k == storage.Regular || k == storage.HardLinked || k == storage.Directory
}

// cmdMlst describes one thing on the control connection.
func (s *session) cmdMlst(param string) {
	p := s.path(param)
	e := s.folderItem(path.Base(p))
	if len(s.account().below(p)) == 0 {
		o, at, err := s.lookAt(p)
		if err != nil {
			s.fail("MLST", err)
			return
		}
		e = s.itemOf(at, o, "")
	}
	e.name = p
	s.replyLines(250, "it is", []string{e.factLine(s.facts)}, "End")
}

var _ io.Writer = deadlined{}
