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
		if a.walkNames(ctx, catalogStem(prefix), prefix, yield) && prefix != asset.Root {
			a.walkNames(ctx, longNames, prefix, yield)
		}
	}
}

// walkNames is a walk over the first versions in one folder of the catalog: each name has one. It reports whether the
// caller wants more.
func (a *Area) walkNames(ctx context.Context, folder, prefix asset.Key, yield func(asset.Key, error) bool) bool {
	catalog := a.prefix.Join("catalog")
	noLater := func(k asset.Key) bool { return !strings.HasSuffix(k.Base(), laterExt) }
	for o, err := range a.store.List(ctx, catalog.Join(folder), storage.ListOptions{Recursive: true, NamesOnly: true, Enter: noLater}) {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			if !yield("", fmt.Errorf("names: %w", err)) {
				return false
			}
			continue
		}
		file, _ := o.Key.Below(catalog)
		stem, isFirst := firstStem(file)
		if !isFile(o) || !isFirst {
			continue
		}
		name, err := a.trueName(ctx, stem, o.Key)
		if _, below := name.Below(prefix); (below || err != nil) && !yield(name, err) {
			return false
		}
	}
	return true
}

// trueName is the name that has a stem. Where that holds a hash the entry tells the name.
func (a *Area) trueName(ctx context.Context, stem, entry asset.Key) (asset.Key, error) {
	if name, ok := nameOf(stem); ok {
		return name, nil
	}
	e, _, err := a.entryAt(ctx, entry)
	if err != nil {
		return "", fmt.Errorf("name of catalog entry %s: %w", entry.Quoted(), err)
	}
	for k := 1; k < maxRenames; k++ {
		if name := renamed(e.Name, k); catalogStem(name) == stem {
			return name, nil
		}
	}
	return "", fmt.Errorf("name of catalog entry %s: %w: it is of %s", entry.Quoted(), errTorn, e.Name.Quoted())
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
