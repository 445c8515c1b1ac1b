package workarea

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// keptNumbers is how many numbers of a series are not pruned. One would do for safety; the others show people what went on.
const keptNumbers = 8

// numberDigits is enough for every number, so that they are listed in their order.
const numberDigits = len("18446744073709551615")

// series is a folder of small files whose names are numbers that only grow. Each is made only if it is absent, so of many nodes
// that take one number at once one gets it; the highest one counts.
type series struct {
	a      *Area
	folder asset.Key
}

func (s series) key(n uint64) asset.Key {
	return s.a.at(s.folder, asset.Key(fmt.Sprintf("%0*d", numberDigits, n)))
}

// numbers are those that are there, in ascending order.
func (s series) numbers(ctx context.Context) ([]uint64, error) {
	var numbers []uint64
	for o, err := range s.a.store.List(ctx, s.a.prefix.Join(s.folder), storage.ListOptions{NamesOnly: true}) {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		n, err := strconv.ParseUint(o.Key.Base(), 10, 64)
		if err == nil && isFile(o) && o.Key == s.key(n) {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

func last(numbers []uint64) uint64 {
	if len(numbers) == 0 {
		return 0
	}
	return numbers[len(numbers)-1]
}

// take makes the file of a number, durably. fs.ErrExist when it is there.
func (s series) take(ctx context.Context, n uint64, value any) error {
	return s.a.putSmall(ctx, s.key(n), value)
}

// prune takes all but the newest away. What is left over by a fault goes the next time.
func (s series) prune(ctx context.Context, there []uint64) {
	for _, n := range there[:max(0, len(there)-keptNumbers)] {
		if s.a.store.Remove(ctx, s.key(n), "") != nil {
			return
		}
	}
}
