package workarea

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// keptEpochs is how many epochs are not pruned. One would do for safety; the others show people what went on.
const keptEpochs = 8

// epochDigits is enough for every number, so that they are listed in their order.
const epochDigits = len("18446744073709551615")

// RaiseEpoch returns a number that lives on the store and only grows, after making it at least atLeast, durably. With 0 it
// changes nothing, and is 0 when there is none. It may be repeated, and called by many nodes at once.
func (a *Area) RaiseEpoch(ctx context.Context, atLeast uint64) (uint64, error) {
	there, err := a.epochs(ctx)
	if err == nil && last(there) < atLeast {
		if err = a.takeEpoch(ctx, atLeast); err == nil || errors.Is(err, fs.ErrExist) {
			there, err = a.epochs(ctx)
		}
	}
	if err != nil {
		return 0, fmt.Errorf("epoch of the store: %w", err)
	}
	a.pruneEpochs(ctx, there)
	return max(atLeast, last(there)), nil // a listing may be late to show it
}

func last(numbers []uint64) uint64 {
	if len(numbers) == 0 {
		return 0
	}
	return numbers[len(numbers)-1]
}

func (a *Area) epochKey(n uint64) asset.Key {
	return a.at("epochs", asset.Key(fmt.Sprintf("%0*d", epochDigits, n)))
}

func (a *Area) takeEpoch(ctx context.Context, n uint64) error {
	return a.putSmall(ctx, a.epochKey(n), struct {
		Node string    `json:"node"`
		Time time.Time `json:"time"`
	}{a.node, a.now().UTC()})
}

// epochs are the numbers that are there, in ascending order.
func (a *Area) epochs(ctx context.Context) ([]uint64, error) {
	var numbers []uint64
	for o, err := range a.store.List(ctx, a.prefix.Join("epochs"), storage.ListOptions{NamesOnly: true}) {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		n, err := strconv.ParseUint(o.Key.Base(), 10, 64)
		if err == nil && isFile(o) && o.Key == a.epochKey(n) {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

// pruneEpochs takes all but the newest away. What is left over by a fault goes the next time.
func (a *Area) pruneEpochs(ctx context.Context, there []uint64) {
	for _, n := range there[:max(0, len(there)-keptEpochs)] {
		if a.store.Remove(ctx, a.epochKey(n), "") != nil {
			return
		}
	}
}
