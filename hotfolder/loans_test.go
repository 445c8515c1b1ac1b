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
	"hotfolderd/leases"
	"hotfolderd/storage"
	"hotfolderd/storage/storagetest"
)

// allies are nodes with one share. The drops of each begin with a letter of its own, a and b; the hotfolder itself is of the first, which so looks
// for all.
type allies struct {
	t      *testing.T
	a, b   *ally
	broken error // of every loan, before its first word
	half   bool  // a loan breaks off at the first thing
	late   time.Duration
}

type ally struct {
	*bench
	store *faltering
	told  []asset.Key
}

// faltering is a share whose listings do something at each thing.
type faltering struct {
	telling
	at   func(asset.Key)
	fail error // at the end of each listing of everything
}

func (s *faltering) List(ctx context.Context, prefix asset.Key, o storage.ListOptions) iter.Seq2[storage.Object, error] {
	return func(yield func(storage.Object, error) bool) {
		for obj, err := range s.telling.List(ctx, prefix, o) {
			if s.at != nil && o.Recursive {
				s.at(obj.Key)
			}
			if !yield(obj, err) {
				return
			}
		}
		if s.fail != nil && o.Recursive {
			yield(storage.Object{}, s.fail)
		}
	}
}

// together tests two of them that have not begun.
func together(t *testing.T, test func(w *allies)) {
	synctest.Test(t, func(t *testing.T) {
		mem := storagetest.NewMem()
		w := &allies{t: t}
		w.a, w.b = w.ally(mem, 'a', true), w.ally(mem, 'b', false)
		w.b.room.d.Borrow = w.borrow
		w.a.room.d.Begins = func(hotfolder string) bool { w.b.room.Joins(hotfolder); return true }
		test(w)
	})
}

func (w *allies) ally(mem *storagetest.Mem, letter byte, looks bool) *ally {
	a := &ally{bench: newBench(w.t, Options{}), store: &faltering{}}
	a.mem = mem
	a.store.Mem = mem
	a.store.props = storage.Properties{Remote: true, FolderTimes: true, WholeObjects: true}
	a.bench.store = a.store
	own := newLease()
	a.claim = func(_ string, key asset.Key) leases.Lease {
		if key == asset.Root && looks || key.Base() != "" && key.Base()[0] == letter {
			return own
		}
		return nil
	}
	a.room.Set([]Spec{a.spec("in", nil)})
	return a
}

func (w *allies) borrow(ctx context.Context, hotfolder string, join bool, take func(*storage.Object)) (Left, error) {
	if w.broken != nil {
		return Left{}, w.broken
	}
	wants := func(key asset.Key) bool { return w.b.Mine(hotfolder, key) }
	return w.a.room.Lend(ctx, hotfolder, join, wants, func(o *storage.Object) error {
		if o != nil && w.half {
			return errBroken
		}
		sleep(ctx, w.late)
		if o != nil {
			w.b.told = append(w.b.told, o.Key)
		}
		take(o)
		return nil
	})
}

func (w *allies) run() {
	w.a.run()
	w.b.run()
	w.a.pass(time.Second) // they have scanned when they began
}

// scans are how often each has listed everything since the last call.
func (w *allies) scans() (a, b int64) { return w.a.store.scans.Swap(0), w.b.store.scans.Swap(0) }

func (w *allies) wantScans(what string, a, b int64) {
	w.t.Helper()
	if gotA, gotB := w.scans(); gotA != a || gotB != b {
		w.t.Errorf("%s: want %d and %d listings of everything, got %d and %d", what, a, b, gotA, gotB)
	}
}

func TestLoans_oneScanFindsTheDropsOfAll(t *testing.T) {
	together(t, func(w *allies) {
		w.a.drop("in", "a1", "b1", "d/b2", "d/.b-hidden", "d/c")
		w.run()
		w.wantScans("at the start", 1, 0)
		w.a.want(asset.Imported, "in/a1")
		w.b.wantAll("in/b1", "in/d/b2")
		if want := []asset.Key{"b1", "d/b2"}; !slices.Equal(w.b.told, want) {
			t.Errorf("want no more told than is wanted, %v, got %v", want, w.b.told)
		}
		if s := w.b.status("in"); s.Ignored != 1 || s.LastScan.IsZero() || s.Level != Green {
			t.Errorf("want the scan shown as one of its own, got %+v", s)
		}
		w.a.drop("in", "a3", "b3")
		for _, one := range []*ally{w.a, w.b} { // as a command asks all, each hears at its time
			if err := one.room.Scan("in"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(gatherTime / 10)
		}
		w.a.pass(time.Second)
		w.wantScans("when all are asked", 1, 0)
		w.b.wantAll("in/b1", "in/b3", "in/d/b2")
	})
}

func TestLoans_whoIsNotDueJoins(t *testing.T) {
	together(t, func(w *allies) {
		w.a.drop("in", ".stays")
		w.run()
		w.a.pass(2 * sharePoll) // scans are as rare as they are ever
		w.scans()
		w.a.pass(4 * sharePoll)
		if a, b := w.scans(); a < 4 || a > 5 || b != 0 {
			t.Errorf("want a scan for all each %v, got %d and %d in %v", sharePoll, a, b, 4*sharePoll)
		}
		w.a.drop("in", "b1")
		w.a.pass(sharePoll + time.Second)
		w.b.want(asset.Imported, "in/b1")
	})
}

func TestLoans_aNodeScansItselfWhenNobodyDoesItToTheEnd(t *testing.T) {
	for name, spoil := range map[string]func(w *allies){
		"nobody answers":                  func(w *allies) { w.broken = errBroken },
		"who looks ends in the middle":    func(w *allies) { w.half = true },
		"who looks cannot look at all":    func(w *allies) { w.a.store.fail = errBroken },
		"who looks does not look for all": func(w *allies) { w.a.claim = func(string, asset.Key) leases.Lease { return nil } },
		"what is found is taken too late": func(w *allies) { w.late = time.Minute },
	} {
		t.Run(name, func(t *testing.T) {
			together(t, func(w *allies) {
				spoil(w)
				var want []asset.Key
				for i := range loanAhead + 10 {
					key := asset.Key(fmt.Sprintf("b%05d", i))
					w.a.drop("in", key)
					want = append(want, asset.Key("in").Join(key))
				}
				w.run()
				w.a.pass(borrowTime)
				if _, b := w.scans(); b == 0 {
					t.Error("want it to scan itself, got no listing")
				}
				w.b.wantAll(want...)
			})
		})
	}
}

// wantAll wants these imported, in whatever order; they are given in that of their names.
func (a *ally) wantAll(want ...asset.Key) {
	a.t.Helper()
	got := a.bench.told(asset.Imported)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		a.t.Errorf("want these %d imported, %v, got %d, %v", len(want), first(want), len(got), first(got))
	}
}

func first(keys []asset.Key) []asset.Key { return keys[:min(len(keys), 10)] }

func TestLoans_aSlowOneHoldsUpNobodyForLong(t *testing.T) {
	together(t, func(w *allies) {
		w.late = time.Hour
		for i := range 2 * loanAhead {
			w.a.drop("in", asset.Key(fmt.Sprintf("b%05d", i)))
		}
		w.a.drop("in", "z/a")
		w.run()
		w.a.pass(2 * loanSlow)
		w.a.want(asset.Imported, "in/z/a")
	})
}

// What came before a scan was asked for is in it: a scan that was under way then may have passed it by.
func TestLoans_whoAsksDuringAScanGetsTheNext(t *testing.T) {
	together(t, func(w *allies) {
		w.a.drop("in", "a1", "c")
		var once sync.Once
		w.a.store.at = func(asset.Key) { once.Do(func() { time.Sleep(stallAfter - time.Second) }) }
		w.a.run()
		w.a.pass(time.Second) // it stands still at its first thing
		w.a.drop("in", "a0/b")
		w.b.run()
		w.b.pass(time.Second)
		w.b.want(asset.Imported)
		w.b.pass(2 * stallAfter)
		w.b.want(asset.Imported, "in/a0/b")
		if a, b := w.scans(); a < 2 || b > 0 {
			t.Errorf("want the next scan, got %d and %d", a, b)
		}
	})
}

func TestLoans_nowAndThenEachScansItself(t *testing.T) {
	together(t, func(w *allies) {
		w.a.drop("in", ".stays")
		w.run()
		w.scans()
		w.a.pass(10 * ownEvery)
		if _, b := w.scans(); b < 9 || b > 10 {
			t.Errorf("want one scan of its own in %v, got %d in ten times that", ownEvery, b)
		}
	})
}

func TestLend_isRefusedByWhoDoesNotLookForAll(t *testing.T) {
	together(t, func(w *allies) {
		w.a.drop("in", ".stays")
		w.run()
		w.a.pass(2 * sharePoll)
		all := func(asset.Key) bool { return true }
		take := func(*storage.Object) error { return nil }
		for name, ask := range map[string]func() (Left, error){
			"another node's":      func() (Left, error) { return w.b.room.Lend(w.t.Context(), "in", false, all, take) },
			"an unknown one":      func() (Left, error) { return w.a.room.Lend(w.t.Context(), "none", false, all, take) },
			"nothing to join now": func() (Left, error) { return w.a.room.Lend(w.t.Context(), "in", true, all, take) },
		} {
			if _, err := ask(); !errors.Is(err, ErrNotLent) {
				t.Errorf("%s: want ErrNotLent, got %v", name, err)
			}
		}
		w.scans()
		w.a.pass(minPoll / 2)
		w.wantScans("after a refusal", 0, 0)
	})
}

func TestLend_endsWithItsHotfolder(t *testing.T) {
	together(t, func(w *allies) {
		w.a.drop("in", "a1")
		w.a.store.at = func(asset.Key) { time.Sleep(time.Hour) }
		w.a.run()
		time.Sleep(time.Second) // it scans
		ended := make(chan error, 1)
		go func() {
			_, err := w.a.room.Lend(w.t.Context(), "in", false, func(asset.Key) bool { return true }, func(*storage.Object) error { return nil })
			ended <- err
		}()
		time.Sleep(time.Second)
		w.a.room.Set(nil)
		time.Sleep(2 * time.Hour)
		select {
		case err := <-ended:
			if err == nil {
				t.Error("want an error, got a whole scan")
			}
		default:
			t.Error("want it to end with its hotfolder, got nothing")
		}
	})
}
