package workarea

import (
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"hotfolderd/asset"
	"hotfolderd/storage/storagetest"
)

func mustEpoch(t testing.TB, a *Area, atLeast uint64) uint64 {
	t.Helper()
	n, err := a.NextEpoch(t.Context(), atLeast)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestNextEpoch_countsUpFromWhatIsThereAndWhatIsAsked(t *testing.T) {
	s := folder(t)
	open(t, s)
	put(t, s, "workarea/epochs/notes.txt", "not ours")
	put(t, s, "workarea/epochs/99", "not ours either: too short")
	for _, c := range []struct{ atLeast, want uint64 }{{0, 1}, {0, 2}, {1, 3}, {7, 8}, {2, 9}, {1 << 60, 1<<60 + 1}, {0, 1<<60 + 2}} {
		if got := mustEpoch(t, open(t, s), c.atLeast); got != c.want {
			t.Errorf("at least %d: want %d, got %d", c.atLeast, c.want, got)
		}
	}
	a := open(t, s)
	if got := mustEpoch(t, a, math.MaxUint64-1); got != math.MaxUint64 {
		t.Errorf("want the highest there is, got %d", got)
	}
	if n, err := a.NextEpoch(t.Context(), 0); err == nil || !strings.Contains(err.Error(), "none above") {
		t.Errorf("want it refused above the highest, got %d, %v", n, err)
	}
}

func TestNextEpoch_keepsTheNewestFew(t *testing.T) {
	s := folder(t)
	a := open(t, s)
	for range 3 * keptEpochs {
		mustEpoch(t, a, 0)
	}
	left := tree(t, s, "workarea/epochs")
	if len(left) != keptEpochs || asset.Key(left[len(left)-1]) != a.epochKey(3*keptEpochs) {
		t.Errorf("want the newest %d, got %q", keptEpochs, left)
	}
	if !slices.IsSorted([]string{left[0], left[1]}) || len(asset.Key(left[0]).Base()) != 20 {
		t.Errorf("want names that list in the order of their numbers, got %q", left)
	}
}

// Each is greater than all that were returned before it was asked for, whoever asked.
func TestNextEpoch_ofManyNodesAtOnce(t *testing.T) {
	s := folder(t)
	var highest atomic.Int64
	var mu sync.Mutex
	given := map[uint64]bool{}
	var wg sync.WaitGroup
	for range 4 {
		a := open(t, s)
		wg.Go(func() {
			for range 40 {
				before := highest.Load()
				n, err := a.NextEpoch(t.Context(), 0)
				if err != nil {
					t.Error(err)
					return
				}
				if int64(n) <= before {
					t.Errorf("want more than %d, got %d", before, n)
				}
				raise(&highest, int64(n))
				mu.Lock()
				if given[n] {
					t.Errorf("%d was given twice", n)
				}
				given[n] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(given) != 160 {
		t.Errorf("want 160 epochs, got %d", len(given))
	}
}

// While a node is about to take a number, others take that and many more, and prune it: it is free again, and too low.
func TestNextEpoch_aSlowNodeIsNotGivenAPrunedOne(t *testing.T) {
	s := folder(t)
	other := open(t, s)
	h := &storeHook{Store: s, before: func(asset.Key) {}}
	a := open(t, h)
	mustEpoch(t, a, 0)
	var highest uint64
	h.before = func(asset.Key) {
		h.before = func(asset.Key) {}
		for range 2 * keptEpochs {
			highest = mustEpoch(t, other, 0)
		}
		if slices.Contains(tree(t, s, "workarea/epochs"), string(other.epochKey(2))) {
			t.Error("want number 2 pruned, or this test shows nothing")
		}
	}
	if got := mustEpoch(t, a, 0); got <= highest {
		t.Errorf("want more than %d, got %d", highest, got)
	}
}

func TestNextEpoch_isDurableAndNeverGivenAgainAfterAFault(t *testing.T) {
	for _, when := range []storagetest.When{storagetest.Before, storagetest.After} {
		for at := 0; ; at++ {
			mem := storagetest.NewMem()
			f := storagetest.NewFault(mem)
			a := open(t, f)
			for range keptEpochs + 2 {
				mustEpoch(t, a, 0)
			}
			f.Reset()
			f.Inject(storagetest.Rule{When: when, After: at, Times: 1, Err: errors.New("broken")})
			first, err := a.NextEpoch(t.Context(), 0)
			if err != nil {
				first = keptEpochs + 2
			}
			struck := f.Fired() > 0
			f.Clear()
			mem.PowerCut()
			if got := mustEpoch(t, a, 0); got <= first {
				t.Errorf("fault at operation %d: want more than %d, got %d", at, first, got)
			}
			if !struck {
				break
			}
		}
	}
}
