package s3

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/minio/minio-go/v7"
	"go.uber.org/zap"

	"hotfolderd/asset"
)

const (
	probeFolder = Private + "/probe"
	rivals      = 8
	// tidyTime bounds what is done after a caller's context ended.
	tidyTime = 10 * time.Second
)

// probing tries what a server keeps on objects of its own.
type probing struct {
	*Store
	key   asset.Key // of the object all tries are about
	etag  string
	first string // who wrote it
	id    string // of its version
	p     promises
}

// probe finds out what can be found out by trying. That a condition was honoured once does not say that it holds in a race; see
// [promises].
func (s *Store) probe(ctx context.Context) (promises, error) {
	t := &probing{Store: s, key: probeFolder.Join(asset.Key(rand.Text())), first: rand.Text()}
	defer t.clean(ctx)
	if err := t.write(ctx); err != nil {
		return promises{}, fmt.Errorf("write a small object to try the server: %w", meaning(err))
	}
	t.p.amazon = isAmazon(s.at.endpoint)
	for _, try := range []func(context.Context) error{t.create, t.rivals, t.complete, t.putIf, t.copy, t.remove, t.removeVersion} {
		if err := try(ctx); err != nil {
			return promises{}, fmt.Errorf("try what the server keeps: %w", meaning(err))
		}
	}
	s.log.Info("what the bucket keeps", zap.String("bucket", s.at.bucket), zap.Any("promises", t.p))
	return t.p, nil
}

func (t *probing) write(ctx context.Context) error {
	return again(ctx, func() error {
		w, err := t.send(ctx, t.name(t.key), bodyOf([]byte("first")), t.first, false)
		if err == nil {
			t.etag, t.id = w.etag, w.versionID
			t.p.Versions = w.versionID != "" && w.versionID != "null"
			t.p.Server = w.server
		}
		return err
	})
}

// stands reports whether the object is still the first one's.
func (t *probing) stands(ctx context.Context) (bool, error) {
	info, err := t.head(ctx, t.key)
	if absent(err) {
		return false, nil
	}
	return info.UserMetadata[writerMeta] == t.first, err
}

// refused reports whether a request that must not have changed anything was refused and changed nothing.
func (t *probing) refused(ctx context.Context, do func() error) (bool, error) {
	err := again(ctx, do)
	if err != nil {
		if _, ok := answered(err); !ok || passing(ctx, err) {
			return false, err
		}
	}
	stands, lookErr := t.stands(ctx)
	return failed(err) && stands, lookErr
}

func (t *probing) create(ctx context.Context) (err error) {
	t.p.Create, err = t.refused(ctx, func() error {
		_, err := t.send(ctx, t.name(t.key), bodyOf([]byte("second")), rand.Text(), true)
		return err
	})
	return err
}

// rivals lets several writers create one object at the same time.
func (t *probing) rivals(ctx context.Context) error {
	var won atomic.Int32
	var all sync.WaitGroup
	for range rivals {
		all.Go(func() {
			if _, err := t.send(ctx, t.name(t.key+"-rivals"), bodyOf([]byte("rival")), rand.Text(), true); err == nil {
				won.Add(1)
			}
		})
	}
	all.Wait()
	t.p.Create = t.p.Create && won.Load() <= 1
	return nil
}

// complete tries the conditions at the end of an upload in parts.
func (t *probing) complete(ctx context.Context) (err error) {
	if t.p.Complete, err = t.completes(ctx, condition{absent: true}); err != nil {
		return err
	}
	t.p.CompleteIf, err = t.completes(ctx, condition{etag: noETag})
	return err
}

// completes reports whether an upload in parts is refused at its end when a condition does not hold.
func (t *probing) completes(ctx context.Context, c condition) (refused bool, err error) {
	name := t.name(t.key)
	var id string
	err = again(ctx, func() (err error) {
		id, err = t.client.NewMultipartUpload(ctx, t.at.bucket, name, minio.PutObjectOptions{})
		return err
	})
	if _, ok := answered(err); ok && !passing(ctx, err) {
		return false, nil // a server without such uploads promises nothing about them
	}
	if err != nil {
		return false, err
	}
	defer t.abandon(ctx, name, id)
	var part minio.ObjectPart
	err = again(ctx, func() (err error) {
		part, err = t.client.PutObjectPart(ctx, t.at.bucket, name, id, 1, bytes.NewReader([]byte("part")), 4,
			minio.PutObjectPartOptions{DisableContentSha256: true})
		return err
	})
	if err != nil {
		return false, err
	}
	refused, err = t.refused(ctx, func() error {
		var o minio.PutObjectOptions
		c.set(&o)
		_, err := t.client.CompleteMultipartUpload(ctx, t.at.bucket, name, id, []minio.CompletePart{{PartNumber: 1, ETag: part.ETag}}, o)
		return err
	})
	if err == nil && !refused {
		return false, t.write(ctx) // the object was replaced
	}
	return refused, err
}

// putIf tries a PUT over a version that is not there, and one over the version that is: Ceph refuses both.
func (t *probing) putIf(ctx context.Context) error {
	refused, err := t.refused(ctx, func() error { return t.putOver(ctx, rand.Text(), noETag) })
	if err != nil {
		return err
	}
	if !refused {
		return t.write(ctx)
	}
	err = again(ctx, func() error { return t.putOver(ctx, t.first, t.etag) })
	t.p.PutIf = err == nil
	if failed(err) {
		return nil
	}
	return err
}

func (t *probing) putOver(ctx context.Context, writer, etag string) error {
	_, err := t.sendIf(ctx, t.name(t.key), bodyOf([]byte("first")), writer, condition{etag: etag})
	return err
}

// noETag is the ETag of no object.
const noETag = "00000000000000000000000000000000"

func (t *probing) copy(ctx context.Context) (err error) {
	to := minio.CopyDestOptions{Bucket: t.at.bucket, Object: t.name(t.key + "-copy")}
	t.p.CopyIf, err = t.refused(ctx, func() error {
		_, err := t.client.Client.CopyObject(ctx, to, minio.CopySrcOptions{Bucket: t.at.bucket, Object: t.name(t.key), MatchETag: noETag})
		return err
	})
	return err
}

// remove tries a removal under a condition that does not hold. Where versions are kept it would leave a mark, and nothing is to be
// gained.
func (t *probing) remove(ctx context.Context) (err error) {
	if t.p.Versions {
		return nil
	}
	t.p.RemoveIf, err = t.refused(ctx, func() error { return t.erase(ctx, t.name(t.key), "", noETag) })
	if err == nil && !t.p.RemoveIf {
		return t.write(ctx)
	}
	return err
}

// removeVersion tries whether a newer version can be taken away alone.
func (t *probing) removeVersion(ctx context.Context) error {
	if !t.p.Versions {
		return nil
	}
	older := t.first
	t.first = rand.Text()
	if err := t.write(ctx); err != nil {
		return err
	}
	if err := again(ctx, func() error { return t.erase(ctx, t.name(t.key), t.id, "") }); err != nil {
		return err
	}
	t.first = older
	stands, err := t.stands(ctx)
	t.p.RemoveVersion = stands
	return err
}

// erase deletes an object, or one version of it, or what has an ETag where the server looks at that.
func (s *Store) erase(ctx context.Context, name, versionID, etag string) error {
	if etag != "" {
		ctx = withExtra(ctx, extra{header: http.Header{"If-Match": {`"` + etag + `"`}}})
	}
	return s.client.RemoveObject(ctx, s.at.bucket, name, minio.RemoveObjectOptions{VersionID: versionID})
}

func (t *probing) clean(ctx context.Context) {
	t.promises = t.p
	for _, key := range []asset.Key{t.key, t.key + "-rivals", t.key + "-copy"} {
		t.forget(ctx, key)
	}
}
