package node

import (
	"context"
	"errors"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
	"hotfolderd/storage/guard"
)

// What follows is what an opened store can do beyond the contract. Calls to a share are bounded, as all are.

// makeFolder makes a folder for people to drop into.
func (o *opened) makeFolder(ctx context.Context, key asset.Key) error {
	if key == asset.Root {
		return nil
	}
	return o.MakeFolder(ctx, key)
}

// Watch passes hints through the wrapping, if that can.
func (o *opened) Watch(ctx context.Context, prefix asset.Key, how storage.WatchOptions) (<-chan storage.Hint, error) {
	w, ok := o.Store.(storage.Watcher)
	if !ok {
		return nil, errors.New("this store sends no events")
	}
	return w.Watch(ctx, prefix, how)
}

// MakeFolder implements storage.FolderMaker.
func (o *opened) MakeFolder(ctx context.Context, key asset.Key) error {
	return o.calls.Do(ctx, func() error { return o.maker.MakeFolder(ctx, key) })
}

// RemoveFolder implements storage.FolderRemover.
func (o *opened) RemoveFolder(ctx context.Context, key asset.Key) error {
	r, ok := o.raw.(storage.FolderRemover)
	if !ok {
		return errors.ErrUnsupported
	}
	return o.calls.Do(ctx, func() error { return r.RemoveFolder(ctx, key) })
}

// MoveFolder implements storage.FolderMover; errors.ErrUnsupported for a bucket.
func (o *opened) MoveFolder(ctx context.Context, from, to asset.Key) error {
	m, ok := o.raw.(storage.FolderMover)
	if !ok {
		return errors.ErrUnsupported
	}
	return o.calls.Do(ctx, func() error { return m.MoveFolder(ctx, from, to) })
}

// RemoveTree implements storage.TreeRemover.
func (o *opened) RemoveTree(ctx context.Context, key asset.Key) error {
	r, ok := o.raw.(storage.TreeRemover)
	if !ok {
		return errors.ErrUnsupported
	}
	return o.calls.Do(ctx, func() error { return r.RemoveTree(ctx, key) })
}

// Exclude implements storage.Excluder; where the store needs none, it is nothing.
func (o *opened) Exclude(ctx context.Context, key asset.Key) (release func(), err error) {
	x, ok := o.raw.(storage.Excluder)
	if !ok {
		return func() {}, nil
	}
	return o.calls.Exclude(ctx, func() (func(), error) { return x.Exclude(ctx, key) })
}

// renaming is the Rename of a store that has one.
func (o *opened) renaming(r renamer) func(context.Context, storage.Object, asset.Key, storage.PutOptions) (storage.Object, error) {
	return func(ctx context.Context, src storage.Object, dst asset.Key, p storage.PutOptions) (storage.Object, error) {
		return guard.Call(ctx, o.calls, func() (storage.Object, error) { return r.Rename(ctx, src, dst, p) }, nil)
	}
}

// dating is the SetTime of a store that has one.
func (o *opened) dating(d dater) func(context.Context, storage.Object, time.Time) (storage.Object, error) {
	return func(ctx context.Context, at storage.Object, t time.Time) (storage.Object, error) {
		return guard.Call(ctx, o.calls, func() (storage.Object, error) { return d.SetTime(ctx, at, t) }, nil)
	}
}
