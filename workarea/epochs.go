package workarea

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// RaiseEpoch returns a number that lives on the store and only grows, after making it at least atLeast, durably. With 0 it
// changes nothing, and is 0 when there is none. It may be repeated, and called by many nodes at once.
func (a *Area) RaiseEpoch(ctx context.Context, atLeast uint64) (uint64, error) {
	s := series{a, "epochs"}
	there, err := s.numbers(ctx)
	if err == nil && last(there) < atLeast {
		if err = a.takeEpoch(ctx, s, atLeast); err == nil || errors.Is(err, fs.ErrExist) {
			there, err = s.numbers(ctx)
		}
	}
	if err != nil {
		return 0, fmt.Errorf("epoch of the store: %w", err)
	}
	s.prune(ctx, there)
	return max(atLeast, last(there)), nil // a listing may be late to show it
}

func (a *Area) takeEpoch(ctx context.Context, s series, n uint64) error {
	return s.take(ctx, n, struct {
		Node string    `json:"node"`
		Time time.Time `json:"time"`
	}{a.node, a.now().UTC()})
}
