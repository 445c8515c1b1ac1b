package workarea

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
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
	return a.at("catalog", catalogFolder(name)).Join(entryName(n))
}

// Current is the version that a name stands for, with its number. fs.ErrNotExist when the name has none.
func (a *Area) Current(ctx context.Context, name asset.Key) (asset.Record, int, error) {
	v, err := a.current(ctx, name)
	if err != nil {
		return asset.Record{}, 0, fmt.Errorf("current version of %s: %w", name.Quoted(), err)
	}
	return v.Record, v.Number, nil
}

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

// Versions streams the versions of a name, oldest first. A name without any yields fs.ErrNotExist.
func (a *Area) Versions(ctx context.Context, name asset.Key) iter.Seq2[Version, error] {
	return func(yield func(Version, error) bool) {
		numbers, err := a.numbers(ctx, name)
		if err == nil && len(numbers) == 0 {
			err = fs.ErrNotExist
		}
		if err != nil {
			yield(Version{}, fmt.Errorf("versions of %s: %w", name.Quoted(), err))
			return
		}
		for _, n := range numbers {
			e, _, err := a.entry(ctx, name, n)
			if errors.Is(err, fs.ErrNotExist) || err == nil && !e.shown() {
				continue
			}
			if err != nil {
				err = fmt.Errorf("versions of %s: %w", name.Quoted(), err)
			}
			if !yield(Version{Number: n, Record: e.Record}, err) {
				return
			}
		}
	}
}

// Remove takes a name out of the catalog and the library, with all its versions. The bytes and the ledger stay; an import
// of the name begins at version 1 again. fs.ErrNotExist when there is no such name. A reader never sees an older version
// come back meanwhile: the current one goes last.
func (a *Area) Remove(ctx context.Context, name asset.Key) error {
	numbers, err := a.numbers(ctx, name)
	if err == nil && len(numbers) == 0 {
		err = fs.ErrNotExist
	}
	if err != nil {
		return fmt.Errorf("remove %s: %w", name.Quoted(), err)
	}
	keys := make([]asset.Key, 0, len(numbers)+1)
	for _, n := range numbers {
		keys = append(keys, a.entryKey(name, n))
	}
	keys = append(keys, a.at("library", name))
	for _, key := range keys {
		err := a.store.Remove(ctx, key, "")
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, storage.ErrNotRegular) {
			return fmt.Errorf("remove %s: %w", name.Quoted(), err)
		}
	}
	if err := a.store.Sync(ctx, keys...); err != nil {
		return fmt.Errorf("remove %s: %w", name.Quoted(), err)
	}
	return nil
}

// numbers are the numbers of a name that are taken, by versions or marks, in ascending order.
func (a *Area) numbers(ctx context.Context, name asset.Key) ([]int, error) {
	var numbers []int
	for o, err := range a.store.List(ctx, a.at("catalog", catalogFolder(name)), storage.ListOptions{NamesOnly: true}) {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("list: %w", err)
		}
		if n, ok := entryNumber(o.Key.Base()); ok && isFile(o) {
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
	data, obj, err := a.readObject(ctx, key)
	if err != nil {
		return entry{}, storage.Object{}, err
	}
	e, err := decodeEntry(data)
	if err != nil {
		return entry{}, storage.Object{}, fmt.Errorf("catalog entry %s: %w", key.Quoted(), err)
	}
	return e, obj, nil
}
