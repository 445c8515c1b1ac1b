package s3

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"

	"github.com/minio/minio-go/v7"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// errUnknown: a create was sent, more than once, and the server neither confirms nor shows it.
var errUnknown = errors.New("it is not known whether it was created")

// create stores an object if there is none, in one PUT. An answer that leaves it open who won is settled by asking the object who
// wrote it; when there is none, the same create is sent again, since the first may still arrive.
func (s *Store) create(ctx context.Context, key asset.Key, name string, b body, brief bool) (storage.Object, error) {
	writer := rand.Text()
	for n := 1; ; n++ {
		w, err := s.send(ctx, name, b, writer, true)
		if err == nil {
			return s.made(ctx, key, w, writer, b.size, brief), nil
		}
		if !failed(err) && !passing(ctx, err) {
			return storage.Object{}, err
		}
		info, whose := s.whose(ctx, key, writer)
		switch whose {
		case ours:
			return object(key, info), nil
		case theirs:
			return storage.Object{}, fs.ErrExist
		}
		if n == tries || !rest(ctx, n) {
			return storage.Object{}, unknown(err)
		}
	}
}

// unknown is the end of a create whose last try had this answer.
func unknown(err error) error {
	if hasCode(err, codeIsFolder) {
		return err // so it says each time
	}
	return fmt.Errorf("%w: %w", errUnknown, err)
}

type owner int

const (
	nobodys owner = iota // that is not final
	ours
	theirs
	hidden // it could not be asked
)

// whose asks an object who wrote it.
func (s *Store) whose(ctx context.Context, key asset.Key, writer string) (minio.ObjectInfo, owner) {
	info, err := s.head(ctx, key)
	switch {
	case absent(err):
		return info, nobodys
	case err != nil:
		return info, hidden
	case info.UserMetadata[writerMeta] == writer:
		return info, ours
	}
	return info, theirs
}

// made is the object that a write came to. Its second is known by asking; when it has been replaced or removed by then, the date of
// the answer stands for it.
func (s *Store) made(ctx context.Context, key asset.Key, w written, writer string, size int64, brief bool) storage.Object {
	if brief {
		return storage.Object{Key: key, Size: size}
	}
	info, whose := s.whose(ctx, key, writer)
	if whose == ours {
		return object(key, info)
	}
	return object(key, minio.ObjectInfo{ETag: w.etag, Size: size, LastModified: cmp.Or(w.date, info.LastModified)})
}
