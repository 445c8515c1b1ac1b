package s3

import (
	"context"
	"io/fs"

	"github.com/minio/minio-go/v7"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// Stat implements storage.Store. Only objects have an answer, and the root.
func (s *Store) Stat(ctx context.Context, key asset.Key) (storage.Object, error) {
	if err := ended(ctx, "stat", key); err != nil {
		return storage.Object{}, err
	}
	if key == asset.Root {
		return storage.Object{Kind: storage.Directory}, nil
	}
	info, err := s.head(ctx, key)
	if err != nil {
		return storage.Object{}, fail(ctx, "stat", key, err)
	}
	return object(key, info), nil
}

// head asks for an object without its bytes, and asks again when the answer does not come.
func (s *Store) head(ctx context.Context, key asset.Key) (info minio.ObjectInfo, err error) {
	if !s.findable(key) {
		return info, fs.ErrNotExist
	}
	err = again(ctx, func() error {
		info, err = s.client.StatObject(ctx, s.at.bucket, s.name(key), minio.StatObjectOptions{})
		return err
	})
	return info, err
}
