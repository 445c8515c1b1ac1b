package s3

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"hotfolderd/asset"
)

// Tidy takes away what processes that died left below [Private] and that is older, by the server's clock, than age: uploads are given
// up, claims and trials deleted. An upload is as old as its newest part. A day is right, or as long as streams are kept that were left.
// It returns how many things it took away. Any node may call it at any time; nobody needs to.
func (s *Store) Tidy(ctx context.Context, age time.Duration) (n int, err error) {
	if err := ended(ctx, "tidy", Private); err != nil {
		return 0, err
	}
	if s.readOnly {
		return 0, errReadOnly
	}
	var now time.Time
	ctx = withExtra(ctx, extra{answered: func(r *http.Response) {
		if t, err := http.ParseTime(r.Header.Get("Date")); err == nil {
			now = t
		}
	}})
	var errs []error
	for info := range s.client.ListObjectsIter(ctx, s.at.bucket, minio.ListObjectsOptions{Prefix: s.below(Private), Recursive: true}) {
		if info.Err != nil {
			errs = append(errs, info.Err)
			break
		}
		if max(0, now.Sub(info.LastModified)) < age { // a server's clock may lag behind its own marks
			continue
		}
		took, err := s.tidyAway(ctx, info.Key, now.Add(-age))
		if err != nil {
			errs = append(errs, err)
		}
		if took {
			n++
		}
	}
	return n, fail(ctx, "tidy", Private, errors.Join(append(errs, ctx.Err())...))
}

// tidyAway takes one thing away, and ends the upload that it is a note of, unless that has grown since.
func (s *Store) tidyAway(ctx context.Context, name string, since time.Time) (took bool, err error) {
	if strings.HasPrefix(name, s.below(uploadsFolder)) {
		n, err := s.noted(ctx, asset.Key(strings.TrimPrefix(name, s.at.prefix)))
		if absent(err) {
			return false, nil
		}
		grown := false
		if err == nil {
			grown, err = s.grown(ctx, n, since)
		}
		if err == nil && !grown {
			err = s.abandon(ctx, n.Name, n.ID)
		}
		if err != nil || grown {
			return false, err
		}
	}
	err = s.eraseAll(ctx, name, s.promises.Versions)
	return err == nil, err
}

// grown reports whether an upload has parts that are newer than that.
func (s *Store) grown(ctx context.Context, n note, since time.Time) (grown bool, err error) {
	up := &running{s: s, name: n.Name, id: n.ID}
	err = up.eachPart(ctx, func(p minio.ObjectPart) bool {
		grown = p.LastModified.Truncate(time.Second).After(since) // as the server tells its time
		return !grown
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return grown, err
}

// noted reads the note of an upload. It never leads out of the store.
func (s *Store) noted(ctx context.Context, key asset.Key) (n note, err error) {
	r, err := s.open(ctx, key, "")
	if err != nil {
		return n, err
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, 8<<10))
	if err == nil {
		err = json.Unmarshal(b, &n)
	}
	if err != nil {
		return n, fmt.Errorf("note %s: %w", key.Quoted(), err)
	}
	if !strings.HasPrefix(n.Name, s.at.prefix) {
		return n, fmt.Errorf("note %s is about another store", key.Quoted())
	}
	return n, nil
}
