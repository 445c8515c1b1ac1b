package s3

import (
	"context"
	"crypto/rand"
	"io/fs"

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

// RemoveFolder implements storage.FolderRemover for folders that MakeFolder, or people's tools, made. Something may come into it in
// the same moment, and stays.
func (s *Store) RemoveFolder(ctx context.Context, key asset.Key) error {
	if err := ended(ctx, "remove folder", key); err != nil {
		return err
	}
	return fail(ctx, "remove folder", key, s.removeFolder(ctx, key))
}

func (s *Store) removeFolder(ctx context.Context, key asset.Key) error {
	name, err := s.newName(key)
	if err != nil {
		return err
	}
	name += "/"
	var there, filled bool
	err = again(ctx, func() error {
		there, filled = false, false
		for info := range s.client.ListObjectsIter(ctx, s.at.bucket, minio.ListObjectsOptions{Prefix: name, Recursive: true, MaxKeys: 2}) {
			if info.Err != nil {
				return info.Err
			}
			there = true
			if filled = info.Key != name; filled {
				return nil
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case filled:
		return fs.ErrExist
	case !there:
		return fs.ErrNotExist
	}
	return s.eraseAll(ctx, name, s.promises.Versions)
}
