package s3

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"strings"
	"unicode/utf8"

	"github.com/minio/minio-go/v7"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// afterAll follows everything below a name that ends in a slash, and precedes everything else.
const afterAll = "\U0010FFFF"

// List implements storage.Store, in the order of bytes. It holds one page of 1,000 names at a time. A folder that is not to be entered
// is passed over after a page's worth of it.
func (s *Store) List(ctx context.Context, prefix asset.Key, o storage.ListOptions) iter.Seq2[storage.Object, error] {
	return func(yield func(storage.Object, error) bool) {
		if err := ended(ctx, "list", prefix); err != nil {
			yield(storage.Object{Key: prefix}, err)
			return
		}
		l := lister{s: s, ctx: ctx, prefix: prefix, below: s.below(prefix), o: o, yield: yield}
		if err := l.run(); err != nil {
			yield(storage.Object{Key: prefix}, fail(ctx, "list", prefix, err))
		}
	}
}

type lister struct {
	s      *Store
	ctx    context.Context //nolint:containedctx // lives as long as one call of List
	prefix asset.Key
	below  string // what all names begin with
	o      storage.ListOptions
	yield  func(storage.Object, error) bool

	found   bool      // something is below the prefix
	after   string    // the last name that was told
	dir     asset.Key // of the last name that was told
	outside string    // what names begin with that are passed over; empty: none
	passed  int       // so many of them
}

// errEnough ends a listing whose caller wants no more.
var errEnough = errors.New("enough")

// errOver begins a listing again behind a folder that is passed over.
var errOver = errors.New("passed over")

// run lists page after page. A page that does not come is asked for again, behind what was told.
func (l *lister) run() error {
	if !utf8.ValidString(l.below) || len(l.below) > maxName {
		return l.missing()
	}
	if !l.startAfter() {
		return nil
	}
	for n := 1; ; n++ {
		before := l.after
		err := l.pages()
		switch {
		case errors.Is(err, errEnough):
			return nil
		case errors.Is(err, errOver):
			l.after, l.outside, n = l.outside+afterAll, "", 0
			continue
		case err == nil:
			return l.missing()
		}
		if l.after != before {
			n = 1
		}
		if n == tries || !passing(l.ctx, err) || !rest(l.ctx, n) {
			return err
		}
	}
}

// startAfter reports whether anything can be left behind where the listing is to begin.
func (l *lister) startAfter() bool {
	after := l.s.name(l.o.StartAfter)
	if l.o.StartAfter == asset.Root || after < l.below {
		return true
	}
	l.after = after
	return strings.HasPrefix(after, l.below)
}

// hiding are servers that list nothing below the name of an object.
var hiding = map[string]bool{"MinIO": true}

// missing is the answer for a prefix with nothing below it. An object of its name may hide what is there.
func (l *lister) missing() error {
	if l.found || l.prefix == asset.Root || l.o.StartAfter != asset.Root {
		return nil
	}
	if !hiding[l.s.promises.Server] {
		return fs.ErrNotExist
	}
	if _, err := l.s.head(l.ctx, l.prefix); err == nil {
		return fmt.Errorf("%w: an object has the name of the folder, and may hide what is below it", fs.ErrNotExist)
	}
	return fs.ErrNotExist
}

func (l *lister) pages() error {
	owner := false
	o := minio.ListObjectsOptions{
		Prefix: l.below, Recursive: l.o.Recursive, StartAfter: l.after, MaxKeys: l.s.limits.page, FetchOwner: &owner,
	}
	last := l.after
	for info := range l.s.client.ListObjectsIter(l.ctx, l.s.at.bucket, o) {
		if info.Err != nil {
			return info.Err
		}
		if info.Key <= last && strings.HasSuffix(info.Key, "/") && !l.o.Recursive {
			continue // a folder that was told before the listing broke off
		}
		l.found = true
		if err := l.told(info); err != nil {
			return err
		}
		l.after = max(l.after, l.resume(info.Key))
	}
	return l.ctx.Err()
}

// resume is where a listing goes on behind a name.
func (l *lister) resume(name string) string {
	if !l.o.Recursive && strings.HasSuffix(name, "/") {
		return name + afterAll
	}
	return name
}
