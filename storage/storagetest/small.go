package storagetest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

var smallCases = []aCase{
	{"Properties_sayWhatItIs", properties},
	{"Sync_ofAnything", syncAnything},
	{"Space_isPlausible", space},
	{"Writers_ofAClosedFile", writersClosed},
	{"Canceled_endsEachCall", canceled},
	{"Methods_areSafeTogether", together},
}

func properties(t *testing.T, s *suite) {
	p := s.Properties()
	if p.URL == "" || p.Kind == "" {
		t.Fatalf("a store without URL or kind: %+v", p)
	}
	if p != s.Properties() {
		t.Fatal("the properties change")
	}
}

func syncAnything(t *testing.T, s *suite) {
	a := s.put(t, "storagetest/a", "a").Key
	b := s.put(t, "storagetest/dir/b", "b").Key
	must(t, "remove", s.Remove(t.Context(), a, ""))
	for _, keys := range [][]asset.Key{nil, {a}, {b}, {a, b, a}, {"storagetest/never"}, {"storagetest/no/folder"}} {
		must(t, fmt.Sprintf("sync %q", keys), s.Sync(t.Context(), keys...))
	}
	errs := atOnce(32, func(i int) error { return s.Sync(t.Context(), b) })
	must(t, "sync at once", errors.Join(errs...))
}

func space(t *testing.T, s *suite) {
	free, total, err := s.Space(t.Context())
	must(t, "space", err)
	if free < 0 || total < 0 || total > 0 && free > total {
		t.Fatalf("%d of %d bytes are free", free, total)
	}
}

func writersClosed(t *testing.T, s *suite) {
	obj := s.put(t, "storagetest/f", "closed")
	open, known, err := s.Writers(t.Context(), obj.Key, obj.Version)
	must(t, "writers", err)
	if known && open {
		t.Fatal("a file that nobody has open is said to be written")
	}
	if known && !s.Properties().SeesWriters {
		t.Fatal("the store knows of writers, but says that it cannot")
	}
}

// canceled calls each method with a context that has ended: it must say so, and have done nothing.
func canceled(t *testing.T, s *suite) {
	obj := s.put(t, "storagetest/f", "there")
	reader, err := s.Open(t.Context(), obj.Key, obj.Version)
	must(t, "open", err)
	defer reader.Close()
	staged := s.staged(t, "staged")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range map[string]func() error{
		"stat": func() error { _, err := s.Stat(ctx, obj.Key); return err },
		"list": func() error {
			for _, err := range s.List(ctx, "storagetest", storage.ListOptions{Recursive: true}) {
				return err
			}
			return nil
		},
		"open":    func() error { _, err := s.Open(ctx, obj.Key, ""); return err },
		"check":   func() error { return reader.Check(ctx) },
		"stage":   func() error { _, err := s.Stage(ctx); return err },
		"flush":   func() error { return staged.Flush(ctx) },
		"publish": func() error { _, err := staged.Publish(ctx, "storagetest/p", storage.PutOptions{}); return err },
		"put": func() error {
			_, err := s.Put(ctx, "storagetest/p", strings.NewReader("x"), storage.PutOptions{})
			return err
		},
		"copy":    func() error { _, err := s.Copy(ctx, obj, "storagetest/p", storage.PutOptions{}); return err },
		"move":    func() error { _, err := s.Move(ctx, obj, "storagetest/p", storage.PutOptions{}); return err },
		"remove":  func() error { return s.Remove(ctx, obj.Key, obj.Version) },
		"sync":    func() error { return s.Sync(ctx, obj.Key) },
		"writers": func() error { _, _, err := s.Writers(ctx, obj.Key, obj.Version); return err },
		"space":   func() error { _, _, err := s.Space(ctx); return err },
	} {
		if err := call(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s with a canceled context: want context.Canceled, got %v", name, err)
		}
	}
	s.wantAbsent(t, "storagetest/p")
	s.wantContent(t, obj.Key, "there")
}

// together runs all methods on a few keys at once, for the race detector and for deadlocks.
func together(t *testing.T, s *suite) {
	const workers, rounds = 8, 20
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			st := [...]storage.Store{s.Store, s.other}[w%2]
			for i := range s.rounds(rounds) {
				key := asset.Key(fmt.Sprintf("storagetest/shared/%d", (w+i)%3))
				err := mixture(ctx, st, key)
				if err != nil && !errors.Is(err, errOtherBytes) {
					err = mixture(ctx, st, key) // a server may deny something for a moment when all change the same names
				}
				if err != nil {
					t.Errorf("worker %d, round %d: %v", w, i, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

var errOtherBytes = errors.New("it read what nobody wrote")

// mixture does a bit of everything to key. Others do too, so that half of it is told that the key changed or is gone.
func mixture(ctx context.Context, s storage.Store, key asset.Key) error {
	obj, err := s.Put(ctx, key, strings.NewReader("content of "+string(key)), storage.PutOptions{Deferred: true})
	if err != nil {
		return err
	}
	copied, err := s.Copy(ctx, obj, key+"-copy", storage.PutOptions{Deferred: true})
	if expected(err) != nil {
		return err
	}
	if err == nil {
		_, err = s.Move(ctx, copied, key+"-moved", storage.PutOptions{Deferred: true})
	}
	got, _, readErr := read(ctx, s, key, "")
	if readErr == nil && got != "content of "+string(key) {
		return fmt.Errorf("%w: %s", errOtherBytes, brief(got))
	}
	for _, listErr := range s.List(ctx, key.Dir(), storage.ListOptions{Recursive: true}) {
		err = errors.Join(expected(err), expected(listErr))
	}
	return errors.Join(expected(err), expected(readErr), expected(s.Remove(ctx, key, obj.Version)), s.Sync(ctx, key, key+"-copy"))
}

// expected turns the answers that a race may give into nil.
func expected(err error) error {
	if errors.Is(err, storage.ErrChanged) || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
