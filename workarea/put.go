package workarea

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"

	"hotfolderd/asset"
)

// Put imports bytes that are no drop: from a command or a request. They become the next version of name. There is nothing
// to find again: a Put that failed and is repeated is a new one, which comes to the same version when the bytes are the same. An error that wraps [asset.ErrNotNow] says so of the announcement
// only: repeat it.
func (a *Area) Put(ctx context.Context, name asset.Key, r io.Reader, door asset.Door) (asset.Record, asset.Outcome, error) {
	return a.PutIf(ctx, name, r, door, func(context.Context) error { return nil })
}

// PutIf is Put on a condition, which is asked when all bytes have come, just before they get their name: its error is returned
// then and nothing is stored. Who writes the name in the moment between makes the version before this one.
func (a *Area) PutIf(ctx context.Context, name asset.Key, r io.Reader, door asset.Door, allowed func(context.Context) error) (
	rec asset.Record, out asset.Outcome, err error,
) {
	content, bytes, err := a.Stage(ctx, r)
	if err != nil {
		return rec, out, fmt.Errorf("put %s: %w", name.Quoted(), err)
	}
	defer func() { err = errors.Join(err, bytes.Discard()) }()
	if err := allowed(ctx); err != nil {
		return rec, out, err
	}
	told := changing{a: a}
	defer func() { err = errors.Join(err, told.end(ctx)) }()
	if err := a.announceKnown(ctx, name, &told); err != nil {
		return rec, out, fmt.Errorf("put %s: %w", name.Quoted(), err)
	}
	drop := asset.Drop{Key: name, Version: asset.Version("put-" + rand.Text()), Size: content.Size, Arrived: a.now().UTC(), Door: door}
	rec, _, err = a.Commit(ctx, asset.Record{
		Drop: drop.ID(), Key: name, Version: drop.Version, Door: door, Arrived: drop.Arrived,
		Name: name, Conflict: asset.ConflictVersion, Content: content,
	}, bytes)
	if err == nil {
		out, err = a.apply(ctx, rec, nil, &told)
	}
	if err != nil {
		return rec, out, fmt.Errorf("put %s: %w", name.Quoted(), err)
	}
	return rec, out, nil
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
