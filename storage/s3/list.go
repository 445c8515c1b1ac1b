package s3

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"net/url"
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

// told tells of one name, and of the folders that it is the first of.
func (l *lister) told(info minio.ObjectInfo) error {
	if l.outside != "" && strings.HasPrefix(info.Key, l.outside) {
		if l.passed++; l.passed == l.s.limits.page {
			return errOver
		}
		return nil
	}
	l.outside = ""
	rel := info.Key[len(l.below):]
	if rel == "" || l.private(rel) {
		return nil
	}
	key, err := asset.ParseKey(strings.TrimSuffix(rel, "/"))
	if err != nil {
		return l.tell(l.misnamed(rel, info))
	}
	if strings.HasSuffix(rel, "/") {
		return l.folderObject(key, info)
	}
	if stop, err := l.folders(key.Dir()); stop || err != nil {
		return err
	}
	return l.tell(object(l.prefix.Join(key), info))
}

// folderObject is a name with a slash at its end: in a flat listing an object that stands for a folder, else a folder that holds
// something. One with bytes in it is shown too, since nobody else would.
func (l *lister) folderObject(key asset.Key, info minio.ObjectInfo) error {
	if stop, err := l.folders(key); stop || err != nil {
		return err
	}
	if info.Size == 0 {
		return nil
	}
	return l.tell(l.misnamed(string(key)+"/", info))
}

// misnamed is an object that has no key, under one that shows its name.
func (l *lister) misnamed(rel string, info minio.ObjectInfo) storage.Object {
	shown := strings.ReplaceAll(url.PathEscape(rel), ".", "%2E")
	if len(shown) > asset.MaxComponent {
		shown = shown[:asset.MaxComponent]
	}
	return storage.Object{Key: l.prefix.Join(asset.Key(shown)), Kind: storage.Misnamed, Size: info.Size}
}

// private begins to pass over the store's own folder.
func (l *lister) private(rel string) bool {
	own := string(Private) + "/"
	if l.prefix != asset.Root || !strings.HasPrefix(rel, own) {
		return false
	}
	if l.o.Recursive {
		l.outside, l.passed = l.below+own, 0
	}
	return true
}

// folders tells of the folders on the way to dir that were not told yet. It reports whether dir lies in one that is not entered.
func (l *lister) folders(dir asset.Key) (stop bool, err error) {
	known := l.dir
	for known != asset.Root && known != dir {
		if _, ok := dir.Below(known); ok {
			break
		}
		known = known.Dir()
	}
	l.dir = dir
	for rest, ok := dir.Below(known); ok; rest, ok = dir.Below(known) {
		part, _, _ := strings.Cut(string(rest), "/")
		known = known.Join(asset.Key(part))
		key := l.prefix.Join(known)
		if err := l.tell(storage.Object{Key: key, Kind: storage.Directory}); err != nil {
			return true, err
		}
		if l.o.Recursive && l.o.Enter != nil && !l.o.Enter(key) {
			l.dir, l.outside, l.passed = known, l.s.below(key), 1
			return true, nil
		}
	}
	return false, nil
}

func (l *lister) tell(o storage.Object) error {
	if !l.yield(o, nil) {
		return errEnough
	}
	return nil
}
