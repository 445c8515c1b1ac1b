package workarea

import (
	"errors"
	"sync"
	"testing"

	"hotfolderd/storage/storagetest"
)

func mustEpoch(t testing.TB, a *Area, atLeast uint64) uint64 {
	t.Helper()
	n, err := a.RaiseEpoch(t.Context(), atLeast)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestRaiseEpoch_onlyGrows(t *testing.T) {
	s := folder(t)
	open(t, s)
	put(t, s, "workarea/epochs/notes.txt", "not ours")
	put(t, s, "workarea/epochs/99", "not ours either: too short")
	for _, c := range []struct{ atLeast, want uint64 }{{0, 0}, {3, 3}, {0, 3}, {2, 3}, {3, 3}, {1 << 60, 1 << 60}, {7, 1 << 60}} {
		if got := mustEpoch(t, open(t, s), c.atLeast); got != c.want {
			t.Errorf("at least %d: want %d, got %d", c.atLeast, c.want, got)
		}
	}
}

func TestRaiseEpoch_keepsTheNewestFew(t *testing.T) {
	s := folder(t)
	a := open(t, s)
	for n := range uint64(3 * keptNumbers) {
		mustEpoch(t, a, n+1)
	}
	left := tree(t, s, "workarea/epochs")
	if len(left) != keptNumbers || left[len(left)-1] != string(series{a, "epochs"}.key(3*keptNumbers)) {
		t.Errorf("want the newest %d, got %q", keptNumbers, left)
	}
}

func TestRaiseEpoch_byManyAtOnceIsNeverLess(t *testing.T) {
	s := folder(t)
	var wg sync.WaitGroup
	for range 4 {
		a := open(t, s)
		wg.Go(func() {
			for n := range uint64(40) {
				if got := mustEpoch(t, a, n); got < n {
					t.Errorf("want at least %d, got %d", n, got)
				}
			}
		})
	}
	wg.Wait()
	if got := mustEpoch(t, open(t, s), 0); got != 39 {
		t.Errorf("want 39 in the end, got %d", got)
	}
}

func TestRaiseEpoch_isDurableOnceReturned(t *testing.T) {
	for _, when := range []storagetest.When{storagetest.Before, storagetest.After} {
		for at := 0; ; at++ {
			mem := storagetest.NewMem()
			f := storagetest.NewFault(mem)
			a := open(t, f)
			mustEpoch(t, a, 5)
			f.Reset()
			f.Inject(storagetest.Rule{When: when, After: at, Times: 1, Err: errors.New("broken")})
			want := uint64(5)
			if n, err := a.RaiseEpoch(t.Context(), 9); err == nil {
				want = n
			}
			struck := f.Fired() > 0
			f.Clear()
			mem.PowerCut()
			if got := mustEpoch(t, a, 0); got < want {
				t.Errorf("fault at operation %d: want at least %d, got %d", at, want, got)
			}
			if !struck {
				break
			}
		}
	}
}
