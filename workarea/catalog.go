package workarea

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// Version is one version of a name.
type Version struct {
	Number int
	Record asset.Record
}

func (a *Area) entryKey(name asset.Key, n int) asset.Key {
	return a.at("catalog", entryPath(catalogStem(name), n))
}

// current reads the version that a name stands for.
func (a *Area) current(ctx context.Context, name asset.Key) (Version, error) {
	numbers, err := a.numbers(ctx, name)
	if err != nil {
		return Version{}, err
	}
	if len(numbers) == 0 {
		return Version{}, fs.ErrNotExist
	}
	n := numbers[len(numbers)-1]
	e, _, err := a.entry(ctx, name, n)
	if err == nil && e.Same > 0 {
		n = e.Same
		e, _, err = a.entry(ctx, name, n)
	}
	switch {
	case err != nil:
		return Version{}, err
	case !e.shown():
		return Version{}, fs.ErrNotExist
	}
	return Version{Number: n, Record: e.Record}, nil
}

// Remove takes a name out of the catalog and the library, with all its versions. The bytes and the ledger stay; an import
// of the name begins at version 1 again. fs.ErrNotExist when there is no such name.
//
// The versions go from the highest down, and version 1 only when it is durable that the others went: whatever breaks it
// off, no version is left that a later import of the name would bring back. So a reader may see an older one meanwhile.
//
// The change is told to all nodes, also when there is no such name: a Remove that could not tell it is repeated so. The error
// wraps [asset.ErrNotNow] when it could not be told; before anything was removed, or after all was.
func (a *Area) Remove(ctx context.Context, name asset.Key) error {
	c := changing{a: a}
	err := c.begin(ctx, name)
	if err == nil {
		err = a.removeTold(ctx, name, &c)
	}
	if err != nil {
		return fmt.Errorf("remove %s: %w", name.Quoted(), err)
	}
	return nil
}

func (a *Area) removeTold(ctx context.Context, name asset.Key, c *changing) (err error) {
	defer func() { err = errors.Join(err, c.end(ctx)) }()
	numbers, err := a.numbers(ctx, name)
	if err == nil && len(numbers) == 0 {
		err = fs.ErrNotExist
	}
	if err == nil {
		err = a.removeLater(ctx, name, numbers[1:])
	}
	if err == nil {
		err = a.removeAll(ctx, a.entryKey(name, 1), a.at("library", name))
	}
	if err == nil {
		err = a.removeLate(ctx, name)
	}
	return err
}

// removeLate removes what was entered while the name was being removed, unless the name came back meanwhile.
func (a *Area) removeLate(ctx context.Context, name asset.Key) error {
	late, err := a.later(ctx, name)
	if err != nil || len(late) == 0 {
		return err
	}
	_, err = a.store.Stat(ctx, a.entryKey(name, 1))
	if errors.Is(err, fs.ErrNotExist) {
		err = a.removeLater(ctx, name, late)
	}
	return err
}

func (a *Area) removeLater(ctx context.Context, name asset.Key, numbers []int) error {
	var keys []asset.Key
	for _, n := range slices.Backward(numbers) {
		keys = append(keys, a.entryKey(name, n))
	}
	return a.removeAll(ctx, keys...)
}

// removeAll removes files in this order; that they are gone is durable then.
func (a *Area) removeAll(ctx context.Context, keys ...asset.Key) error {
	for _, key := range keys {
		err := a.store.Remove(ctx, key, "")
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, storage.ErrNotRegular) {
			return err
		}
	}
	return a.store.Sync(ctx, keys...)
}

// numbers are the numbers of a name that are taken, by versions or marks, in ascending order. Number 1 is taken as long as
// any is, so a new name costs no listing.
func (a *Area) numbers(ctx context.Context, name asset.Key) ([]int, error) {
	o, err := a.store.Stat(ctx, a.entryKey(name, 1))
	if errors.Is(err, fs.ErrNotExist) || err == nil && !isFile(o) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	later, err := a.later(ctx, name)
	return append([]int{1}, later...), err
}

// later are the numbers above 1, in ascending order.
func (a *Area) later(ctx context.Context, name asset.Key) ([]int, error) {
	var numbers []int
	folder := a.at("catalog", catalogStem(name)+laterExt)
	for o, err := range a.store.List(ctx, folder, storage.ListOptions{NamesOnly: true}) {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("list: %w", err)
		}
		if n, ok := laterNumber(o.Key.Base()); ok && isFile(o) {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

// entry reads one catalog entry.
func (a *Area) entry(ctx context.Context, name asset.Key, n int) (entry, storage.Object, error) {
	return a.entryAt(ctx, a.entryKey(name, n))
}

func (a *Area) entryAt(ctx context.Context, key asset.Key) (entry, storage.Object, error) {
	data, obj, err := a.readObject(ctx, key, maxSmall)
	if err != nil {
		return entry{}, storage.Object{}, err
	}
	e, err := decodeEntry(data)
	if err != nil {
		return entry{}, storage.Object{}, fmt.Errorf("catalog entry %s: %w", key.Quoted(), err)
	}
	return e, obj, nil
}
