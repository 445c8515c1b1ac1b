package workarea

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"unicode/utf8"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

const (
	// batch is how many of the smallest names of a folder are held at a time where a store lists them in no order; the folders that
	// lie deeper get less of it, so that depth multiplies nothing.
	batch    = 4096
	minBatch = 64
)

// inOrder walks the first versions and the folders below a folder of the catalog, by the bytes of their keys, where a folder counts with a
// slash at its end. Memory is bounded by batch, however many there are.
type inOrder struct {
	a     *Area
	ctx   context.Context //nolint:containedctx // lives as long as one walk
	root  asset.Key       // below catalog/
	near  string          // what is directly below root begins with it
	deep  bool            // enter folders
	after string          // only what comes after it, below catalog/
	look  func(ctx context.Context, at asset.Key, o storage.Object) (more bool, err error)
}

// run calls look with each place. It returns its error, or that of the store.
func (w *inOrder) run() error {
	if w.a.store.Properties().Flat {
		return w.flat()
	}
	_, err := w.folder(w.root, 1)
	return err
}

// flat follows a store that lists what is below a folder in order and can begin anywhere. It passes folders that are not entered.
func (w *inOrder) flat() error {
	catalog := w.a.prefix.Join("catalog")
	root := catalog.Join(w.root)
	o := storage.ListOptions{Recursive: true, NamesOnly: true, Enter: w.enters}
	o.StartAfter = max(catalog.Join(asset.Key(w.after)), root.Join(asset.Key(w.near)))
	for obj, err := range w.a.store.List(w.ctx, root, o) {
		at, _ := obj.Key.Below(catalog)
		rest, _ := at.Below(w.root)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case !strings.HasPrefix(string(rest), w.near) && string(rest) > w.near:
			return nil
		case !w.wants(at, obj):
			continue
		}
		if more, err := w.look(w.ctx, at, obj); err != nil || !more {
			return err
		}
	}
	return nil
}

func (w *inOrder) enters(key asset.Key) bool {
	at, _ := key.Below(w.a.prefix.Join("catalog"))
	return w.deep && w.isFolder(at)
}

// isFolder leaves out the folders of later versions, and longNames where the walk is not about them.
func (w *inOrder) isFolder(at asset.Key) bool { return noLater(at) && at != longNames }

// wants reports whether a place is one that the walk tells of and has not passed.
func (w *inOrder) wants(at asset.Key, o storage.Object) bool {
	if o.Kind == storage.Directory {
		s := string(at) + "/"
		return w.isFolder(at) && (s > w.after || w.deep && strings.HasPrefix(w.after, s))
	}
	_, first := firstStem(at)
	return first && isFile(o) && string(at) > w.after
}

// folder tells what is in one folder of a store that lists in no order: the smallest ones, then the next.
func (w *inOrder) folder(dir asset.Key, depth int) (more bool, err error) {
	for n := max(batch/depth, minBatch); ; {
		next, err := w.smallest(dir, n)
		if err != nil {
			return false, err
		}
		for _, p := range next {
			if more, err := w.place(p, depth); err != nil || !more {
				return false, err
			}
		}
		if len(next) < n {
			return true, nil
		}
		w.after = next[n-1].end()
	}
}

// place tells one place and, when it is a folder to be entered, what is in it.
func (w *inOrder) place(p placed, depth int) (more bool, err error) {
	if p.sort > w.after { // or it was told by the page before, which ended in it
		if more, err := w.look(w.ctx, p.at, p.o); err != nil || !more {
			return false, err
		}
	}
	if p.o.Kind != storage.Directory || !w.deep {
		return true, nil
	}
	return w.folder(p.at, depth+1)
}

// placed is a place with what it is sorted by.
type placed struct {
	at   asset.Key
	sort string
	o    storage.Object
}

// end is behind the place and all that is below it.
func (p *placed) end() string {
	if p.o.Kind == storage.Directory {
		return string(p.at) + "0" // the byte after the slash
	}
	return p.sort
}

// smallest are the first n places in a folder that the walk wants, in order. It reads the folder once and holds up to 2n of them.
func (w *inOrder) smallest(dir asset.Key, n int) ([]placed, error) {
	catalog := w.a.prefix.Join("catalog")
	var found []placed
	for o, err := range w.a.store.List(w.ctx, catalog.Join(dir), storage.ListOptions{NamesOnly: true}) {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return nil, err
		}
		at, _ := o.Key.Below(catalog)
		if dir == w.root && !strings.HasPrefix(at.Base(), w.near) || !w.wants(at, o) {
			continue
		}
		p := placed{at: at, sort: string(at), o: o}
		if o.Kind == storage.Directory {
			p.sort += "/"
		}
		if found = append(found, p); len(found) == 2*n {
			found = first(found, n)
		}
	}
	return first(found, n), nil
}

func first(found []placed, n int) []placed {
	slices.SortFunc(found, func(x, y placed) int { return cmp.Compare(x.sort, y.sort) })
	return found[:min(n, len(found))]
}

// sharedStem is what the escaped forms of all parts that begin with part have in common. What an escape may change ends it: a point, what
// no bucket can hold, and the end of a part that is too long.
func sharedStem(part string) string {
	end := strings.IndexFunc(part, func(r rune) bool { return r == '.' || r == utf8.RuneError || everywhere(string(r)) == "" })
	if end >= 0 {
		part = part[:end]
	}
	return cut(strings.ReplaceAll(part, "%", "%25"), shortPart)
}
