package workarea

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

const (
	errorExt = ".error.json"
	// dropExt is added to a drop whose own name looks like a sidecar's.
	dropExt = ".drop"
	// failedRoom is what may be added to a failed drop's base.
	failedRoom = len(errorExt) + len(dropExt) + len(" (10000)")
)

// Fail moves a drop that cannot be imported to failed/<hotfolder>/<key>, or beside it when another failure has that place,
// with a .error.json that says why. ID, Time, Node and Stored are filled in; the rest of f is the caller's.
// [storage.ErrChanged] when the drop has another version by now, fs.ErrNotExist when it is gone: nothing is moved then.
//
// The .error.json comes first and claims the place. A crash in between leaves it alone there, and the drop where it was:
// [Area.Failures] takes it away later.
func (a *Area) Fail(ctx context.Context, src storage.Store, obj storage.Object, f asset.Failure) (asset.Failure, error) {
	hotfolder, err := hotfolderKey(f.Hotfolder)
	if err == nil {
		_, err = asset.ParseKey(string(f.Key))
	}
	if err != nil {
		return asset.Failure{}, fmt.Errorf("move %s to failed: %w", f.Key.Quoted(), err)
	}
	if f.Time.IsZero() {
		f.Time = a.now().UTC()
	}
	if f.Node == "" {
		f.Node = a.node
	}
	f.ID = failureID(f.Hotfolder, string(f.Key), f.Time.String(), rand.Text())
	at := func(k int, flat bool) asset.Key { return a.prefix.Join(failedPlace(hotfolder, f.Key, k, flat)) }
	_, err = a.freePlace(ctx, at, func(to asset.Key) error {
		f.Stored, _ = to.Below(a.prefix)
		return a.fileAway(ctx, src, obj, to, f)
	})
	if err != nil {
		return asset.Failure{}, fmt.Errorf("move %s to failed: %w", f.Key.Quoted(), because(ctx, err))
	}
	return f, nil
}

// failedPlace is relative to the work area.
func failedPlace(hotfolder, key asset.Key, k int, flat bool) asset.Key {
	if strings.HasSuffix(key.Base(), errorExt) {
		key += dropExt
	}
	return place(asset.Key("failed").Join(hotfolder), key, failedRoom, k, flat)
}

func failureID(parts ...string) string { return hashOf(strings.Join(parts, "\x00"))[:16] }

// fileAway tries one place.
func (a *Area) fileAway(ctx context.Context, src storage.Store, obj storage.Object, to asset.Key, f asset.Failure) error {
	doc, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return err
	}
	side, err := a.store.Put(ctx, to+errorExt, bytes.NewReader(append(doc, '\n')), storage.PutOptions{IfAbsent: true})
	if err != nil {
		return err
	}
	err = a.transfer(ctx, src, obj, to)
	if err != nil && !errors.Is(err, errUnclear) {
		err = errors.Join(err, takeBack(ctx, a.store, side))
	}
	return err
}

// Retry puts a failed drop back: as dstKey of dst, or beside it under a free name when something new is there. It returns
// the key. fs.ErrNotExist when there is no such failure.
//
// The drop is copied, so it has a new version and counts as a new drop: what the ledger may say about the old one (its name
// was taken, and the rule rejected it) does not hold it back. After a crash in between both may be there.
func (a *Area) Retry(ctx context.Context, id string, dst storage.Store, dstKey asset.Key) (asset.Key, error) {
	f, err := a.Failure(ctx, id)
	if err != nil {
		return "", err
	}
	obj, err := a.store.Stat(ctx, a.prefix.Join(f.Stored))
	if err != nil {
		return "", fmt.Errorf("retry %s: %w", f.Key.Quoted(), err)
	}
	key, err := a.putBack(ctx, obj, dst, dstKey)
	if err != nil {
		return "", fmt.Errorf("retry %s: %w", f.Key.Quoted(), err)
	}
	if err := a.forget(ctx, obj); err != nil {
		return key, fmt.Errorf("retry %s: it is back, but could not be taken out of failed: %w", f.Key.Quoted(), err)
	}
	return key, nil
}

func (a *Area) putBack(ctx context.Context, obj storage.Object, dst storage.Store, to asset.Key) (asset.Key, error) {
	for k := 1; k < maxRenames; k++ {
		key := renamed(to, k)
		var err error
		if sameStore(dst, a.store) {
			_, err = dst.Copy(ctx, obj, key, storage.PutOptions{IfAbsent: true})
		} else {
			_, err = copyOver(ctx, a.store, obj, dst, key)
		}
		if err == nil {
			return key, nil
		}
		if _, gone := dst.Stat(ctx, key); !errors.Is(err, fs.ErrExist) || errors.Is(gone, fs.ErrNotExist) {
			return "", err
		}
	}
	return "", fmt.Errorf("no name beside %s is free: %w", to.Quoted(), fs.ErrExist)
}

// forget removes a failed drop and its sidecar.
func (a *Area) forget(ctx context.Context, obj storage.Object) error {
	if err := a.store.Remove(ctx, obj.Key, obj.Version); err != nil {
		return err
	}
	if err := a.store.Remove(ctx, obj.Key+errorExt, ""); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return a.store.Sync(ctx, obj.Key, obj.Key+errorExt)
}
