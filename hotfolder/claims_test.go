package hotfolder

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hotfolderd/asset"
	"hotfolderd/config"
	"hotfolderd/leases"
	"hotfolderd/storage"
)

// links shows some symbolic links beside what is in the store.
type links struct{ storage.Store }

func (l links) List(ctx context.Context, prefix asset.Key, o storage.ListOptions) iter.Seq2[storage.Object, error] {
	return func(yield func(storage.Object, error) bool) {
		for i := range 8 {
			if !yield(storage.Object{Key: prefix.Join(asset.Key(fmt.Sprint("link", i))), Kind: storage.Link}, nil) {
				return
			}
		}
		l.Store.List(ctx, prefix, o)(yield)
	}
}

// halves are two rooms on one store; a key is the first one's when its last letter is even.
func halves(t *testing.T, o Options) (both [2]*bench) {
	lease := newLease()
	for i := range both {
		b := newBench(t, o)
		if i > 0 {
			b.mem = both[0].mem
		}
		b.store = links{b.mem}
		b.claim = func(_ string, key asset.Key) leases.Lease {
			if int(key[len(key)-1]%2) != i {
				return nil
			}
			return lease
		}
		both[i] = b
	}
	return both
}

func TestRooms_ofOneStoreShareTheDropsAndTellEachThingOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		both := halves(t, Options{})
		both[0].drop("in", ".stays") // a folder with nothing in it is none in this store
		for i := range 40 {
			both[0].drop("in", asset.Key(fmt.Sprintf("f%02d", i)))
		}
		for _, b := range both {
			b.room.Set([]Spec{b.spec("in", nil)})
			b.run()
		}
		both[0].pass(time.Minute)
		var imported, links []asset.Key
		for i, b := range both {
			for _, k := range b.told(asset.Imported) {
				if int(k[len(k)-1]%2) != i {
					t.Errorf("want %s left to the other room", k)
				}
			}
			imported, links = append(imported, b.told(asset.Imported)...), append(links, b.told(asset.Ignored)...)
			if s := b.status("in"); s.Refused != 8 || s.Level != Amber {
				t.Errorf("want all links counted by both, got %+v", s)
			}
		}
		slices.Sort(links)
		if len(imported) != 40 || len(links) != 8 || len(slices.Compact(links)) != 8 {
			t.Errorf("want 40 imported and each of 8 links told once, got %d and %v", len(imported), links)
		}
	})
}

func TestRoom_neverQueuesWhatIsNotItsOwn(t *testing.T) {
	bubbled(t, Options{}, func(b *bench) {
		var mu sync.Mutex
		mine := false
		lease := newLease()
		b.claim = func(string, asset.Key) leases.Lease {
			mu.Lock()
			defer mu.Unlock()
			if !mine {
				return nil
			}
			return lease
		}
		set := func(on bool) { mu.Lock(); defer mu.Unlock(); mine = on }
		b.drop("in", "a", "b")
		b.room.Set([]Spec{b.spec("in", func(r *config.Rule) { r.Paused = true; r.Complete.Poll = config.Duration(time.Hour) })})
		b.run()
		f := b.room.folders[0]
		f.hint(storage.Hint{Key: "hotfolders/in/a", Created: true})
		synctest.Wait()
		if n, _ := b.room.Waiting(); n != 0 {
			t.Errorf("want nothing of another's, got %d", n)
		}
		set(true) // whoever gains a partition asks for a scan
		if err := b.room.Scan(""); err != nil {
			t.Fatal(err)
		}
		b.pass(time.Second)
		if n, _ := b.room.Waiting(); n != 2 {
			t.Errorf("want both now, got %d", n)
		}
		set(false)
		if err := b.room.Scan(""); err != nil {
			t.Fatal(err)
		}
		b.pass(time.Second)
		if n, _ := b.room.Waiting(); n != 0 || b.claims.Load() != 0 {
			t.Errorf("want them left to the other node, got %d and %d claims", n, b.claims.Load())
		}
	})
}

func TestRoom_lagIsTheAgeOfTheNextReadyDrop(t *testing.T) {
	bubbled(t, Options{Workers: 1}, func(b *bench) {
		open := make(gate)
		b.stage = func(ctx context.Context, _ string) error { return open.pass(ctx) }
		b.drop("in", "a", "b", "c")
		b.room.Set([]Spec{b.spec("in", nil)})
		b.run()
		b.pass(5 * time.Second)
		if n, lag := b.room.Waiting(); n != 2 || lag < 5*time.Second || lag > 6*time.Second {
			t.Errorf("want two waiting for about 5 seconds, got %d for %v", n, lag)
		}
		b.room.Halt("on purpose")
		if n, lag := b.room.Waiting(); n != 2 || lag != 0 {
			t.Errorf("want a halted room not to be late, got %d for %v", n, lag)
		}
		b.room.Halt("")
		b.room.Pause(map[string]string{"in": "somebody asked"})
		if n, lag := b.room.Waiting(); n != 2 || lag != 0 {
			t.Errorf("want a paused hotfolder not to be late, got %d for %v", n, lag)
		}
		close(open)
	})
}

func TestWalk_aClaimEndsAlsoWhenAStepPanics(t *testing.T) {
	b := newBench(t, Options{})
	b.step = func(step, _ string, _ asset.Key) {
		if step == stepCommit {
			panic(errBroken)
		}
	}
	b.drop("in", "a")
	f := newFolder(b.room, b.spec("in", nil))
	f.q.offer("a", noon, false, noon)
	func() {
		defer func() {
			if err, _ := recover().(error); !errors.Is(err, errBroken) {
				t.Errorf("want the step's panic, got %v", err)
			}
		}()
		f.walk(t.Context(), f.q.pop())
	}()
	if b.claims.Load() != 1 || b.ended.Load() != 1 {
		t.Errorf("want the claim ended, got %d claimed and %d ended", b.claims.Load(), b.ended.Load())
	}
}
