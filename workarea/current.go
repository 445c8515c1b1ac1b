package workarea

import (
	"context"
	"fmt"

	"hotfolderd/asset"
)

// Current is the version that a name stands for, with its number, as the store has it. fs.ErrNotExist when the name has none.
func (a *Area) Current(ctx context.Context, name asset.Key) (asset.Record, int, error) {
	v, err := a.current(ctx, name)
	if err != nil {
		return asset.Record{}, 0, fmt.Errorf("current version of %s: %w", name.Quoted(), err)
	}
	return v.Record, v.Number, nil
}
