package s3

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/minio/minio-go/v7"
)

// writerMeta is the user metadata that says who wrote an object: an id of one write.
const writerMeta = "Hotfolderd-Writer"

// askFirst is from which size on a conditional write asks before it sends its bytes.
const askFirst = 64 << 10

// body is bytes that can be sent more than once.
type body struct {
	io.ReaderAt
	size int64
	md5  string // in base64: the server refuses what was damaged on its way
}

func bodyOf(b []byte) body {
	sum := md5.Sum(b)
	return body{bytes.NewReader(b), int64(len(b)), base64.StdEncoding.EncodeToString(sum[:])}
}

// from is a reader of n bytes at an offset.
func (b body) from(off, n int64) io.Reader { return &ownReader{io.NewSectionReader(b, off, n)} }

// ownReader marks the errors of our own bytes.
type ownReader struct{ io.Reader }

func (r *ownReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = &sourceError{err}
	}
	return n, err
}

// written is what a server answered to a write.
type written struct {
	etag, versionID string
	date            time.Time // of the answer, by the server's clock
	server          string
}

// condition of a write; the zero value is none.
type condition struct {
	absent bool   // there must be no object
	etag   string // there must be one with this ETag
}

func (c condition) set(o *minio.PutObjectOptions) {
	if c.absent {
		o.SetMatchETagExcept("*")
	}
	if c.etag != "" {
		o.SetMatchETag(c.etag)
	}
}

// send is one PUT, tried once.
func (s *Store) send(ctx context.Context, name string, b body, writer string, ifAbsent bool) (w written, err error) {
	return s.sendIf(ctx, name, b, writer, condition{absent: ifAbsent})
}

// sendIf is send on any condition.
func (s *Store) sendIf(ctx context.Context, name string, b body, writer string, c condition) (w written, err error) {
	o := minio.PutObjectOptions{UserMetadata: map[string]string{writerMeta: writer}, DisableContentSha256: true}
	e := extra{answered: func(r *http.Response) {
		w.date, _ = http.ParseTime(r.Header.Get("Date"))
		w.server = r.Header.Get("Server")
	}}
	c.set(&o)
	if c != (condition{}) && b.size >= askFirst {
		e.header = http.Header{"Expect": {"100-continue"}}
	}
	info, err := s.client.PutObject(withExtra(ctx, e), s.at.bucket, name, b.from(0, b.size), b.size, b.md5, "", o)
	w.etag, w.versionID = info.ETag, info.VersionID
	return w, err
}
