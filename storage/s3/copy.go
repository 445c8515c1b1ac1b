package s3

import (
	"context"
	"errors"
	"io"

	"github.com/minio/minio-go/v7"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// Copy implements storage.Store. The server copies, unless the copy is small and must be the only one: no server looks at both ends of
// a copy, so those bytes go through this machine.
func (s *Store) Copy(ctx context.Context, src storage.Object, dst asset.Key, o storage.PutOptions) (storage.Object, error) {
	if err := ended(ctx, "copy", src.Key); err != nil {
		return storage.Object{}, err
	}
	obj, err := s.copy(ctx, src, dst, o)
	return obj, fail(ctx, "copy", src.Key, err)
}

func (s *Store) copy(ctx context.Context, src storage.Object, dst asset.Key, o storage.PutOptions) (storage.Object, error) {
	name, err := s.newName(dst)
	if err != nil {
		return storage.Object{}, err
	}
	if src.Version == "" {
		if src, err = s.Stat(ctx, src.Key); err != nil {
			return storage.Object{}, err
		}
	}
	etag := etagOf(src.Version)
	switch byServer := s.promises.CopyIf && etag != "" && src.Key != dst && s.findable(src.Key); {
	case byServer && !o.IfAbsent && src.Size <= s.limits.copyPart:
		return s.copyWhole(ctx, src, dst, name, etag)
	case byServer && src.Size > s.limits.stream && (!o.IfAbsent || s.promises.Complete && s.promises.Create):
		return s.copyParts(ctx, src, dst, name, etag, o)
	}
	return s.carry(ctx, src, dst, o)
}

// copyWhole is one request.
func (s *Store) copyWhole(ctx context.Context, src storage.Object, dst asset.Key, name, etag string) (storage.Object, error) {
	var info minio.UploadInfo
	err := again(ctx, func() (err error) {
		info, err = s.client.Client.CopyObject(ctx, minio.CopyDestOptions{Bucket: s.at.bucket, Object: name},
			minio.CopySrcOptions{Bucket: s.at.bucket, Object: s.name(src.Key), MatchETag: etag})
		return err
	})
	if failed(err) {
		err = storage.ErrChanged
	}
	if err != nil {
		return storage.Object{}, err
	}
	return object(dst, minio.ObjectInfo{ETag: info.ETag, Size: src.Size, LastModified: info.LastModified}), nil
}

// copyParts lets the server copy piece by piece, so that each is done in time and the last step can be made to have one winner.
func (s *Store) copyParts(ctx context.Context, src storage.Object, dst asset.Key, name, etag string, o storage.PutOptions) (
	storage.Object, error,
) {
	condition := map[string]string{"x-amz-copy-source-if-match": etag}
	part := func(ctx context.Context, id string, n int, off, size int64) (minio.CompletePart, error) {
		p, err := s.client.CopyObjectPart(ctx, s.at.bucket, s.name(src.Key), s.at.bucket, name, id, n, off, size, condition)
		if failed(err) {
			err = storage.ErrChanged
		}
		return p, err
	}
	return s.inParts(ctx, dst, name, src.Size, s.limits.copyPart, part, o)
}

// carry reads the source and publishes what was read.
func (s *Store) carry(ctx context.Context, src storage.Object, dst asset.Key, o storage.PutOptions) (obj storage.Object, err error) {
	r, err := s.open(ctx, src.Key, src.Version)
	if err != nil {
		return storage.Object{}, err
	}
	t := s.stage()
	defer func() { err = errors.Join(err, t.Discard(), r.Close()) }()
	if _, err := io.Copy(t, r); err != nil {
		return storage.Object{}, err
	}
	return t.Publish(ctx, dst, o)
}
