package workarea

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"reflect"
	"strings"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// place is the k-th key to be tried for a drop below folder. A base gives way to room bytes that are to be added to it, and a
// key that is too long, that some store cannot hold, or that cannot be a path beside what is there (flat), becomes one part with a hash.
func place(folder, key asset.Key, room, k int, flat bool) asset.Key {
	base := key.Base()
	if flat || len(key) > maxPath || everywhere(string(key)) != string(key) {
		return renamed(folder.Join(asset.Key(hashOf(string(key))[:16]+"-"+cut(everywhere(base), shortPart))), k)
	}
	if len(base)+room > asset.MaxComponent {
		ext := path.Ext(base)
		if len(ext) > 16 {
			ext = ""
		}
		base = cut(base, shortPart) + "~" + hashOf(base)[:16] + ext
	}
	return renamed(folder.Join(key.Dir()).Join(asset.Key(base)), k)
}

// freePlace tries one place after the other until try succeeds or fails otherwise than by fs.ErrExist. Where a file stands
// in for a folder of the place ("a" for "a/b"), the flat places are tried.
func (a *Area) freePlace(ctx context.Context, at func(k int, flat bool) asset.Key, try func(asset.Key) error) (asset.Key, error) {
	flat := false
	for k := 1; k < maxRenames; k++ {
		key := at(k, flat)
		err := try(key)
		switch {
		case err == nil:
			return key, nil
		case flat || !standsInTheWay(err) && !errors.Is(err, fs.ErrExist):
			if !errors.Is(err, fs.ErrExist) {
				return "", err
			}
		case !a.there(ctx, key):
			k, flat = 0, true
		}
	}
	return "", fmt.Errorf("%s: no name beside it is free: %w", at(1, flat).Quoted(), fs.ErrExist)
}

// there reports whether a key, or its sidecar, is taken as a file.
func (a *Area) there(ctx context.Context, key asset.Key) bool {
	_, err := a.store.Stat(ctx, key)
	_, side := a.store.Stat(ctx, key+errorExt)
	return err == nil || side == nil
}

// transfer moves the version obj of src to a free key of the work area's store. [storage.ErrChanged] when src has another
// version by now: nothing is moved then.
func (a *Area) transfer(ctx context.Context, src storage.Store, obj storage.Object, key asset.Key) error {
	if !sameStore(src, a.store) {
		return a.carry(ctx, src, obj, key)
	}
	_, err := a.store.Move(ctx, obj, key, storage.PutOptions{IfAbsent: true})
	if err == nil || errors.Is(err, fs.ErrExist) || errors.Is(err, storage.ErrChanged) {
		return err
	}
	// The answer may have been lost: the place was free a moment ago, so what is there now came from here.
	tidy, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyTime)
	defer cancel()
	_, gone := src.Stat(tidy, obj.Key)
	moved, there := a.store.Stat(tidy, key)
	if errors.Is(gone, fs.ErrNotExist) && there == nil && moved.Size == obj.Size {
		return a.store.Sync(ctx, key, obj.Key)
	}
	return err
}

// carry moves between stores: copy, then remove the version that was copied. The copy is taken back only when its source is known to
// be there, or to be another's: after a removal whose answer was lost it is the only one.
func (a *Area) carry(ctx context.Context, src storage.Store, obj storage.Object, key asset.Key) error {
	put, err := copyOver(ctx, src, obj, a.store, key)
	if err != nil {
		return err
	}
	err = src.Remove(ctx, obj.Key, obj.Version)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, storage.ErrChanged) {
		err = removed(ctx, src, obj, err)
	}
	switch {
	case errors.Is(err, errUnclear):
		return err
	case err != nil:
		return errors.Join(err, takeBack(ctx, a.store, put))
	}
	if err := src.Sync(ctx, obj.Key); err != nil {
		return fmt.Errorf("sync %s: %w", obj.Key.Quoted(), err)
	}
	return nil
}

// errUnclear: the drop may be gone from its place, so what was copied must stay.
var errUnclear = errors.New("it is not known whether the drop was removed")

// removed finds out what a removal with an unclear answer came to: nil when the version is gone, the answer when it is there.
func removed(ctx context.Context, src storage.Store, obj storage.Object, answer error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyTime)
	defer cancel()
	there, err := src.Stat(ctx, obj.Key)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && there.Version != obj.Version:
		return nil
	case err != nil:
		return fmt.Errorf("%w: %w", errUnclear, answer)
	}
	return answer
}

// copyOver copies one version of an object to a free key of another store.
func copyOver(ctx context.Context, src storage.Store, obj storage.Object, dst storage.Store, key asset.Key) (
	put storage.Object, err error,
) {
	r, err := src.Open(ctx, obj.Key, obj.Version)
	if err != nil {
		return put, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if put, err = dst.Put(ctx, key, r, storage.PutOptions{IfAbsent: true}); err != nil {
		return put, err
	}
	if err := r.Check(ctx); err != nil {
		return put, errors.Join(err, takeBack(ctx, dst, put))
	}
	return put, nil
}

// takeBack removes what was stored a moment ago, also when the caller's context has ended.
func takeBack(ctx context.Context, store storage.Store, obj storage.Object) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyTime)
	defer cancel()
	err := store.Remove(ctx, obj.Key, obj.Version)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// sameStore reports whether both are one store, without a panic for those that cannot be compared.
func sameStore(x, y storage.Store) bool {
	t := reflect.TypeOf(x)
	return t != nil && t == reflect.TypeOf(y) && t.Comparable() && x == y
}

// hotfolderKey is a hotfolder's name as a folder.
func hotfolderKey(hotfolder string) (asset.Key, error) {
	key, err := asset.ParseKey(hotfolder)
	if err == nil && strings.Contains(hotfolder, "/") {
		err = fmt.Errorf("%w: a hotfolder's name has no slash", asset.ErrKey)
	}
	return key, err
}

// Archive moves an imported drop to archive/<hotfolder>/<yyyy-mm-dd>/<key>, or beside it when that is taken, and returns
// where it is in the work area's store. [storage.ErrChanged] when the drop has another version by now; it stays then.
func (a *Area) Archive(ctx context.Context, src storage.Store, obj storage.Object, hotfolder string, key asset.Key) (asset.Key, error) {
	folder, err := hotfolderKey(hotfolder)
	if err != nil {
		return "", fmt.Errorf("archive %s: %w", key.Quoted(), err)
	}
	folder = a.at("archive", folder).Join(asset.Key(dayOf(a.now())))
	at := func(k int, flat bool) asset.Key { return place(folder, key, 0, k, flat) }
	kept, err := a.freePlace(ctx, at, func(to asset.Key) error { return a.transfer(ctx, src, obj, to) })
	if err != nil {
		return "", fmt.Errorf("archive %s: %w", key.Quoted(), err)
	}
	return kept, nil
}
