package workarea

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// maxRenames is how many names with a number the policy rename tries.
const maxRenames = 10_000

// Names streams the names strictly below prefix ([asset.Root]: all), in no particular order. Memory does not grow with
// their number. A part of the catalog that cannot be read yields its error, and the walk goes on if the caller does.
func (a *Area) Names(ctx context.Context, prefix asset.Key) iter.Seq2[asset.Key, error] {
	return func(yield func(asset.Key, error) bool) {
		w := names{a: a, prefix: prefix, yield: yield}
		if w.walk(ctx, catalogFolder(prefix)) && prefix != asset.Root {
			w.walk(ctx, longNames)
		}
	}
}

// names is one walk over the catalog. A listing goes depth first, so the folders that can still come up again are those
// above the last entry: remembering these is enough to yield each name once.
type names struct {
	a      *Area
	prefix asset.Key
	yield  func(asset.Key, error) bool
	above  []asset.Key
}

// walk reports whether the caller wants more.
func (w *names) walk(ctx context.Context, folder asset.Key) bool {
	catalog := w.a.prefix.Join("catalog")
	w.above = nil
	for o, err := range w.a.store.List(ctx, catalog.Join(folder), storage.ListOptions{Recursive: true, NamesOnly: true}) {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			if !w.yield("", fmt.Errorf("names: %w", err)) {
				return false
			}
			continue
		}
		_, isEntry := entryNumber(o.Key.Base())
		at, below := o.Key.Dir().Below(catalog)
		if !isFile(o) || !isEntry || !below || !w.first(at) {
			continue
		}
		name, err := w.a.trueName(ctx, at, o.Key)
		if _, below := name.Below(w.prefix); (below || err != nil) && !w.yield(name, err) {
			return false
		}
	}
	return true
}

// first reports whether this is the first entry of its folder.
func (w *names) first(folder asset.Key) bool {
	for len(w.above) > 0 {
		last := w.above[len(w.above)-1]
		if last == folder {
			return false
		}
		if _, below := folder.Below(last); below {
			break
		}
		w.above = w.above[:len(w.above)-1]
	}
	w.above = append(w.above, folder)
	return true
}

// trueName is the name of a catalog folder. Where the folder holds a hash the entry tells the name.
func (a *Area) trueName(ctx context.Context, folder, entry asset.Key) (asset.Key, error) {
	if name, ok := nameOf(folder); ok {
		return name, nil
	}
	e, _, err := a.entryAt(ctx, entry)
	if err != nil {
		return "", fmt.Errorf("name of catalog folder %s: %w", folder.Quoted(), err)
	}
	for k := 1; k < maxRenames; k++ {
		if name := renamed(e.Name, k); catalogFolder(name) == folder {
			return name, nil
		}
	}
	return "", fmt.Errorf("name of catalog folder %s: %w: its entry is of %s", folder.Quoted(), errTorn, e.Name.Quoted())
}

// renamed is the k-th name to be tried for name: itself, then with " (2)", " (3)", ... before the extension. A base that
// would get too long loses the end of its stem.
func renamed(name asset.Key, k int) asset.Key {
	if k == 1 {
		return name
	}
	base := name.Base()
	ext := path.Ext(strings.TrimLeft(base, "."))
	mark := " (" + strconv.Itoa(k) + ")"
	if len(ext)+len(mark) > asset.MaxComponent/2 {
		ext = ""
	}
	stem := cut(strings.TrimSuffix(base, ext), asset.MaxComponent-len(mark)-len(ext))
	return name.Dir().Join(asset.Key(stem + mark + ext))
}

// cut is s, or its first n bytes less a letter that would be cut through.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for end := n; end > n-utf8.UTFMax && end > 0; end-- {
		if utf8.RuneStart(s[end]) {
			return s[:end]
		}
	}
	return s[:n]
}
