package workarea

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"go.uber.org/zap"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// library lets library/<name> show the bytes of the current version, if that wants to be there. It looks again after
// writing: of several nodes that bring versions of one name the last to write sees the highest.
//
// A name cannot be shown where another name is its folder ("a" and "a/b"), or where a bucket cannot hold it. The library is for
// people and never the truth, so that is logged and no reason to fail an import.
//
// Who writes over what it shows announces that: it may be another walk's version, or one that this walk showed a moment ago.
func (w *applying) library(ctx context.Context, name asset.Key) error {
	key := w.a.at("library", name)
	for seen, lost := 0, 0; ; {
		v, err := w.a.current(ctx, name)
		if errors.Is(err, fs.ErrNotExist) || err == nil && (!v.Record.Library || v.Number == seen) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("library: %w", err)
		}
		bytes, err := w.a.store.Stat(ctx, w.a.AssetKey(v.Record.Content.Hash))
		if err != nil {
			return fmt.Errorf("library: %w", err)
		}
		if v.Number > 1 || seen > 0 {
			if err := w.told.begin(ctx, name); err != nil {
				return fmt.Errorf("library: %w", err)
			}
		}
		_, err = w.a.store.Copy(ctx, bytes, key, storage.PutOptions{Deferred: true, Shared: true})
		switch {
		case err == nil:
			w.made = append(w.made, key)
			seen = v.Number
		case standsInTheWay(err), errors.Is(err, asset.ErrKey):
			w.a.log.Warn("not shown in the library: the name cannot stand there",
				zap.String("asset", name.Shown()), zap.Error(err))
			return nil
		case lost < maxLost && (errors.Is(err, storage.ErrChanged) || errors.Is(err, fs.ErrNotExist)):
			lost++ // another node wrote the name at the same moment
		default:
			return fmt.Errorf("library: %w", err)
		}
	}
}

// standsInTheWay reports whether a store of files cannot have the name at all, beside what is there.
func standsInTheWay(err error) bool {
	for _, no := range []error{syscall.ENOTDIR, syscall.EISDIR, syscall.EEXIST, syscall.ENAMETOOLONG, storage.ErrNotRegular} {
		if errors.Is(err, no) {
			return true
		}
	}
	return false
}
