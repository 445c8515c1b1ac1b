package cluster_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"hotfolderd/storage/s3/s3test"
)

// bucketTree is a prefix of a bucket, by the bare client of the server.
type bucketTree struct {
	t              testing.TB
	client         *minio.Client
	bucket, prefix string // the prefix ends in a slash, or is empty
	where, options string
}

// newBucketTree makes a bucket on a server: one that keeps versions where the server removes one of them for certain, else one
// without, whose risk the settings accept.
func newBucketTree(t testing.TB, s *s3test.Server, prefix string) *bucketTree {
	t.Helper()
	if s.Name == "minio" {
		return treeIn(t, s, s.VersionedBucket(t), prefix, "")
	}
	return treeIn(t, s, s.Bucket(t), prefix, ", accept_risk: true")
}

// treeIn is a prefix of a bucket that is there.
func treeIn(t testing.TB, s *s3test.Server, bucket, prefix, more string) *bucketTree {
	t.Helper()
	b := &bucketTree{t: t, client: bareClient(t, s), bucket: bucket, where: s.URL(bucket, prefix)}
	b.options = fmt.Sprintf(", credentials_file: %q%s", s3test.Credentials(t), more)
	if prefix != "" {
		b.prefix = prefix + "/"
	}
	return b
}

func bareClient(t testing.TB, s *s3test.Server) *minio.Client {
	t.Helper()
	c, err := minio.New(s.Addr, &minio.Options{
		Creds: credentials.NewStaticV4(s3test.AccessKey, s3test.SecretKey, ""), Region: "us-east-1", MaxRetries: 1,
		Transport: &http.Transport{MaxIdleConnsPerHost: 16},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (b *bucketTree) url() string  { return b.where }
func (b *bucketTree) more() string { return b.options }

func (b *bucketTree) add(path, text string) error { return b.put(path, text, minio.PutObjectOptions{}) }

func (b *bucketTree) put(path, text string, o minio.PutObjectOptions) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	o.DisableMultipart = true
	_, err := b.client.PutObject(ctx, b.bucket, b.prefix+path, strings.NewReader(text), int64(len(text)), o)
	return err
}

// replace creates the object where there is none, else replaces the one that has the bytes before, until one of the two holds.
func (b *bucketTree) replace(path, text, before string) (covered bool, err error) {
	var absent, same minio.PutObjectOptions
	absent.SetMatchETagExcept("*")
	same.SetMatchETag(etagOf(before))
	for range 100 {
		o := absent
		if covered = b.has(path); covered {
			o = same
		}
		err = b.put(path, text, o)
		if code := minio.ToErrorResponse(err).StatusCode; code == http.StatusPreconditionFailed || code == http.StatusNotFound {
			continue
		}
		if err == nil || b.holds(path, text) { // a server that refuses may reset the connection, and nobody knows
			return covered, nil
		}
	}
	return false, fmt.Errorf("%s neither is there nor is it not: %w", path, err)
}

func etagOf(text string) string {
	sum := md5.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

// holds reports whether any version of an object has these bytes.
func (b *bucketTree) holds(path, text string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for o := range b.client.ListObjects(ctx, b.bucket, minio.ListObjectsOptions{Prefix: b.prefix + path, WithVersions: true}) {
		if o.Err == nil && o.ETag == etagOf(text) {
			return true
		}
	}
	return false
}

func (b *bucketTree) has(path string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, err := b.client.StatObject(ctx, b.bucket, b.prefix+path, minio.StatObjectOptions{})
	return minio.ToErrorResponse(err).StatusCode != http.StatusNotFound
}

func (b *bucketTree) list(folder string) (all []string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	below := b.prefix
	if folder != "" {
		below += folder + "/"
	}
	for o := range b.client.ListObjects(ctx, b.bucket, minio.ListObjectsOptions{Prefix: below, Recursive: true}) {
		switch {
		case o.Err != nil:
			return append(all, "not to be listed: "+o.Err.Error())
		case !strings.HasSuffix(o.Key, "/"): // somebody's mark of a folder
			all = append(all, strings.TrimPrefix(o.Key, b.prefix))
		}
	}
	return all
}

func (b *bucketTree) read(path string) ([]byte, time.Time, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	o, err := b.client.GetObject(ctx, b.bucket, b.prefix+path, minio.GetObjectOptions{})
	if err != nil {
		return nil, time.Time{}, err
	}
	defer o.Close()
	var data bytes.Buffer
	_, err = io.Copy(&data, o)
	info, serr := o.Stat()
	return data.Bytes(), info.LastModified, errors.Join(err, serr)
}
