package node

import (
	"context"
	"errors"
	"io"
	"iter"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// awaited is in the place of a share that did not answer when it was to be opened: it says so, whatever it is asked. [Node.look] opens the
// share as soon as it answers.
type awaited struct {
	dir string
	why error // wraps storage.ErrSilent
}

var (
	_ storage.Store       = awaited{}
	_ storage.FolderMaker = awaited{}
)

// openOrAwait is open for a place of drops, whose share may be away when the node starts: then what is opened says so until it is back.
func (s *stores) openOrAwait(ctx context.Context, where string, create bool) (*opened, error) {
	return s.openBy(where, func() (*opened, error) {
		o, err := s.reach(ctx, where, create)
		if !errors.Is(err, storage.ErrSilent) {
			return o, err
		}
		dir, err2 := StoreFolder(where)
		if err2 != nil {
			return nil, err
		}
		a := awaited{dir, err}
		return &opened{Store: a, raw: a, maker: a, closer: a, folder: dir, calls: s.paths.of(dir).calls}, nil
	})
}

// isAwaited reports whether it was not opened yet.
func (o *opened) isAwaited() bool {
	_, yes := o.raw.(awaited)
	return yes
}

func (a awaited) Properties() storage.Properties {
	return storage.Properties{URL: "file://" + a.dir, Kind: "a share", Remote: true}
}

func (a awaited) Stat(context.Context, asset.Key) (storage.Object, error) {
	return storage.Object{}, a.why
}

func (a awaited) List(_ context.Context, prefix asset.Key, _ storage.ListOptions) iter.Seq2[storage.Object, error] {
	return func(yield func(storage.Object, error) bool) { yield(storage.Object{Key: prefix}, a.why) }
}

func (a awaited) Open(context.Context, asset.Key, asset.Version) (storage.Reader, error) {
	return nil, a.why
}

func (a awaited) Stage(context.Context) (storage.Staged, error) { return nil, a.why }

func (a awaited) Put(context.Context, asset.Key, io.Reader, storage.PutOptions) (storage.Object, error) {
	return storage.Object{}, a.why
}

func (a awaited) Copy(context.Context, storage.Object, asset.Key, storage.PutOptions) (storage.Object, error) {
	return storage.Object{}, a.why
}

func (a awaited) Sync(context.Context, ...asset.Key) error { return a.why }

func (a awaited) Remove(context.Context, asset.Key, asset.Version) error { return a.why }

func (a awaited) Move(context.Context, storage.Object, asset.Key, storage.PutOptions) (storage.Object, error) {
	return storage.Object{}, a.why
}

func (a awaited) Writers(context.Context, asset.Key, asset.Version) (open, known bool, err error) {
	return false, false, a.why
}

func (a awaited) Space(context.Context) (free, total int64, err error) { return 0, 0, a.why }

func (a awaited) MakeFolder(context.Context, asset.Key) error { return a.why }

func (a awaited) Close() error { return nil }
