package workarea

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
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

// NextEpoch counts up a number that lives on the store, durably: the one returned is greater than every one that was
// returned before, to any node, and than atLeast. Many nodes may ask at once; each gets its own. After an error a number may
// be used up.
func (a *Area) NextEpoch(ctx context.Context, atLeast uint64) (uint64, error) {
	n, err := a.nextEpoch(ctx, atLeast)
	if err != nil {
		return 0, fmt.Errorf("next epoch: %w", err)
	}
	return n, nil
}

// nextEpoch takes the next number and then looks whether it still is the highest. While a slow node was about to take a
// number, others may have taken that and many more, and pruned it again; but they leave the newest, so a look after the
// taking finds them out.
func (a *Area) nextEpoch(ctx context.Context, atLeast uint64) (uint64, error) {
	there, err := a.epochs(ctx)
	for range maxLost {
		if err != nil {
			return 0, err
		}
		n := max(atLeast, last(there))
		if n == math.MaxUint64 {
			return 0, fmt.Errorf("there is none above %d", n)
		}
		n++
		taken := a.takeEpoch(ctx, n)
		if taken != nil && !errors.Is(taken, fs.ErrExist) {
			return 0, taken
		}
		if there, err = a.epochs(ctx); err == nil && taken == nil && last(there) == n {
			a.pruneEpochs(ctx, there)
			return n, nil
		}
		atLeast = max(atLeast, n) // a listing may be late to show it
	}
	return 0, fmt.Errorf("others were quicker %d times", maxLost)
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
	line, err := encodeLine(struct {
		Node string    `json:"node"`
		Time time.Time `json:"time"`
	}{a.node, a.now().UTC()})
	if err != nil {
		return err
	}
	_, err = a.store.Put(ctx, a.epochKey(n), bytes.NewReader(line), storage.PutOptions{IfAbsent: true})
	return err
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
