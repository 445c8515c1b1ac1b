package workarea

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hotfolderd/asset"
	"hotfolderd/leases"
	"hotfolderd/storage"
	"hotfolderd/storage/storagetest"
)

// tenant is an area of a node with a name.
func tenant(t *testing.T, s storage.Store, node string) *Area {
	t.Helper()
	a, err := Open(t.Context(), s, Options{Node: node})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func hold(t *testing.T, a *Area, o TenureOptions) *Tenure {
	t.Helper()
	tenure, err := a.Hold(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return tenure
}

// runs has a holder look; end stops it, and returns what it said.
func runs(t *testing.T, tenure *Tenure) (end func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- tenure.Run(ctx) }()
	return func() error { cancel(); return <-done }
}

func wantHeld(t *testing.T, a *Area, o TenureOptions, words ...string) {
	t.Helper()
	_, err := a.Hold(t.Context(), o)
	if !errors.Is(err, leases.ErrHeld) {
		t.Fatalf("want ErrHeld, got %v", err)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("want the word %q in: %v", word, err)
		}
	}
}

func TestHold_oneThatLivesIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := storagetest.NewMem()
		end := runs(t, hold(t, tenant(t, s, "a"), TenureOptions{}))
		for range 3 {
			wantHeld(t, tenant(t, s, "b"), TenureOptions{Machine: "elsewhere"}, `"a"`, "alone")
		}
		if err := end(); err != nil {
			t.Error(err)
		}
		if left := tree(t, s, "workarea/tenures"); len(left) != 1 {
			t.Errorf("want the questions gone, got %q", left)
		}
	})
}

// One that is stopped and goes on finds that another has come, and counts on nothing before it looks.
func TestHold_oneThatGivesNoSignIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := storagetest.NewMem()
		old, begin := hold(t, tenant(t, s, "a"), TenureOptions{}), time.Now()
		if !old.Fresh() {
			t.Error("a new tenure is not fresh")
		}
		now := hold(t, tenant(t, s, "b"), TenureOptions{})
		if took := time.Since(begin); took < DefaultTenurePatience || took > 2*DefaultTenurePatience {
			t.Errorf("it was taken after %v", took)
		}
		if old.Fresh() || !now.Fresh() {
			t.Errorf("fresh: the old one %v, the new one %v", old.Fresh(), now.Fresh())
		}
		end := runs(t, now)
		if err := old.Run(t.Context()); !errors.Is(err, leases.ErrLost) || !strings.Contains(err.Error(), `"b"`) {
			t.Errorf("want the old one told who has it, got %v", err)
		}
		if err := old.Close(t.Context()); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Hour)
		if err := end(); err != nil || !now.Fresh() {
			t.Errorf("the new one: %v, fresh %v", err, now.Fresh())
		}
	})
}

func TestHold_nobodyIsAskedWhereItIsKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, begin := storagetest.NewMem(), time.Now()
		given := hold(t, tenant(t, s, "a"), TenureOptions{Machine: "m"})
		if err := given.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		hold(t, tenant(t, s, "b"), TenureOptions{Machine: "n"})                    // it was given back
		killed := hold(t, tenant(t, s, "b"), TenureOptions{Machine: "n"})          // the lock of this machine says that b is dead
		together := hold(t, tenant(t, s, "c"), TenureOptions{Cluster: "together"}) // c cannot know, and asks
		if took := time.Since(begin); took < DefaultTenurePatience || took > 2*DefaultTenurePatience {
			t.Errorf("want one question, waited %v", took)
		}
		if err := killed.Run(t.Context()); !errors.Is(err, leases.ErrLost) {
			t.Errorf("want the one before told, got %v", err)
		}
		if again := hold(t, tenant(t, s, "d"), TenureOptions{Cluster: "together"}); again.number != together.number {
			t.Errorf("want the cluster's number %d shared, got %d", together.number, again.number)
		}
	})
}

func TestHold_aClusterAndOneAloneKeepEachOtherAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := storagetest.NewMem()
		together := TenureOptions{Cluster: "together"}
		first := runs(t, hold(t, tenant(t, s, "a"), together))
		second := runs(t, hold(t, tenant(t, s, "b"), together))
		if err := first(); err != nil {
			t.Error(err)
		}
		wantHeld(t, tenant(t, s, "x"), TenureOptions{}, `the cluster "together"`)
		wantHeld(t, tenant(t, s, "x"), TenureOptions{Cluster: "another"}, `the cluster "together"`)
		if err := second(); err != nil {
			t.Error(err)
		}
		alone := hold(t, tenant(t, s, "x"), TenureOptions{})
		end := runs(t, alone)
		wantHeld(t, tenant(t, s, "a"), together, `"x"`, "alone")
		if err := errors.Join(end(), alone.Close(t.Context())); err != nil {
			t.Error(err)
		}
		hold(t, tenant(t, s, "a"), together)
	})
}

func TestHold_ofManyNewcomersOneHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := storagetest.NewMem()
		hold(t, tenant(t, s, "dead"), TenureOptions{})
		ctx, cancel := context.WithCancel(t.Context())
		held := make(chan error, 8)
		for range cap(held) {
			a := tenant(t, s, "new")
			go func() {
				tenure, err := a.Hold(ctx, TenureOptions{})
				held <- err
				if err == nil {
					_ = tenure.Run(ctx)
				}
			}()
		}
		won := 0
		for range cap(held) {
			switch err := <-held; {
			case err == nil:
				won++
			case !errors.Is(err, leases.ErrHeld):
				t.Error(err)
			}
		}
		cancel()
		if won != 1 {
			t.Errorf("want one holder, got %d", won)
		}
	})
}

// An idle holder writes nothing, and what the ones before left goes.
func TestHold_costsAListingNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := storagetest.NewFault(storagetest.NewMem())
		for range 5 {
			if err := hold(t, tenant(t, f, "a"), TenureOptions{}).Close(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		end := runs(t, hold(t, tenant(t, f, "a"), TenureOptions{}))
		if left := tree(t, f, "workarea/tenures"); len(left) != 1 {
			t.Errorf("want one object, got %q", left)
		}
		f.Reset()
		time.Sleep(time.Hour)
		if err := end(); err != nil {
			t.Error(err)
		}
		n := f.Counts()
		looks, all := n[storagetest.OpList], 0
		for _, times := range n {
			all += times
		}
		if looks > 181 || all > looks+2 { // who the store is, once
			t.Errorf("want listings alone, one in 20 s, got %d and %v", looks, n)
		}
	})
}

// A store that does not answer for a while takes the tenure from nobody, but the holder does not count on it meanwhile.
func TestHold_aStoreThatIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := storagetest.NewFault(storagetest.NewMem())
		tenure := hold(t, tenant(t, f, "a"), TenureOptions{})
		end := runs(t, tenure)
		lift := f.Inject(storagetest.Rule{Match: storagetest.Below(asset.Root), Err: errors.New("away")})
		time.Sleep(time.Minute)
		if tenure.Fresh() {
			t.Error("it counts on what it cannot see")
		}
		lift()
		time.Sleep(2 * DefaultTenureEvery)
		if err := end(); err != nil || !tenure.Fresh() {
			t.Errorf("after it: %v, fresh %v", err, tenure.Fresh())
		}
	})
}
