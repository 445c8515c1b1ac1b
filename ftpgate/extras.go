package ftpgate

import (
	"context"
	"strings"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// pendingIn are the uploads whose clients were told that they are stored, and have not been heard of yet.
func (s *session) pendingIn(_ context.Context, at place) ([]item, error) {
	if !s.account().May(MayList) {
		return nil, nil
	}
	var items []item
	for _, w := range s.g.pending.matching(at.hotfolder, func(key asset.Key) bool { return isBelow(key, at.key) }) {
		p := at
		p.key = w.key
		switch rest, _ := w.key.Below(at.key); {
		case rest.Dir() == asset.Root:
			items = append(items, s.itemOf(p, w.object(p), w.key.Base()))
		case at.folder.Folders == nil: // the folder is there because something is in it
			name, _, _ := strings.Cut(string(rest), "/")
			items = append(items, s.folderItem(name))
		}
	}
	return items, nil
}

func (s *session) madeIn(_ context.Context, at place) ([]item, error) {
	var items []item
	for _, name := range s.g.made.below(at) {
		items = append(items, s.folderItem(name))
	}
	return items, nil
}

// unfinishedIn are the user's broken uploads of which something is kept, directly in a folder.
func (s *session) unfinishedIn(ctx context.Context, at place) ([]item, error) {
	u := s.account()
	if s.g.o.ResumeTTL < 0 || !u.May(MayUpload) {
		return nil, nil
	}
	all, err := attempts(ctx, at.folder, u.Name, "")
	if err != nil {
		return nil, err
	}
	var items []item
	for _, a := range all {
		n, err := a.read(ctx, at.folder, u.Name)
		if err != nil || n.Hotfolder != at.hotfolder || n.Key.Dir() != at.key {
			continue
		}
		p := at
		p.key = n.Key
		if o, err := s.see(ctx, p); err == nil && a.pieces.Changed.Before(o.Changed) {
			continue
		}
		items = append(items, s.itemOf(p, storage.Object{Size: a.pieces.Size, ModTime: a.pieces.Changed}, n.Key.Base()))
	}
	return items, nil
}
