package s3

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// supersede stores an object in place of one version. Most servers look at the version themselves, in the step that replaces it. With
// one that does not, those that write in place of a version have to get its claim first, as movers do.
func (s *Store) supersede(ctx context.Context, key asset.Key, name string, b body, o storage.PutOptions) (storage.Object, error) {
	large := b.size > s.limits.parts
	alone := !s.promises.PutIf || large && !s.promises.CompleteIf
	if !alone && !large {
		return s.replaceETag(ctx, key, name, b, o)
	}
	there, err := s.stillThere(ctx, key, o.IfVersion) // before all of it is sent for nothing
	if err != nil {
		return storage.Object{}, err
	}
	if alone {
		c, err := s.claim(ctx, there)
		if err != nil {
			return storage.Object{}, err
		}
		defer s.forget(ctx, c.key)
		if _, err := s.stillThere(ctx, key, o.IfVersion); err != nil {
			return storage.Object{}, err
		}
	}
	if large {
		return s.upload(ctx, key, name, b, o)
	}
	return s.replace(ctx, key, name, b, o.Brief)
}

// stillThere is the object, when it has that version.
func (s *Store) stillThere(ctx context.Context, key asset.Key, v asset.Version) (storage.Object, error) {
	there, err := s.Stat(ctx, key)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return there, errors.Join(storage.ErrChanged, err)
	case err != nil:
		return there, err
	}
	return there, wanted(there, v)
}

// replaceETag is one PUT that the server refuses when the object has another ETag. An answer that leaves it open who was first is
// settled as in create.
func (s *Store) replaceETag(ctx context.Context, key asset.Key, name string, b body, o storage.PutOptions) (storage.Object, error) {
	writer := rand.Text()
	for n := 1; ; n++ {
		w, err := s.sendIf(ctx, name, b, writer, condition{etag: etagOf(o.IfVersion)})
		if err == nil {
			return s.made(ctx, key, w, writer, b.size, o.Brief), nil
		}
		if !failed(err) && !absent(err) && !passing(ctx, err) {
			return storage.Object{}, err
		}
		info, whose := s.whose(ctx, key, writer)
		switch {
		case whose == ours:
			return object(key, info), nil
		case failed(err), absent(err), whose == nobodys, whose == theirs && object(key, info).Version != o.IfVersion:
			return storage.Object{}, storage.ErrChanged
		}
		if n == tries || !rest(ctx, n) {
			return storage.Object{}, err
		}
	}
}
