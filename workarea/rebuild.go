package workarea

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"strings"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// Rebuild applies, in the order of their commits, all ledger records that the catalog does not have, and returns how many
// have an entry now; those whose policy gave way to another have none. It may run beside imports, and again after it was
// broken off. Names that somebody removed come back with it. It holds about 100 bytes per record in memory.
//
// Later versions are told to the other nodes like any other. Who took first versions away behind the back of the nodes has to
// let all of them forget everything.
func (a *Area) Rebuild(ctx context.Context) (n int, err error) {
	known, err := a.cataloged(ctx)
	if err != nil {
		return 0, fmt.Errorf("rebuild: %w", err)
	}
	todo, err := a.commits(ctx, known)
	if err != nil {
		return 0, fmt.Errorf("rebuild: %w", err)
	}
	for _, c := range todo {
		rec, err := a.Record(ctx, asset.DropID(hex.EncodeToString(c.drop[:])))
		if err == nil {
			_, err = a.store.Stat(ctx, a.AssetKey(rec.Content.Hash))
		}
		var out asset.Outcome
		if err == nil {
			out, err = a.applyTold(ctx, rec, known)
		}
		if err != nil {
			return n, fmt.Errorf("rebuild %x: %w", c.drop, err)
		}
		known[c.drop] = struct{}{}
		if out.Number > 0 {
			n++
		}
	}
	return n, nil
}

// rawID is a drop id as bytes: half the memory.
type rawID [32]byte

func toRaw(id asset.DropID) (raw rawID, err error) {
	h, err := asset.ParseHash(string(id))
	return rawID(h), err
}

// drops is a set of drop ids.
type drops map[rawID]struct{}

func (d drops) has(id asset.DropID) bool {
	raw, err := toRaw(id)
	_, ok := d[raw]
	return ok && err == nil
}

// cataloged are the drops that have a catalog entry.
func (a *Area) cataloged(ctx context.Context) (drops, error) {
	known := drops{}
	for key, err := range a.files(ctx, "catalog") {
		if err != nil {
			return nil, err
		}
		if !isEntry(key) {
			continue
		}
		e, _, err := a.entryAt(ctx, key)
		if err != nil {
			return nil, err
		}
		raw, err := toRaw(e.Drop)
		if err != nil {
			return nil, err
		}
		known[raw] = struct{}{}
	}
	return known, nil
}

type commitTime struct {
	at   int64 // nanoseconds
	drop rawID
}

// commits are the ledger's records that are not known, the oldest first.
func (a *Area) commits(ctx context.Context, known drops) ([]commitTime, error) {
	var todo []commitTime
	for key, err := range a.files(ctx, "ledger") {
		if err != nil {
			return nil, err
		}
		raw, err := toRaw(asset.DropID(strings.TrimSuffix(key.Base(), recordExt)))
		if _, ok := known[raw]; ok || err != nil {
			continue // a file that is no record is not ours to judge
		}
		rec, err := a.Record(ctx, asset.DropID(hex.EncodeToString(raw[:])))
		if err != nil {
			return nil, err
		}
		todo = append(todo, commitTime{rec.Committed.UnixNano(), raw})
	}
	slices.SortFunc(todo, func(x, y commitTime) int {
		return cmp.Or(cmp.Compare(x.at, y.at), slices.Compare(x.drop[:], y.drop[:]))
	})
	return todo, nil
}

// files streams the keys of all files in a folder of the work area.
func (a *Area) files(ctx context.Context, folder asset.Key) iter.Seq2[asset.Key, error] {
	return func(yield func(asset.Key, error) bool) {
		for o, err := range a.store.List(ctx, a.prefix.Join(folder), storage.ListOptions{Recursive: true, NamesOnly: true}) {
			if errors.Is(err, fs.ErrNotExist) || err == nil && !isFile(o) {
				continue
			}
			if !yield(o.Key, err) {
				return
			}
		}
	}
}
