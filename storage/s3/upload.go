package s3

import (
	"context"
	"crypto/md5"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/minio/minio-go/v7"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

const (
	uploadsFolder = Private + "/uploads"
	atOnce        = 3    // parts that are on their way
	maxParts      = 9000 // of 10,000 that servers take
)

// upload stores a large object in parts.
func (s *Store) upload(ctx context.Context, key asset.Key, name string, b body, o storage.PutOptions) (storage.Object, error) {
	part := func(ctx context.Context, id string, n int, off, size int64) (minio.CompletePart, error) {
		sum := md5.New()
		if _, err := io.Copy(sum, b.from(off, size)); err != nil {
			return minio.CompletePart{}, err
		}
		p, err := s.client.PutObjectPart(ctx, s.at.bucket, name, id, n, b.from(off, size), size, minio.PutObjectPartOptions{
			DisableContentSha256: true, Md5Base64: base64.StdEncoding.EncodeToString(sum.Sum(nil)),
		})
		return minio.CompletePart{PartNumber: n, ETag: p.ETag}, err
	}
	return s.inParts(ctx, key, name, b.size, s.limits.part, part, o)
}

// partMaker sends or copies one part of an upload. It may be repeated.
type partMaker func(ctx context.Context, id string, n int, off, size int64) (minio.CompletePart, error)

// running is an upload that was begun, and the note that says so.
type running struct {
	s      *Store
	key    asset.Key
	name   string
	writer string
	id     string
	noteID string // of the version of the note
}

// note is what is kept of an upload until it ends, so that one whose process died is found.
type note struct {
	Name string `json:"name"`
	ID   string `json:"id"`
}

// inParts makes an object of parts. It can be seen when the last step is done, whole; with IfAbsent that step has one winner.
func (s *Store) inParts(ctx context.Context, key asset.Key, name string, size, part int64, do partMaker, o storage.PutOptions) (
	storage.Object, error,
) {
	if o.IfAbsent {
		if _, err := s.head(ctx, key); !absent(err) {
			return storage.Object{}, orExists(err) // before all of it is sent for nothing
		}
	}
	u := &running{s: s, key: key, name: name, writer: rand.Text()}
	if err := u.begin(ctx); err != nil {
		return storage.Object{}, err
	}
	parts, err := u.parts(ctx, size, part, do)
	if err != nil {
		u.abort(ctx)
		return storage.Object{}, err
	}
	return u.complete(ctx, parts, size, o)
}

func orExists(err error) error {
	if err == nil {
		return fs.ErrExist
	}
	return err
}

// begin starts the upload, and notes it before anything is sent.
func (u *running) begin(ctx context.Context) error {
	err := again(ctx, func() (err error) {
		u.id, err = u.s.client.NewMultipartUpload(ctx, u.s.at.bucket, u.name, minio.PutObjectOptions{UserMetadata: map[string]string{writerMeta: u.writer}})
		return err
	})
	if err != nil {
		return err
	}
	text, err := json.Marshal(note{Name: u.name, ID: u.id})
	if err == nil {
		err = again(ctx, func() error {
			w, err := u.s.send(ctx, u.s.name(u.noteKey()), bodyOf(text), u.writer, false)
			u.noteID = w.versionID
			return err
		})
	}
	if err != nil {
		u.abort(ctx)
	}
	return err
}

func (u *running) noteKey() asset.Key { return uploadsFolder.Join(asset.Key(u.writer)) }

func (u *running) parts(ctx context.Context, size, part int64, do partMaker) ([]minio.CompletePart, error) {
	part = max(part, (size/maxParts+1<<20)>>20<<20)
	made := make([]minio.CompletePart, (size+part-1)/part)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for i := range made {
		g.Go(func() error {
			off := int64(i) * part
			return again(ctx, func() (err error) {
				made[i], err = do(ctx, u.id, i+1, off, min(part, size-off))
				return err
			})
		})
	}
	return made, g.Wait()
}

// complete is the step that shows the object. An answer that leaves it open what became of it is settled as in create.
func (u *running) complete(ctx context.Context, parts []minio.CompletePart, size int64, o storage.PutOptions) (storage.Object, error) {
	var opts minio.PutObjectOptions
	if o.IfAbsent {
		opts.SetMatchETagExcept("*")
	}
	for n := 1; ; n++ {
		info, err := u.s.client.CompleteMultipartUpload(ctx, u.s.at.bucket, u.name, u.id, parts, opts)
		if err == nil {
			u.ended(ctx)
			return u.s.made(ctx, u.key, written{etag: info.ETag}, u.writer, size, o.Brief), nil
		}
		if !failed(err) && !passing(ctx, err) && !hasCode(err, codeNoUpload) {
			u.abort(ctx)
			return storage.Object{}, err
		}
		there, whose := u.s.whose(ctx, u.key, u.writer)
		switch {
		case whose == ours:
			u.ended(ctx)
			return object(u.key, there), nil
		case whose == theirs && o.IfAbsent:
			u.abort(ctx)
			return storage.Object{}, fs.ErrExist
		}
		if n == tries || hasCode(err, codeNoUpload) || !rest(ctx, n) {
			u.abort(ctx)
			return storage.Object{}, fmt.Errorf("%w: %w", errUnknown, err)
		}
	}
}

// abort gives up what was sent. It also does so when the caller's context has ended.
func (u *running) abort(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyTime)
	defer cancel()
	if err := u.s.abandon(ctx, u.name, u.id); err != nil {
		u.s.log.Warn("an upload was not given up; it is found again later", zap.String("key", u.key.Quoted()), zap.Error(plain(err)))
		return
	}
	u.ended(ctx)
}

// ended takes the note away.
func (u *running) ended(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyTime)
	defer cancel()
	err := again(ctx, func() error { return u.s.erase(ctx, u.s.name(u.noteKey()), u.noteID, "") })
	if err != nil {
		u.s.log.Warn("the note of an upload was left", zap.String("key", u.key.Quoted()), zap.Error(plain(err)))
	}
}

// abandon ends an upload without an object. One that has ended already is no error.
func (s *Store) abandon(ctx context.Context, name, id string) error {
	err := again(ctx, func() error { return s.client.AbortMultipartUpload(ctx, s.at.bucket, name, id) })
	if hasCode(err, codeNoUpload) || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
