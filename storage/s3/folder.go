package s3

import (
	"context"
	"crypto/rand"

	"github.com/minio/minio-go/v7"

	"hotfolderd/asset"
)

// MakeFolder implements storage.FolderMaker with an empty object whose name ends in a slash, as people's tools make it: so a folder
// without drops is there too.
func (s *Store) MakeFolder(ctx context.Context, key asset.Key) error {
	if err := ended(ctx, "make folder", key); err != nil {
		return err
	}
	if key == asset.Root {
		return nil
	}
	return fail(ctx, "make folder", key, s.makeFolder(ctx, key))
}

func (s *Store) makeFolder(ctx context.Context, key asset.Key) error {
	name, err := s.newName(key)
	if err != nil {
		return err
	}
	name += "/"
	return again(ctx, func() error {
		_, err := s.client.StatObject(ctx, s.at.bucket, name, minio.StatObjectOptions{})
		if absent(err) {
			_, err = s.send(ctx, name, bodyOf(nil), rand.Text(), false)
		}
		return err
	})
}
