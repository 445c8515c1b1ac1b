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
		return s.sendPart(ctx, name, id, n, b.from(off, size), size, base64.StdEncoding.EncodeToString(sum.Sum(nil)))
	}
	return s.inParts(ctx, key, name, b.size, s.limits.part, part, o)
}

// sendPart is one PUT of a part, tried once.
func (s *Store) sendPart(ctx context.Context, name, id string, n int, r io.Reader, size int64, md5 string) (minio.CompletePart, error) {
	p, err := s.client.PutObjectPart(ctx, s.at.bucket, name, id, n, r, size, minio.PutObjectPartOptions{DisableContentSha256: true, Md5Base64: md5})
	return minio.CompletePart{PartNumber: n, ETag: p.ETag}, err
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
	parts, arrived, err := u.parts(ctx, size, part, do)
	if err != nil {
		u.giveUp(ctx, arrived)
		return storage.Object{}, err
	}
	obj, err := u.complete(ctx, parts, size, o)
	if err != nil {
		u.abort(ctx)
	}
	return obj, err
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

// parts makes all parts, a few at a time. When one cannot be made or ctx ends, no other is begun, and those on their way are given some
// time: arrived reports whether nothing was cut.
func (u *running) parts(ctx context.Context, size, part int64, do partMaker) (made []minio.CompletePart, arrived bool, err error) {
	part = max(part, (size/maxParts+1<<20)>>20<<20)
	made = make([]minio.CompletePart, (size+part-1)/part)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	late, cut := storage.Lasting(ctx, tidyTime)
	defer cut()
	for i := range made {
		g.Go(func() error {
			off := int64(i) * part
			return again(ctx, func() (err error) {
				if err = context.Cause(ctx); err == nil {
					made[i], err = do(late, u.id, i+1, off, min(part, size-off))
				}
				return err
			})
		})
	}
	err = g.Wait()
	return made, late.Err() == nil, err
}

// complete is the step that shows the object. An answer that leaves it open what became of it is settled as in create. When it fails, what
// was sent is still there.
func (u *running) complete(ctx context.Context, parts []minio.CompletePart, size int64, o storage.PutOptions) (storage.Object, error) {
	only := condition{absent: o.IfAbsent}
	if u.s.promises.CompleteIf {
		only.etag = etagOf(o.IfVersion)
	}
	var opts minio.PutObjectOptions
	only.set(&opts)
	for n := 1; ; n++ {
		info, err := u.s.client.CompleteMultipartUpload(ctx, u.s.at.bucket, u.name, u.id, parts, opts)
		if err == nil {
			u.ended(ctx)
			return u.s.made(ctx, u.key, written{etag: info.ETag}, u.writer, size, o.Brief), nil
		}
		if !failed(err) && !passing(ctx, err) && !hasCode(err, codeNoUpload) {
			return storage.Object{}, err
		}
		there, whose := u.s.whose(ctx, u.key, u.writer)
		switch {
		case whose == ours:
			u.ended(ctx)
			return object(u.key, there), nil
		case whose == theirs && o.IfAbsent:
			return storage.Object{}, fs.ErrExist
		case failed(err) && only.etag != "":
			return storage.Object{}, storage.ErrChanged
		}
		if n == tries || hasCode(err, codeNoUpload) || !rest(ctx, n) {
			return storage.Object{}, fmt.Errorf("%w: %w", errUnknown, err)
		}
	}
}

// giveUp is abort when all parts have arrived or never will. One that a server is still taking when its upload is ended brings that back on
// some; so while any may be, the note stays, and the upload is given up again later.
func (u *running) giveUp(ctx context.Context, arrived bool) {
	if !arrived {
		u.s.log.Warn("an upload was not given up; it is found again later", zap.String("key", u.key.Shown()), zap.Error(errOnTheWay))
		return
	}
	u.abort(ctx)
}

// abort gives up what was sent. It also does so when the caller's context has ended.
func (u *running) abort(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyTime)
	defer cancel()
	if err := u.s.abandon(ctx, u.name, u.id); err != nil {
		u.s.log.Warn("an upload was not given up; it is found again later", zap.String("key", u.key.Shown()), zap.Error(plain(err)))
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
		u.s.log.Warn("the note of an upload was left", zap.String("key", u.key.Shown()), zap.Error(plain(err)))
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
