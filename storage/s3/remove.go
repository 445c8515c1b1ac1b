package s3

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"github.com/minio/minio-go/v7"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// Remove implements storage.Store. Where the bucket keeps versions, one of them is deleted by its id, and nothing else can be hit;
// otherwise see [storage.Properties].RemoveRaces.
func (s *Store) Remove(ctx context.Context, key asset.Key, v asset.Version) error {
	if err := ended(ctx, "remove", key); err != nil {
		return err
	}
	return fail(ctx, "remove", key, s.remove(ctx, key, v))
}

func (s *Store) remove(ctx context.Context, key asset.Key, v asset.Version) error {
	name, err := s.newName(key)
	switch {
	case errors.Is(err, asset.ErrKey) && s.findable(key):
		name = s.name(key) // it cannot be written, but somebody else's may be there
	case errors.Is(err, asset.ErrKey) && key != asset.Root:
		return fs.ErrNotExist
	case err != nil:
		return err
	}
	look := s.lookPlain
	if s.promises.Versions {
		look = s.lookVersions
	}
	return s.takeAway(ctx, key, name, v, look)
}

// sight is what stands under a name, and how to take it away.
type sight struct {
	storage.Object
	ids  []string // of the version and of those that would come back without it, in the order to delete them; none: no versions
	etag string
}

// looker looks at what stands under a name.
type looker func(ctx context.Context, key asset.Key, name string) (sight, error)

// takeAway looks and removes, again after an answer that does not say what became of it. When nothing is left then, it was us.
func (s *Store) takeAway(ctx context.Context, key asset.Key, name string, v asset.Version, look looker) error {
	sent := false
	for n := 1; ; n++ {
		there, err := look(ctx, key, name)
		switch {
		case absent(err) && sent:
			return nil
		case err != nil:
			return err
		}
		if err := wanted(there.Object, v); err != nil {
			return err
		}
		err = s.eraseSight(ctx, name, there)
		switch {
		case absent(err):
			return nil // another one removed it at this moment
		case err == nil || !failed(err) && !passing(ctx, err) && !gone(err):
			return err
		}
		sent = sent || !failed(err)
		if n == tries || !rest(ctx, n) {
			return err
		}
	}
}

// gone reports whether a version was refused that others may have removed a moment ago: looking again tells.
func gone(err error) bool { return hasCode(err, codeNoVersion) || hasCode(err, "InvalidArgument") }

func (s *Store) eraseSight(ctx context.Context, name string, there sight) error {
	if len(there.ids) == 0 {
		return s.erase(ctx, name, "", there.etag)
	}
	for _, id := range there.ids {
		if id == "" { // without one it would be hidden instead, together with whatever is newer
			return errors.New("the server lists a version without its id")
		}
		if err := s.erase(ctx, name, id, ""); err != nil {
			return err
		}
	}
	return nil
}

// lookPlain looks at the object. Its ETag becomes a condition of the removal where the server knows such.
func (s *Store) lookPlain(ctx context.Context, key asset.Key, _ string) (sight, error) {
	info, err := s.head(ctx, key)
	if err != nil {
		return sight{}, err
	}
	there := sight{Object: object(key, info)}
	if s.promises.RemoveIf {
		there.etag = info.ETag
	}
	return there, nil
}

// lookVersions looks at the versions of an object: the newest, and those that it replaced, back to where the object was deleted. These
// go first, the oldest before the others, so that whatever breaks off nothing older ever comes back.
func (s *Store) lookVersions(ctx context.Context, key asset.Key, name string) (there sight, err error) {
	err = again(ctx, func() error {
		there = sight{}
		return s.eachVersion(ctx, name, func(info minio.ObjectInfo) bool {
			if info.IsDeleteMarker {
				return false
			}
			if len(there.ids) == 0 {
				there.Object = object(key, info)
			}
			there.ids = append(there.ids, info.VersionID)
			return true
		})
	})
	if err == nil && len(there.ids) == 0 {
		err = fs.ErrNotExist
	}
	slices.Reverse(there.ids)
	return there, err
}

// eachVersion calls do with each version of one object, the newest first, while it wants more.
func (s *Store) eachVersion(ctx context.Context, name string, do func(minio.ObjectInfo) bool) error {
	o := minio.ListObjectsOptions{Prefix: name, Recursive: true, WithVersions: true, MaxKeys: versionsPage}
	for info := range s.client.ListObjectsIter(ctx, s.at.bucket, o) {
		if info.Err != nil {
			return info.Err
		}
		if info.Key != name || !do(info) {
			return nil
		}
	}
	return ctx.Err()
}

// versionsPage is small: most objects have one version, and the names that follow are not asked for.
const versionsPage = 20

// eraseAll deletes an object of our own with everything that is kept of it.
func (s *Store) eraseAll(ctx context.Context, name string, versions bool) error {
	if !versions {
		return again(ctx, func() error { return s.erase(ctx, name, "", "") })
	}
	return again(ctx, func() error {
		var ids []string
		err := s.eachVersion(ctx, name, func(info minio.ObjectInfo) bool {
			ids = append(ids, info.VersionID)
			return true
		})
		for _, id := range ids {
			err = errors.Join(err, s.erase(ctx, name, id, ""))
		}
		return err
	})
}
