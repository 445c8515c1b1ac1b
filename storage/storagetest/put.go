package storagetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

var putCases = []aCase{
	{"Put_storesWhatItWasGiven", putStores},
	{"Put_replaces", putReplaces},
	{"Put_ifAbsentHasOneWinner", putOneWinner},
	{"Put_errorOfTheReaderStoresNothing", putReaderError},
	{"Put_replacingNeverShowsAHalf", putNeverHalf},
	{"Put_deferredIsSeenAtOnce", putDeferred},
	{"Put_refusesTheRoot", putRoot},
}

func putStores(t *testing.T, s *suite) {
	large := strings.Repeat("0123456789abcdef", 6<<16) // 6 MiB: more than one part of a bucket, one buffer, one page
	for key, content := range map[asset.Key]string{
		"storagetest/empty":     "",
		"storagetest/small":     "small",
		"storagetest/large":     large,
		"storagetest/a/b/c/d/e": "folders are made as needed",
	} {
		obj := s.put(t, key, content)
		s.wantContent(t, key, content)
		st := s.stat(t, key)
		if obj.Key != key || obj.Version == "" || obj.Version != st.Version || obj.Size != int64(len(content)) {
			t.Fatalf("put %s answers %+v, stat %+v", key.Quoted(), obj, st)
		}
	}
}

func putReplaces(t *testing.T, s *suite) {
	first := s.put(t, "storagetest/f", "first")
	second := s.put(t, "storagetest/f", "second, longer")
	if first.Version == second.Version {
		t.Fatalf("two contents have one version %q", first.Version)
	}
	s.wantContent(t, "storagetest/f", "second, longer")
	_, err := s.Put(t.Context(), "storagetest/f", strings.NewReader("third"), storage.PutOptions{IfAbsent: true})
	wantErr(t, "put a taken key if absent", fs.ErrExist, err)
	s.wantContent(t, "storagetest/f", "second, longer")
}

func putOneWinner(t *testing.T, s *suite) {
	const racers, keys = 32, 50
	for k := range s.rounds(keys) {
		key := asset.Key(fmt.Sprintf("storagetest/race/%02d", k))
		won := race(t, racers, func(i int) error {
			st := s.Store
			if i%2 == 1 {
				st = s.other
			}
			_, err := st.Put(t.Context(), key, strings.NewReader(racer(i)), storage.PutOptions{IfAbsent: true, Deferred: true})
			return err
		})
		s.wantContent(t, key, racer(won))
	}
}

// racer is the content of one racer: of a length that tells it from the others.
func racer(i int) string { return strings.Repeat(fmt.Sprintf("racer %02d.", i), i+1) }

// race lets n goroutines try the same at the same time and returns the one that had no error. All others must have
// fs.ErrExist.
func race(t *testing.T, n int, try func(i int) error) (winner int) {
	t.Helper()
	return raceFor(t, fs.ErrExist, n, try)
}

// raceFor is race with the losers' error.
func raceFor(t *testing.T, lost error, n int, try func(i int) error) (winner int) {
	t.Helper()
	errs := make([]error, n)
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			errs[i] = try(i)
		})
	}
	close(start)
	wg.Wait()
	winner = -1
	for i, err := range errs {
		switch {
		case err == nil && winner >= 0:
			t.Fatalf("%d and %d both won", winner, i)
		case err == nil:
			winner = i
		case !errors.Is(err, lost):
			t.Fatalf("loser %d: want %v, got %v", i, lost, err)
		}
	}
	if winner < 0 {
		t.Fatal("nobody won")
	}
	return winner
}

func putReaderError(t *testing.T, s *suite) {
	broken := errors.New("the sender hung up")
	half := func() io.Reader {
		return io.MultiReader(strings.NewReader(strings.Repeat("x", 100_000)), iotest.ErrReader(broken))
	}
	s.put(t, "storagetest/kept", "kept")
	before := all(t, s, asset.Root)
	for _, o := range []storage.PutOptions{{}, {IfAbsent: true}, {Deferred: true}} {
		_, err := s.Put(t.Context(), "storagetest/new/er", half(), o)
		wantErr(t, "put from a reader that fails", broken, err)
		s.wantAbsent(t, "storagetest/new/er")
	}
	_, err := s.Put(t.Context(), "storagetest/kept", half(), storage.PutOptions{})
	wantErr(t, "replace from a reader that fails", broken, err)
	s.wantContent(t, "storagetest/kept", "kept")
	sameFiles(t, "after puts that failed", before, all(t, s.other, asset.Root))
}

// sameFiles compares two listings, folders left out: a store may have made some on the way.
func sameFiles(t *testing.T, what string, want, got map[asset.Key]storage.Object) {
	t.Helper()
	files := func(m map[asset.Key]storage.Object) map[asset.Key]storage.Object {
		only := map[asset.Key]storage.Object{}
		for k, o := range m {
			if o.Kind != storage.Directory {
				only[k] = o
			}
		}
		return only
	}
	var keys []asset.Key
	for k := range files(want) {
		keys = append(keys, k)
	}
	wantKeys(t, what, keys, files(got))
}

// putNeverHalf lets one node replace a key while the other reads it: every look shows one of two contents, whole.
func putNeverHalf(t *testing.T, s *suite) {
	const key, rounds = "storagetest/flip", 100
	a, b := strings.Repeat("a", 64<<10), strings.Repeat("b", 96<<10)
	s.put(t, key, a)
	ctx, stop := context.WithCancel(t.Context())
	looks := make(chan error, 1)
	go func() { looks <- lookAt(ctx, s.other, key, a, b) }()
	for i := range s.rounds(rounds) {
		content := [...]string{b, a}[i%2]
		if _, err := s.Put(ctx, key, strings.NewReader(content), storage.PutOptions{Deferred: true}); err != nil {
			stop()
			t.Fatalf("put: %v", errors.Join(err, <-looks))
		}
	}
	stop()
	must(t, "reader", <-looks)
}

// lookAt reads key until ctx ends. A read that notices the change is a good answer too; a mixture is none.
func lookAt(ctx context.Context, s storage.Store, key asset.Key, contents ...string) error {
	for ctx.Err() == nil {
		got, obj, err := read(ctx, s, key, "")
		switch {
		case ctx.Err() != nil || errors.Is(err, storage.ErrChanged):
			continue
		case err != nil:
			return err
		case int64(len(got)) != obj.Size:
			return fmt.Errorf("read %s of an object of %d bytes", brief(got), obj.Size)
		}
		whole := false
		for _, c := range contents {
			whole = whole || got == c
		}
		if !whole {
			return fmt.Errorf("read %s, which nobody wrote", brief(got))
		}
	}
	return nil
}

func putDeferred(t *testing.T, s *suite) {
	obj, err := s.Put(t.Context(), "storagetest/later", strings.NewReader("soon"), storage.PutOptions{Deferred: true})
	must(t, "put deferred", err)
	s.wantContent(t, "storagetest/later", "soon")
	must(t, "sync", s.Sync(t.Context(), obj.Key))
	s.wantContent(t, "storagetest/later", "soon")
}

func putRoot(t *testing.T, s *suite) {
	if _, err := s.Put(t.Context(), asset.Root, strings.NewReader("x"), storage.PutOptions{}); err == nil {
		t.Fatal("the root was put as a file")
	}
	if _, err := s.Open(t.Context(), asset.Root, ""); err == nil {
		t.Fatal("the root was opened as a file")
	}
	if err := s.Remove(t.Context(), asset.Root, ""); err == nil {
		t.Fatal("the root was removed")
	}
}
