package workarea

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"hotfolderd/asset"
)

// Put imports bytes that are no drop: from a command or a request. They become the next version of name. There is nothing
// to find again: a Put that failed and is repeated is a new one, which comes to the same version when the bytes are the same. An error that wraps [asset.ErrNotNow] says so of the announcement
// only: repeat it.
func (a *Area) Put(ctx context.Context, name asset.Key, r io.Reader, door asset.Door) (asset.Record, asset.Outcome, error) {
	return a.PutIf(ctx, name, r, PutOptions{Door: door})
}

// PutOptions of [Area.PutIf]. The zero value is a Put by no door.
type PutOptions struct {
	Door asset.Door
	// Once names this very write: putting the same bytes under the same name with the same word again, on whatever node, while or after
	// it was done, is one import and one version. Empty: the write is a new one.
	Once string
	// Allowed is asked when all bytes have come, just before they get their name: its error is returned then and nothing is stored. Who
	// writes the name in the moment between makes the version before this one. A write that was done is not asked again. nil: always.
	Allowed func(context.Context) error
	// IfAbsent: of all that write the name with it, at whatever nodes, one makes version 1; the outcome of the others is Skipped.
	IfAbsent bool
}

// conflict is what happens to a write whose name is taken.
func (o PutOptions) conflict() asset.Conflict {
	if o.IfAbsent {
		return asset.ConflictSkip
	}
	return asset.ConflictVersion
}

// PutIf is Put on a condition, and for a client that must be able to repeat it without knowing what came of it.
func (a *Area) PutIf(ctx context.Context, name asset.Key, r io.Reader, o PutOptions) (rec asset.Record, out asset.Outcome, err error) {
	content, bytes, err := a.Stage(ctx, r)
	if err != nil {
		return rec, out, fmt.Errorf("put %s: %w", name.Quoted(), err)
	}
	defer func() { err = errors.Join(err, bytes.Discard()) }()
	drop := asset.Drop{
		Key: name, Version: asset.Version("put-" + cmp.Or(o.Once, rand.Text())), Size: content.Size, Arrived: a.now().UTC(), Door: o.Door,
	}
	if err := a.mayPut(ctx, drop.ID(), content.Hash, o); err != nil {
		return rec, out, err
	}
	told := changing{a: a}
	defer func() { err = errors.Join(err, told.end(ctx)) }()
	if err := a.announceKnown(ctx, name, &told); err != nil {
		return rec, out, fmt.Errorf("put %s: %w", name.Quoted(), err)
	}
	rec, _, err = a.Commit(ctx, asset.Record{
		Drop: drop.ID(), Key: name, Version: drop.Version, Door: o.Door, Arrived: drop.Arrived,
		Name: name, Conflict: o.conflict(), Content: content,
	}, bytes)
	if err == nil {
		out, err = a.apply(ctx, rec, nil, &told)
	}
	if err != nil {
		return rec, out, fmt.Errorf("put %s: %w", name.Quoted(), err)
	}
	return rec, out, nil
}

// mayPut asks whether the write is allowed, unless it stands in the ledger already: what it has made of the name itself must not
// forbid it.
func (a *Area) mayPut(ctx context.Context, id asset.DropID, h asset.Hash, o PutOptions) error {
	if o.Allowed == nil {
		return nil
	}
	if o.Once != "" {
		rec, err := a.Record(ctx, id)
		if err == nil && rec.Content.Hash == h {
			return nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return o.Allowed(ctx)
}

// announceKnown announces the change of a name that exists before anything is committed: a record that nobody could be told of
// would come into the catalog with the next rebuild.
func (a *Area) announceKnown(ctx context.Context, name asset.Key, told *changing) error {
	numbers, err := a.numbers(ctx, name)
	if err != nil || len(numbers) == 0 {
		return err
	}
	return told.begin(ctx, name)
}
