package workarea

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
	"hotfolderd/storage/storagetest"
)

// looking holds a tenure; last is what its newest look told.
func looking(t *testing.T, a *Area) (last func() Look, end func() error) {
	t.Helper()
	var l Look
	tenure := hold(t, a, TenureOptions{Saw: func(_ context.Context, now Look) { l = now }})
	end = runs(t, tenure)
	return func() Look {
		time.Sleep(DefaultTenureEvery + time.Second)
		synctest.Wait()
		return l
	}, end
}

func TestLook_tellsWhatHasChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := storagetest.NewMem()
		a, b := tenant(t, s, "a"), tenant(t, s, "b")
		last, end := looking(t, a)
		before := last()
		if before.Identity == "" || before.Pauses != "" || before.Rules != 0 {
			t.Errorf("want the identity alone, got %+v", before)
		}
		if err := errors.Join(b.SetPaused(t.Context(), "inbox", true), b.SetPaused(t.Context(), "other", true)); err != nil {
			t.Fatal(err)
		}
		both := last()
		if err := b.SetPaused(t.Context(), "inbox", false); err != nil {
			t.Fatal(err)
		}
		one := last()
		if both.Pauses == "" || one.Pauses == "" || one.Pauses == both.Pauses || one.Identity != before.Identity {
			t.Errorf("want each change of the pauses seen and nothing else, got %+v, %+v", both, one)
		}
		for n := range 11 {
			if _, err := b.PublishRules(t.Context(), RuleSet{Files: map[string]string{"a.yaml": string(rune('a' + n))}}); err != nil {
				t.Fatal(err)
			}
		}
		if got := last().Rules; got != 11 {
			t.Errorf("want rule set 11, got %d", got)
		}
		if err := end(); err != nil {
			t.Error(err)
		}
	})
}

// What is listed in no order must not end the look at the first name that lies behind.
func TestLook_ofAStoreWithoutAnOrder(t *testing.T) {
	a := open(t, folder(t))
	if err := a.SetPaused(t.Context(), "inbox", true); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []asset.Key{"aaa", "zzz"} {
		if err := a.putSmall(t.Context(), a.at(folder, "1"), "x"); err != nil {
			t.Fatal(err)
		}
	}
	l, err := a.look(t.Context())
	if err != nil || l.Pauses == "" || l.Identity == "" {
		t.Errorf("want all of it, got %+v, %v", l, err)
	}
}

// A bucket that was cleared, or is another one, was taken by nobody: who held it counts on nothing and ends nothing.
func TestHold_aStoreThatWasClearedIsNobodys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := storagetest.NewMem()
		a := tenant(t, s, "a")
		var l Look
		tenure := hold(t, a, TenureOptions{Saw: func(_ context.Context, now Look) { l = now }})
		end := runs(t, tenure)
		was := map[asset.Key][]byte{}
		for _, name := range tree(t, s, "workarea") {
			was[asset.Key(name)] = []byte(storagetest.Content(t, s, asset.Key(name)))
			if err := s.Remove(t.Context(), asset.Key(name), ""); err != nil {
				t.Fatal(err)
			}
		}
		unsure := func(when string) {
			t.Helper()
			time.Sleep(3 * DefaultTenureEvery)
			synctest.Wait()
			if tenure.Fresh() {
				t.Errorf("%s: it counts on it", when)
			}
		}
		if unsure("cleared"); l.Identity != "" {
			t.Errorf("want it told that the store is gone, got %+v", l)
		}
		hold(t, tenant(t, s, "b"), TenureOptions{}) // takes the same number, of a new store
		unsure("another store")
		for name, data := range was {
			if _, err := s.Put(t.Context(), name, bytes.NewReader(data), storage.PutOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(2 * DefaultTenureEvery)
		if err := end(); err != nil || !tenure.Fresh() {
			t.Errorf("back again: %v, fresh %v", err, tenure.Fresh())
		}
	})
}
