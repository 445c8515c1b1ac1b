package workarea

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"hotfolderd/storage"
)

// homes are the clusters that the store has belonged to, the newest last.
func (a *Area) homes() series { return series{a, "homes"} }

// Home is the cluster that the store belongs to, and the number of the entry that says so: 0 when none ever did.
func (a *Area) Home(ctx context.Context) (h storage.Home, number uint64, err error) {
	there, err := a.homes().numbers(ctx)
	if err == nil {
		h, err = a.readHome(ctx, last(there))
	}
	if err != nil {
		return storage.Home{}, 0, fmt.Errorf("cluster of the store: %w", err)
	}
	return h, last(there), nil
}

func (a *Area) readHome(ctx context.Context, n uint64) (h storage.Home, err error) {
	if n == 0 {
		return h, nil
	}
	data, err := a.readSmall(ctx, a.homes().key(n))
	if err == nil {
		err = json.Unmarshal(data, &h)
	}
	return h, err
}

// SetHome gives the store to a cluster, or with an empty one to none, durably, if its newest entry still has the number after;
// fs.ErrExist when somebody was quicker. The node and the time are filled in.
func (a *Area) SetHome(ctx context.Context, h storage.Home, after uint64) error {
	h.Node, h.Since = a.node, a.now().UTC()
	if err := a.homes().take(ctx, after+1, h); err != nil {
		return fmt.Errorf("cluster of the store: %w", err)
	}
	if there, err := a.homes().numbers(ctx); err == nil {
		a.homes().prune(ctx, there)
	}
	return nil
}

// Moved reports whether the store was given to another cluster since the entry of this number. It costs one look at the store.
func (a *Area) Moved(ctx context.Context, number uint64) (bool, error) {
	_, err := a.store.Stat(ctx, a.homes().key(number+1))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
