package hotfolder

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/leases"
	"hotfolderd/storage"
	"hotfolderd/storage/storagetest"
)

// bucket is a flat store in which many old objects lie beside what is dropped. It counts the pages that it is asked for.
type bucket struct {
	*storagetest.Mem
	old  int
	took time.Duration // by each page

	mu    sync.Mutex
	pages map[time.Time]int // by the moment, which is the same all through a poll
}

const pageSize = 1000

func (b *bucket) Properties() storage.Properties {
	return storage.Properties{Kind: "s3", Remote: true, WholeObjects: true, Flat: true}
}

func (b *bucket) List(ctx context.Context, prefix asset.Key, o storage.ListOptions) iter.Seq2[storage.Object, error] {
	return func(yield func(storage.Object, error) bool) {
		seen := 0
		for obj := range b.merged(ctx, prefix, o.StartAfter) {
			if seen%pageSize == 0 {
				b.page()
			}
			if seen++; !yield(obj, nil) {
				return
			}
		}
		if seen == 0 {
			b.page()
		}
	}
}

func (b *bucket) page() {
	time.Sleep(b.took)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pages[time.Now()]++
}

// merged are all objects behind a key, in order.
func (b *bucket) merged(ctx context.Context, prefix, after asset.Key) iter.Seq[storage.Object] {
	return func(yield func(storage.Object) bool) {
		var dropped []storage.Object
		for o, err := range b.Mem.List(ctx, prefix, storage.ListOptions{Recursive: true}) {
			if err == nil && o.Kind == storage.Regular && o.Key > after {
				dropped = append(dropped, o)
			}
		}
		slices.SortFunc(dropped, func(x, y storage.Object) int { return strings.Compare(string(x.Key), string(y.Key)) })
		first := 0
		if i := strings.TrimPrefix(string(after), string(prefix)+"/m"); i != string(after) {
			_, _ = fmt.Sscanf(i, "%d", &first)
			first++
		} else if after > prefix.Join("m") {
			first = b.old
		}
		for i := first; i < b.old; i++ {
			o := storage.Object{Key: prefix.Join(asset.Key(fmt.Sprintf("m%08d", i))), Version: "1", Size: 1, Changed: time.Unix(1e8, 0)}
			for len(dropped) > 0 && dropped[0].Key < o.Key {
				if !yield(dropped[0]) {
					return
				}
				dropped = dropped[1:]
			}
			if !yield(o) {
				return
			}
		}
		for _, o := range dropped {
			if !yield(o) {
				return
			}
		}
	}
}

// leaveOld has nobody work on the old objects of a bucket, and nobody remember them.
func (b *bench) leaveOld() {
	own := b.claim("", "")
	b.claim = func(_ string, key asset.Key) leases.Lease {
		if len(key) == len("m00000000") {
			return nil
		}
		return own
	}
}

// take is how many polls there were since the last take, and the pages of the dearest.
func (b *bucket) take() (polls, most int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer clear(b.pages)
	return len(b.pages), slices.Max(append(slices.Collect(maps.Values(b.pages)), 0))
}

// A hotfolder in which a million objects stay: a poll costs ten pages at most, finds at once what comes with a later name, and what
// comes with an earlier one when it comes round to it.
func TestScan_aMillionObjectsInABucket(t *testing.T) {
	bubbled(t, Options{}, func(b *bench) {
		s := &bucket{Mem: b.mem, old: 1_000_000, pages: map[time.Time]int{}}
		b.store = s
		b.leaveOld()
		before := inUse()
		b.room.Set([]Spec{b.spec("in", nil)})
		b.run()
		b.pass(minPoll / 2)
		if _, most := s.take(); most < 1000 {
			t.Fatalf("want the first look to be at the whole, got %d pages", most)
		}
		b.pass(5 * time.Minute)
		polls, most := s.take()
		if polls < 20 || most > 10 {
			t.Errorf("want many polls of 10 pages at most, got %d of up to %d", polls, most)
		}
		for i := range 5 { // later names, and of several writers not quite in order
			b.drop("in", asset.Key(fmt.Sprintf("z%d", 2*i+1)), asset.Key(fmt.Sprintf("z%d", 2*i)))
			b.pass(2 * maxPoll)
			if left := b.lying("in"); len(left) > 0 {
				t.Errorf("want what comes with later names found by the next polls, got %v left", left)
			}
		}
		b.drop("in", "a0", "m00500000-late")
		b.pass(30 * time.Minute)
		if left := b.lying("in"); len(left) > 0 {
			t.Errorf("want all found when the whole comes round, got %v left", left)
		}
		if _, most := s.take(); most > 10 {
			t.Errorf("want 10 pages at most, got %d", most)
		}
		if grown := int64(inUse()) - int64(before); grown > 16<<20 {
			t.Errorf("want no listing held, got %d bytes more", grown)
		}
	})
}

func inUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// However long a look at the whole takes, what comes after it is found by a poll soon.
func TestScan_aLongLookAtABucketDelaysNoPoll(t *testing.T) {
	bubbled(t, Options{}, func(b *bench) {
		s := &bucket{Mem: b.mem, old: 1_000_000, took: 50 * time.Millisecond, pages: map[time.Time]int{}}
		b.store = s
		b.leaveOld()
		b.room.Set([]Spec{b.spec("in", nil)})
		b.run()
		b.pass(1000*s.took + minPoll)
		for _, key := range []asset.Key{"z1", "z2"} {
			b.drop("in", key)
			b.pass(maxPoll)
			if left := b.lying("in"); len(left) > 0 {
				t.Errorf("want it found within %v, got %v left", maxPoll, left)
			}
		}
	})
}

// A folder of a few pages is seen whole by each poll.
func TestScan_aSmallBucketIsSeenWhole(t *testing.T) {
	bubbled(t, Options{}, func(b *bench) {
		s := &bucket{Mem: b.mem, pages: map[time.Time]int{}}
		b.store = s
		b.room.Set([]Spec{b.spec("in", nil)})
		b.run()
		b.drop("in", "m")
		b.pass(time.Minute)
		b.drop("in", "a")
		b.pass(2 * maxPoll)
		b.want(asset.Imported, "in/m", "in/a")
		if _, most := s.take(); most != 1 {
			t.Errorf("want one page for each poll, got %d", most)
		}
	})
}
