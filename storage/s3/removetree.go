package s3

import (
	"context"

	"github.com/minio/minio-go/v7"

	"hotfolderd/asset"
)

// RemoveTree implements storage.TreeRemover with one request for many objects, and for all that is kept of them.
func (s *Store) RemoveTree(ctx context.Context, key asset.Key) error {
	if err := ended(ctx, "remove tree", key); err != nil {
		return err
	}
	if _, err := s.newName(key); err != nil {
		return fail(ctx, "remove tree", key, err)
	}
	return fail(ctx, "remove tree", key, again(ctx, func() error { return s.removeBelow(ctx, s.below(key)) }))
}

func (s *Store) removeBelow(ctx context.Context, below string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var listed error
	objects := make(chan minio.ObjectInfo)
	go func() {
		defer close(objects)
		o := minio.ListObjectsOptions{Prefix: below, Recursive: true, WithVersions: s.promises.Versions}
		for info := range s.client.ListObjectsIter(ctx, s.at.bucket, o) {
			if listed = info.Err; listed != nil {
				return
			}
			select {
			case objects <- info:
			case <-ctx.Done():
				return
			}
		}
	}()
	var refused error
	for e := range s.client.RemoveObjects(ctx, s.at.bucket, objects, minio.RemoveObjectsOptions{}) {
		if e.Err != nil && !absent(e.Err) && refused == nil {
			refused = e.Err
		}
	}
	cancel()
	for range objects { // its sender ends
	}
	if refused != nil {
		return refused
	}
	return listed
}
