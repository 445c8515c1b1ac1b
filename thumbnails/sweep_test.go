package thumbnails

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"slices"
	"sync"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
	"hotfolderd/storage/posix"
)

// agedStore is a real store whose clock is told: what was put is as old as ages says.
type agedStore struct {
	*posix.Store
	ages    map[asset.Key]time.Duration
	mu      sync.Mutex
	removed []asset.Key
	fail    func(asset.Key) error // of a removal
}

func (s *agedStore) aged(o storage.Object) storage.Object {
	o.Changed = time.Now().Add(-s.ages[o.Key])
	return o
}

func (s *agedStore) List(ctx context.Context, prefix asset.Key, o storage.ListOptions) iter.Seq2[storage.Object, error] {
	return func(yield func(storage.Object, error) bool) {
		for o, err := range s.Store.List(ctx, prefix, o) {
			if !yield(s.aged(o), err) {
				return
			}
		}
	}
}

func (s *agedStore) Remove(ctx context.Context, key asset.Key, v asset.Version) error {
	if s.fail != nil {
		if err := s.fail(key); err != nil {
			return err
		}
	}
	s.mu.Lock()
	s.removed = append(s.removed, key)
	s.mu.Unlock()
	return s.Store.Remove(ctx, key, v)
}

func (s *agedStore) Put(ctx context.Context, key asset.Key, r io.Reader, o storage.PutOptions) (storage.Object, error) {
	delete(s.ages, key)
	return s.Store.Put(ctx, key, r, o)
}

type agedReader struct {
	storage.Reader
	o storage.Object
}

func (r agedReader) Object() storage.Object { return r.o }

func (s *agedStore) Open(ctx context.Context, key asset.Key, v asset.Version) (storage.Reader, error) {
	r, err := s.Store.Open(ctx, key, v)
	if err != nil {
		return nil, err
	}
	return agedReader{r, s.aged(r.Object())}, nil
}

// newAged is a store with files of 1000 bytes, each an hour older than the one before; the first is an hour old.
func newAged(t *testing.T, files int) (*agedStore, []asset.Key) {
	t.Helper()
	raw, err := posix.Open(t.Context(), t.TempDir(), posix.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = raw.Close() })
	s := &agedStore{Store: raw, ages: map[asset.Key]time.Duration{}}
	var keys []asset.Key
	for n := range files {
		key := testPrefix.Join(asset.Key(fmt.Sprintf("%02x/%064x/256.jpg", n, n)))
		s.keep(t, key, time.Duration(n+1)*time.Hour)
		keys = append(keys, key)
	}
	s.keep(t, "workarea/other/file", 1000*time.Hour)
	return s, keys
}

func (s *agedStore) keep(t *testing.T, key asset.Key, age time.Duration) {
	t.Helper()
	if _, err := s.Put(t.Context(), key, bytes.NewReader(make([]byte, 1000)), storage.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	s.ages[key] = age
}

func (s *agedStore) sweep(t *testing.T, o SweepOptions) Swept {
	t.Helper()
	got, err := Sweep(t.Context(), s, testPrefix, o)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestSweep_belowTheBoundNothingGoes(t *testing.T) {
	s, _ := newAged(t, 20)
	for _, o := range []SweepOptions{{}, {Size: 20_000}, {Age: 21 * time.Hour}, {Size: 1 << 40, Age: 1000 * time.Hour}} {
		if got := s.sweep(t, o); got != (Swept{Files: 20, Bytes: 20_000}) || len(s.removed) > 0 {
			t.Errorf("%+v: want everything kept, got %+v, removed %v", o, got, s.removed)
		}
	}
}

func TestSweep_whatWasNotUsedForLongestGoes(t *testing.T) {
	s, keys := newAged(t, 100)
	got := s.sweep(t, SweepOptions{Size: 40_000})
	if want := (Swept{Files: 38, Bytes: 38_000, Gone: 62, Freed: 62_000}); got != want {
		t.Errorf("want %+v, got %+v", want, got)
	}
	for n, key := range keys { // ages are told apart to two parts in a hundred
		gone := slices.Contains(s.removed, key)
		if n < 37 && gone || n > 40 && !gone {
			t.Errorf("age %v: removed: %v", s.ages[key], gone)
		}
	}
	if _, err := s.Stat(t.Context(), keys[90].Dir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("want an empty folder gone, got %v", err)
	}
	if again := s.sweep(t, SweepOptions{Size: 40_000}); again.Gone != 0 {
		t.Errorf("want nothing to do at once again, got %+v", again)
	}
	if _, err := s.Stat(t.Context(), "workarea/other/file"); err != nil {
		t.Errorf("want what is not in the cache left alone: %v", err)
	}
}

func TestSweep_allOfOneAgeAreNotMoreThanItTakes(t *testing.T) {
	s, keys := newAged(t, 50)
	for _, k := range keys {
		s.ages[k] = time.Minute
	}
	if got := s.sweep(t, SweepOptions{Size: 40_000}); got.Gone != 12 {
		t.Errorf("want 12 of 50 gone, got %+v", got)
	}
}

func TestSweep_whatIsTooOldGoes(t *testing.T) {
	s, keys := newAged(t, 10)
	if got := s.sweep(t, SweepOptions{Age: 8*time.Hour + time.Minute, Size: 1 << 30}); got.Gone != 2 || !slices.Contains(s.removed, keys[9]) || !slices.Contains(s.removed, keys[8]) {
		t.Errorf("want the two oldest gone, got %+v, %v", got, s.removed)
	}
}

func TestSweep_whatCameInUseMeanwhileStays(t *testing.T) {
	s, keys := newAged(t, 3)
	s.fail = func(key asset.Key) error {
		s.fail = nil
		_, err := s.Put(t.Context(), key, bytes.NewReader(make([]byte, 1000)), storage.PutOptions{})
		return err
	}
	if got := s.sweep(t, SweepOptions{Age: time.Minute}); got.Gone != 2 || got.Files != 1 {
		t.Errorf("want the one that was written again to stay, got %+v of %v", got, keys)
	}
}

// The duty may go from one node to another while the first is in the middle of a sweep. What both want to take away is the same.
func TestSweep_twoAtOnceTakeNoMoreThanOne(t *testing.T) {
	s, keys := newAged(t, 200)
	var all [2]Swept
	var both sync.WaitGroup
	for n := range all {
		both.Go(func() {
			got, err := Sweep(t.Context(), s, testPrefix, SweepOptions{Size: 100_000})
			if err != nil {
				t.Error(err)
			}
			all[n] = got
		})
	}
	both.Wait()
	left := 0
	for n, key := range keys {
		_, err := s.Stat(t.Context(), key)
		if err == nil {
			left++
		}
		if n < 90 && err != nil {
			t.Errorf("age %v: want it kept, got %v", s.ages[key], err)
		}
	}
	if gone := all[0].Gone + all[1].Gone; left < 90 || left > 100 || gone != int64(200-left) {
		t.Errorf("want 95 left, as after one sweep, and each removal told once, got %d, %+v", left, all)
	}
}

func TestSweep_brokenOffAndBegunAgain(t *testing.T) {
	s, _ := newAged(t, 50)
	left := 20
	enough := errors.New("read-only")
	_, err := Sweep(t.Context(), s, testPrefix, SweepOptions{Size: 10_000, May: func() error {
		if left--; left < 0 {
			return enough
		}
		return nil
	}})
	if !errors.Is(err, enough) || len(s.removed) != 20 {
		t.Fatalf("want it to end by what May says, after 20; got %v after %d", err, len(s.removed))
	}
	if got := s.sweep(t, SweepOptions{Size: 10_000}); got.Bytes > 10_000 || got.Gone != 21 {
		t.Errorf("want the rest done by the next, got %+v", got)
	}
}

func TestRoom_whatIsReadIsWrittenAgainAfterAWhile(t *testing.T) {
	s, _ := newAged(t, 0)
	may := error(nil)
	room := New(s, testPrefix, NewImaging(), Options{Renew: time.Hour, May: func() error { return may }})
	defer func() { _ = room.Close() }()
	data := asPNG(t, quarters(40, 30))
	c := content(data, "image/png")
	if _, err := room.Generate(t.Context(), c, bytes.NewReader(data), Spec{Sizes: []int{16}}); err != nil {
		t.Fatal(err)
	}
	key := room.rendition(c.Hash, 16, JPEG)
	read := func(age time.Duration) (renewed bool) {
		s.ages[key] = age
		rd, err := room.Open(t.Context(), c.Hash, 16, JPEG)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = rd.Close() }()
		if got := flaw(t.Context(), readAll(t, rd), 16, JPEG); got != "" {
			t.Errorf("at %v: %s", age, got)
		}
		return s.ages[key] == 0
	}
	if read(time.Minute) || !read(2*time.Hour) {
		t.Error("want it written again after an hour, and not before")
	}
	if may = errors.New("read-only"); read(2 * time.Hour) {
		t.Error("want nothing written by a node that may not")
	}
}
