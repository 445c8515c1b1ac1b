package storagetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// Options of [Run]: what a store may do differently. The zero value is right for most.
type Options struct {
	// Reopen opens the tree of s once more, as another node has it. nil uses the same handle twice.
	Reopen func(t *testing.T, s storage.Store) storage.Store
	// Holds says which names the store can hold (a bucket takes no bytes that are not UTF-8). nil is all of them. A name
	// that it cannot hold must be refused by Put.
	Holds func(asset.Key) bool
	// Fill stores something small under each key in the fastest way there is, for the listing of a large folder. nil
	// is a Deferred Put of each, many at a time.
	Fill func(t *testing.T, s storage.Store, keys []asset.Key)
	// Slow: each operation is a request to a server. Races then have a quarter of their rounds, names half of their places.
	Slow bool
	// Part is how many bytes a store takes of a stream at once; for [RunStreams].
	Part int
	// Entries of that folder; 0 is [DefaultEntries], a tenth of it with -short.
	Entries int
}

// DefaultEntries is how many files the large folder has.
const DefaultEntries = 10_000

// patience bounds every wait of the suite: a store that needs longer hangs.
const patience = 60 * time.Second

// suite is one test's view of a store.
type suite struct {
	storage.Store               // the node under test
	other         storage.Store // the same tree, as another node sees it
	opts          Options
}

// Run holds a store to the text of package storage. open gives each test an empty store that lasts as long as t does; it
// may be the same tree under another prefix. At most one Options.
func Run(t *testing.T, open func(t *testing.T) storage.Store, o ...Options) {
	var opts Options
	if len(o) > 0 {
		opts = o[0]
	}
	runCases(t, slices.Concat(putCases, versionCases, stageCases, readCases, listCases, copyCases, removeCases, smallCases), open, opts)
}

func runCases(t *testing.T, cases []aCase, open func(t *testing.T) storage.Store, opts Options) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := &suite{Store: open(t), opts: opts}
			s.other = s.Store
			if opts.Reopen != nil {
				s.other = opts.Reopen(t, s.Store)
			}
			c.run(t, s)
		})
	}
}

// rounds is how many of n rounds a race has.
func (s *suite) rounds(n int) int {
	if s.opts.Slow {
		return (n + 3) / 4
	}
	return n
}

// aCase is one sentence of the contract and its test.
type aCase struct {
	name string
	run  func(t *testing.T, s *suite)
}

// put stores content and fails the test when it cannot.
func (s *suite) put(t *testing.T, key asset.Key, content string) storage.Object {
	t.Helper()
	obj, err := s.Put(t.Context(), key, strings.NewReader(content), storage.PutOptions{})
	if err != nil {
		t.Fatalf("put %s: %v", key.Quoted(), err)
	}
	return obj
}

func (s *suite) stat(t *testing.T, key asset.Key) storage.Object {
	t.Helper()
	obj, err := s.Stat(t.Context(), key)
	if err != nil {
		t.Fatalf("stat %s: %v", key.Quoted(), err)
	}
	return obj
}

// read opens key at v and reads all of it.
func read(ctx context.Context, s storage.Store, key asset.Key, v asset.Version) (string, storage.Object, error) {
	r, err := s.Open(ctx, key, v)
	if err != nil {
		return "", storage.Object{}, err
	}
	b, err := io.ReadAll(r)
	return string(b), r.Object(), errors.Join(err, r.Close())
}

// Closing is a store that was opened, or could not be: it is closed when the test ends, which must not fail.
func Closing[S interface {
	storage.Store
	io.Closer
}](t testing.TB, s S, err error) storage.Store {
	t.Helper()
	must(t, "open a store", err)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Content is all of an object, which must be there.
func Content(t testing.TB, s storage.Store, key asset.Key) string {
	t.Helper()
	content, _, err := read(t.Context(), s, key, "")
	must(t, "read "+key.Quoted(), err)
	return content
}

// wantContent reads key on both nodes.
func (s *suite) wantContent(t *testing.T, key asset.Key, want string) {
	t.Helper()
	for _, st := range []storage.Store{s.Store, s.other} {
		switch got, obj, err := read(t.Context(), st, key, ""); {
		case err != nil:
			t.Fatalf("%s: want %d bytes, got error %v", key.Quoted(), len(want), err)
		case got != want:
			t.Fatalf("%s: want %s, got %s", key.Quoted(), brief(want), brief(got))
		case obj.Size != int64(len(want)) || obj.Key != key || obj.Kind != storage.Regular:
			t.Fatalf("%s: the reader's object says %+v, want %d bytes", key.Quoted(), obj, len(want))
		}
	}
}

func brief(s string) string {
	if len(s) <= 40 {
		return fmt.Sprintf("%q", s)
	}
	return fmt.Sprintf("%q... (%d bytes)", s[:40], len(s))
}

// wantAbsent looks for key on both nodes, in every way there is.
func (s *suite) wantAbsent(t *testing.T, key asset.Key) {
	t.Helper()
	for _, st := range []storage.Store{s.Store, s.other} {
		if obj, err := st.Stat(t.Context(), key); !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("stat %s: want fs.ErrNotExist, got %+v, %v", key.Quoted(), obj, err)
		}
		if got, _, err := read(t.Context(), st, key, ""); !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("open %s: want fs.ErrNotExist, got %s, %v", key.Quoted(), brief(got), err)
		}
	}
}

func wantErr(t *testing.T, what string, want, got error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Fatalf("%s: want error %q, got %v", what, want, got)
	}
}

func must(t testing.TB, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// all lists what is below prefix, recursively. It fails on an error and on a key listed twice; a prefix that is not there
// is an empty listing.
func all(t *testing.T, s storage.Store, prefix asset.Key) map[asset.Key]storage.Object {
	t.Helper()
	found := map[asset.Key]storage.Object{}
	for obj, err := range s.List(t.Context(), prefix, storage.ListOptions{Recursive: true}) {
		if errors.Is(err, fs.ErrNotExist) && len(found) == 0 {
			break
		}
		must(t, "list "+prefix.Quoted(), err)
		if _, twice := found[obj.Key]; twice {
			t.Fatalf("list %s: %s comes twice", prefix.Quoted(), obj.Key.Quoted())
		}
		found[obj.Key] = obj
	}
	return found
}

// wantKeys compares keys without order.
func wantKeys(t *testing.T, what string, want []asset.Key, got map[asset.Key]storage.Object) {
	t.Helper()
	slices.Sort(want)
	if have := slices.Sorted(maps.Keys(got)); !slices.Equal(want, have) {
		t.Fatalf("%s: want %s, got %s", what, quoted(want), quoted(have))
	}
}

func quoted(keys []asset.Key) string {
	const shown = 20
	if len(keys) > shown {
		return fmt.Sprintf("%q and %d more", keys[:shown], len(keys)-shown)
	}
	return fmt.Sprintf("%q", keys)
}
