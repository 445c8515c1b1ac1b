package workarea

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"

	"hotfolderd/asset"
)

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
			v, err := a.Version(ctx, name, n)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if !yield(v, err) {
				return
			}
		}
	}
}

// Version is one version of a name. fs.ErrNotExist when there is none of that number, or a later one took its place.
func (a *Area) Version(ctx context.Context, name asset.Key, n int) (Version, error) {
	e, _, err := a.entry(ctx, name, n)
	if err == nil && !e.shown() {
		err = fs.ErrNotExist
	}
	if err != nil {
		return Version{}, fmt.Errorf("version %d of %s: %w", n, name.Quoted(), err)
	}
	return Version{Number: n, Record: e.Record}, nil
}

// VersionsBelow are the versions of a name with a number below this one (0: all), the newest first, at most limit. next is where to go
// on, 0 when there are no more. It reads no more than maxLooks entries, so a page can be short. fs.ErrNotExist when there is no such name.
func (a *Area) VersionsBelow(ctx context.Context, name asset.Key, below, limit int) (found []Version, next int, err error) {
	numbers, err := a.numbers(ctx, name)
	if err == nil && len(numbers) == 0 {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, 0, fmt.Errorf("versions of %s: %w", name.Quoted(), err)
	}
	looks := 0
	for _, n := range slices.Backward(numbers) {
		if below > 0 && n >= below {
			continue
		}
		if looks++; looks > maxLooks {
			return found, next, nil
		}
		v, err := a.Version(ctx, name, n)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, 0, err
		case len(found) == limit:
			return found, next, nil
		default:
			found = append(found, v)
		}
		next = n
	}
	return found, 0, nil
}
