package workarea

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// Look is what one listing of a work area tells of all that its nodes look at again and again. Where a store is paid by the request it
// is the one look that a node takes regularly; what it shows to have changed is then read as ever.
type Look struct {
	Identity string // another one when store.json is another one; empty when it is missing
	Pauses   string // another one when a hotfolder was paused or resumed
	Rules    int    // the newest published rule set; 0: none was
	tenures  tenures
}

// The folders of a look lie side by side in the order of names, with store.json between them, so that one listing of a bucket that
// begins at the first has them all.
const (
	lookFirst = "paused"
	lookLast  = "tenures"
)

// look takes one. Stores that are not flat list all for it.
func (a *Area) look(ctx context.Context) (l Look, err error) {
	var held []asset.Key
	ordered := a.store.Properties().Flat
	for o, err := range a.store.List(ctx, a.prefix, storage.ListOptions{Recursive: true, StartAfter: a.prefix.Join(lookFirst)}) {
		if errors.Is(err, fs.ErrNotExist) {
			return l, nil
		}
		if err != nil {
			return l, fmt.Errorf("look at the work area: %w", err)
		}
		rel, _ := o.Key.Below(a.prefix)
		folder, _, _ := strings.Cut(string(rel), "/")
		switch {
		case folder > lookLast && ordered:
			return l.with(held), nil
		case !isFile(o):
		case folder == lookLast:
			held = append(held, o.Key)
		default:
			a.note(&l, folder, o)
		}
	}
	return l.with(held), nil
}

func (l Look) with(held []asset.Key) Look {
	l.tenures = tenuresOf(held)
	return l
}

func (a *Area) note(l *Look, folder string, o storage.Object) {
	switch folder {
	case "paused":
		l.Pauses += fmt.Sprintf("%q %s\n", o.Key, o.Version)
	case "rules":
		l.Rules = max(l.Rules, a.rulesNumber(o.Key))
	case identityFile:
		l.Identity = string(o.Version)
	}
}
