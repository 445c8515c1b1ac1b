package s3

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// limits of one store. Tests make them small.
type limits struct {
	memory   int64         // of a staging in memory; more is spooled
	stream   int64         // up to here a create-only copy goes through this machine: two requests instead of four
	parts    int64         // up to here an object is one PUT
	single   int64         // what one PUT may hold at most
	part     int64         // smallest part of an upload
	streamed int64         // first parts of a stream, and what it may come to without any
	copyPart int64         // what the server copies at once, small enough to answer in time
	claim    time.Duration // how old, by the server's clock, the claim of a move must be to be one of a dead process
	hints    int           // that wait for a slow receiver before they become one rescan
	hear     time.Duration // the server may take to tell of an object that was made to see whether it tells of any
	page     int           // names of a listing that are asked for at once
}

var defaultLimits = limits{
	memory: 1 << 20, stream: 8 << 20, parts: 64 << 20, single: 5 << 30, part: 16 << 20, streamed: 8 << 20, copyPart: 512 << 20,
	claim: 10 * time.Minute, hints: 4096, hear: 5 * time.Second, page: 1000,
}

// Put implements storage.Store: stage, publish, and nothing is left behind.
func (s *Store) Put(ctx context.Context, key asset.Key, r io.Reader, o storage.PutOptions) (obj storage.Object, err error) {
	if err := ended(ctx, "put", key); err != nil {
		return storage.Object{}, err
	}
	if _, err := s.newName(key); err != nil {
		return storage.Object{}, fail(ctx, "put", key, err)
	}
	t := s.stage()
	defer func() { err = errors.Join(err, t.Discard()) }()
	if _, err := io.Copy(t, storage.Reading(ctx, r)); err != nil {
		return storage.Object{}, fail(ctx, "put", key, err)
	}
	return t.Publish(ctx, key, o)
}

// publish gives bytes a name.
func (s *Store) publish(ctx context.Context, key asset.Key, b body, o storage.PutOptions) (storage.Object, error) {
	name, err := s.newName(key)
	if err != nil {
		return storage.Object{}, err
	}
	large := b.size > s.limits.parts
	switch {
	case o.IfVersion != "":
		return s.supersede(ctx, key, name, b, o)
	case o.IfAbsent && !s.promises.Create:
		return storage.Object{}, errNoCreate
	case o.IfAbsent && (!large || !s.promises.Complete):
		if b.size > s.limits.single {
			return storage.Object{}, fmt.Errorf("%d bytes are more than this server creates safely; it takes %d at once", b.size, s.limits.single)
		}
		return s.create(ctx, key, name, b, o.Brief)
	case large:
		return s.upload(ctx, key, name, b, o)
	}
	return s.replace(ctx, key, name, b, o.Brief)
}

// replace stores an object whatever is there. To repeat it is as good as to be late.
func (s *Store) replace(ctx context.Context, key asset.Key, name string, b body, brief bool) (storage.Object, error) {
	writer := rand.Text()
	var w written
	err := again(ctx, func() (err error) {
		w, err = s.send(ctx, name, b, writer, false)
		return err
	})
	if err != nil {
		return storage.Object{}, err
	}
	return s.made(ctx, key, w, writer, b.size, brief), nil
}
