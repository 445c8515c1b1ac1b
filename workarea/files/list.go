package files

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// Query says what of a folder is to be listed.
type Query struct {
	Prefix string // of the names
	After  string // a Next of a page before; empty: from the beginning
	Limit  int    // entries at most
}

// Page is a part of a folder, in the order of its names' bytes, those of folders with a slash at their end.
type Page struct {
	Files []File
	Next  string // empty: this is the last page
}

// storePage is how many names a store that is flat may tell out of order: those of one answer.
const storePage = 1000

// List lists one folder. fs.ErrNotExist when there is none; the root is always there. What comes or goes meanwhile may be left out or not;
// all else is listed once over all pages. Memory grows with the limit only; a page costs a walk over the folder's names where the store
// has no order.
func (t *Tree) List(ctx context.Context, folder asset.Key, q Query) (Page, error) {
	p, err := t.list(ctx, folder, q)
	if err != nil {
		return Page{}, fmt.Errorf("list %s: %w", folder.Quoted(), err)
	}
	return p, nil
}

func (t *Tree) list(ctx context.Context, folder asset.Key, q Query) (Page, error) {
	at := t.Key(folder)
	flat := t.store.Properties().Flat
	o := storage.ListOptions{NamesOnly: true}
	if flat && q.After != "" {
		o.StartAfter = at.Join(asset.Key(q.After))
	}
	first, after := smallest{most: q.Limit + 1}, 0
	for obj, err := range t.store.List(ctx, at, o) {
		if errors.Is(err, fs.ErrNotExist) && (folder == asset.Root || flat) {
			break
		}
		if err != nil {
			return Page{}, err
		}
		name := nameOf(obj)
		if !strings.HasPrefix(name, q.Prefix) || name <= q.After {
			continue
		}
		if full := first.add(listed{name, obj}); full && flat {
			if after++; after > storePage {
				break // the others come later
			}
		}
	}
	return t.page(ctx, first.sorted(), q.Limit)
}

// page looks at what was listed.
func (t *Tree) page(ctx context.Context, all []listed, limit int) (p Page, err error) {
	if len(all) > limit {
		all = all[:limit]
		p.Next = all[limit-1].name
	}
	for _, l := range all {
		obj := l.Object
		if obj.Version == "" && obj.Kind == storage.Regular {
			if obj, err = t.store.Stat(ctx, obj.Key); errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return Page{}, err
			}
		}
		p.Files = append(p.Files, t.file(obj))
	}
	return p, nil
}

// nameOf is a name by which it is ordered: that of buckets, which tell of a folder when they come to what is in it.
func nameOf(o storage.Object) string {
	if o.Kind == storage.Directory || o.Kind == storage.Mount {
		return o.Key.Base() + "/"
	}
	return o.Key.Base()
}

type listed struct {
	name string
	storage.Object
}

// smallest keeps the first names of any number; the last of them is on top.
type smallest struct {
	most int
	all  []listed
}

// add reports whether there are as many as wanted.
func (s *smallest) add(l listed) (full bool) {
	if len(s.all) < s.most {
		heap.Push(s, l)
		return len(s.all) == s.most
	}
	if l.name < s.all[0].name {
		s.all[0] = l
		heap.Fix(s, 0)
	}
	return true
}

func (s *smallest) sorted() []listed {
	slices.SortFunc(s.all, func(x, y listed) int { return strings.Compare(x.name, y.name) })
	return s.all
}

func (s *smallest) Len() int           { return len(s.all) }
func (s *smallest) Less(i, j int) bool { return s.all[i].name > s.all[j].name }
func (s *smallest) Swap(i, j int)      { s.all[i], s.all[j] = s.all[j], s.all[i] }
func (s *smallest) Push(x any)         { s.all = append(s.all, x.(listed)) }
func (s *smallest) Pop() any {
	last := s.all[len(s.all)-1]
	s.all = s.all[:len(s.all)-1]
	return last
}
