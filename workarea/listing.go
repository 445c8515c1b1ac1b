package workarea

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"golang.org/x/sync/errgroup"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

const (
	// maxLooks bounds how many places of the catalog one page looks at. A page that ends by it may be short, or empty.
	maxLooks = 20_000
	// readers is how many entries of a page are read at a time.
	readers = 16
)

// Query says which names [Area.List] is to tell.
type Query struct {
	// Prefix is what the names begin with, byte by byte. What stands before its last slash must be a key; [asset.ErrKey].
	Prefix string
	// Folders tells a folder in place of the names in it, where they have a slash behind the prefix.
	Folders bool
	// Match leaves out names for which it is false; nil leaves out none. Folders are not asked for.
	Match func(asset.Key) bool
	// Limit is how many names and folders a page has at most.
	Limit int
	// After is Next of the page before; empty begins.
	After Position
}

// Position is a place in the order of the catalog. It depends on no name that is there, and means the same on every node and at any time.
type Position string

// Listed is a name with the version that it stands for, or a folder.
type Listed struct {
	Name   asset.Key
	Folder bool // then there is no version
	Version
}

// Page is what [Area.List] found.
type Page struct {
	Listed []Listed
	// Next is where the next page begins; empty when there is none.
	Next Position
	// Err is the first fault of a name that is left out because it could not be read.
	Err error
}

// List tells one page of the names, always in the same order: by the bytes of their places in the catalog, which is nearly that of the
// names, except that those of more than some 700 bytes come last. A name that is there from the first page to the last is told
// exactly once, whatever comes and goes meanwhile. Folders that hold only such long names may be told by several pages.
//
// It holds no more than a page in memory. A page costs a bucket one request for each thousand places that it passes and at most three for
// each name that it tells; a file system reads every folder on its way whole, since those are in no order there.
func (a *Area) List(ctx context.Context, q Query) (Page, error) {
	p := paging{a: a, q: q, told: map[asset.Key]bool{}}
	err := p.run(ctx)
	if err == nil {
		err = p.read(ctx)
	}
	if err != nil {
		return Page{}, fmt.Errorf("list names: %w", err)
	}
	return p.page, nil
}

// paging collects one page. The names that are short enough for places of their own come first, then those in longNames.
type paging struct {
	a      *Area
	q      Query
	folder asset.Key // of the prefix
	page   Page
	told   map[asset.Key]bool // folders
	at     Position           // everything up to here was looked at
	looks  int
	full   bool
}

func (p *paging) run(ctx context.Context) error {
	var err error
	if p.folder, err = folderOf(p.q.Prefix); err != nil {
		return err
	}
	stem := catalogStem(p.folder)
	p.at = p.q.After
	if !p.q.After.long() && !isLong(stem) {
		part := strings.TrimPrefix(p.q.Prefix[len(p.folder):], "/")
		w := inOrder{a: p.a, ctx: ctx, root: stem, near: sharedStem(part), deep: !p.q.Folders, after: string(p.at), look: p.look}
		if err := w.run(); err != nil || p.full {
			return err
		}
	}
	if !p.at.long() {
		p.at = Position(longNames) + "/"
	}
	w := inOrder{a: p.a, ctx: ctx, root: longNames, deep: true, after: string(p.at), look: p.look}
	return w.run()
}

// folderOf is what stands before the last slash of a prefix.
func folderOf(prefix string) (asset.Key, error) {
	end := strings.LastIndexByte(prefix, '/')
	if end < 0 {
		return asset.Root, nil
	}
	return asset.ParseKey(prefix[:end])
}

func isLong(stem asset.Key) bool {
	_, below := stem.Below(longNames)
	return below
}

func (p Position) long() bool { return strings.HasPrefix(string(p), string(longNames)+"/") }

// look is called for each place in the order of the catalog. It reports whether more is wanted.
func (p *paging) look(ctx context.Context, at asset.Key, o storage.Object) (more bool, err error) {
	if p.looks == maxLooks {
		return p.stop()
	}
	p.looks++
	l, ok, err := p.listed(ctx, at, o)
	switch {
	case err != nil && ctx.Err() != nil:
		return false, err
	case err != nil && p.page.Err == nil:
		p.page.Err = err
	case err != nil || !ok:
	case len(p.page.Listed) == p.q.Limit:
		return p.stop()
	default:
		p.page.Listed = append(p.page.Listed, l)
		if l.Folder {
			p.told[l.Name] = true
		}
	}
	p.at = passed(at, o, p.q.Folders)
	return true, nil
}

func (p *paging) stop() (bool, error) {
	p.full, p.page.Next = true, p.at
	return false, nil
}

// passed is the position behind a place: behind a folder that is told lies what is not below it.
func passed(at asset.Key, o storage.Object, told bool) Position {
	switch {
	case o.Kind != storage.Directory:
		return Position(at)
	case told:
		return Position(at) + "0" // the byte after the slash
	}
	return Position(at) + "/"
}

// listed is what a place tells, without its version; ok is false when that is nothing.
func (p *paging) listed(ctx context.Context, at asset.Key, o storage.Object) (l Listed, ok bool, err error) {
	if o.Kind == storage.Directory {
		if !p.q.Folders || isLong(at) {
			return l, false, nil
		}
		l.Folder = true
		l.Name, ok, err = p.a.folderName(ctx, p.folder, at)
		return l, ok && strings.HasPrefix(string(l.Name), p.q.Prefix), err
	}
	stem, _ := firstStem(at)
	if l.Name, err = p.a.trueName(ctx, stem, o.Key); err != nil || !strings.HasPrefix(string(l.Name), p.q.Prefix) {
		return l, false, err
	}
	if inner := strings.IndexByte(string(l.Name[len(p.q.Prefix):]), '/'); p.q.Folders && inner >= 0 {
		l.Name, l.Folder = l.Name[:len(p.q.Prefix)+inner], true
		return l, inner > 0 && !p.told[l.Name], nil
	}
	return l, p.q.Match == nil || p.q.Match(l.Name), nil
}

// folderName is the name of a folder of the catalog in the folder that it lies in; false when no name is in it.
func (a *Area) folderName(ctx context.Context, parent, at asset.Key) (asset.Key, bool, error) {
	part, clear := nameOf(asset.Key(at.Base()))
	if clear && a.store.Properties().Flat {
		return parent.Join(part), true, nil
	}
	entry, ok, err := a.someEntry(ctx, at)
	if err != nil || !ok || clear {
		return parent.Join(part), ok, err
	}
	file, _ := entry.Below(a.prefix.Join("catalog"))
	stem, _ := firstStem(file)
	name, err := a.trueName(ctx, stem, entry)
	if err != nil {
		return "", false, err
	}
	rest, _ := name.Below(parent)
	first, _, _ := strings.Cut(string(rest), "/")
	return parent.Join(asset.Key(first)), true, nil
}

// someEntry is any first version below a folder of the catalog.
func (a *Area) someEntry(ctx context.Context, folder asset.Key) (entry asset.Key, ok bool, err error) {
	all := storage.ListOptions{Recursive: true, NamesOnly: true, Enter: noLater}
	for o, err := range a.store.List(ctx, a.at("catalog", folder), all) {
		switch _, first := firstStem(o.Key); {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return "", false, err
		case first && isFile(o):
			return o.Key, true, nil
		}
	}
	return "", false, nil
}

// noLater keeps out of the folders of later versions.
func noLater(k asset.Key) bool { return !strings.HasSuffix(string(k), laterExt) }

// read completes the page by the versions of its names. Names that went meanwhile are left out.
func (p *paging) read(ctx context.Context) error {
	faults := make([]error, len(p.page.Listed))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(readers)
	for i := range p.page.Listed {
		l := &p.page.Listed[i]
		if l.Folder {
			continue
		}
		g.Go(func() error {
			l.Record, l.Number, faults[i] = p.a.Current(gctx, l.Name)
			return gctx.Err()
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	kept := p.page.Listed[:0]
	for i, l := range p.page.Listed {
		switch err := faults[i]; {
		case err == nil:
			kept = append(kept, l)
		case !errors.Is(err, fs.ErrNotExist) && p.page.Err == nil:
			p.page.Err = err
		}
	}
	p.page.Listed = kept
	return nil
}
