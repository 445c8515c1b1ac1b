package workarea

import (
	"errors"
	"io/fs"
	"sync"
	"sync/atomic"
	"testing"

	"hotfolderd/storage"
)

func TestSetHome_ofManyAtOnceOneIsFirst(t *testing.T) {
	s := folder(t)
	var wg sync.WaitGroup
	var first atomic.Int32
	for range 8 {
		a := open(t, s)
		wg.Go(func() {
			switch err := a.SetHome(t.Context(), storage.Home{Cluster: "one", Namespace: "default"}, 0); {
			case err == nil:
				first.Add(1)
			case !errors.Is(err, fs.ErrExist):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := first.Load(); n != 1 {
		t.Errorf("want one, %d were first", n)
	}
}

func TestHome_isTheNewest(t *testing.T) {
	a := open(t, folder(t))
	if h, n, err := a.Home(t.Context()); err != nil || n != 0 || h != (storage.Home{}) {
		t.Fatalf("a new store: %+v, %d, %v", h, n, err)
	}
	for n := range uint64(2 * keptNumbers) {
		moved, err := a.Moved(t.Context(), n)
		if err != nil || moved {
			t.Fatalf("before: moved %v, %v", moved, err)
		}
		cluster := string(rune('a' + n))
		if err := a.SetHome(t.Context(), storage.Home{Cluster: cluster, Namespace: "default"}, n); err != nil {
			t.Fatal(err)
		}
		if moved, err = a.Moved(t.Context(), n); err != nil || !moved {
			t.Fatalf("after: moved %v, %v", moved, err)
		}
		h, number, err := a.Home(t.Context())
		if err != nil || h.Cluster != cluster || h.Namespace != "default" || h.Since.IsZero() || number != n+1 {
			t.Fatalf("want %s as number %d, got %+v as %d, %v", cluster, n+1, h, number, err)
		}
	}
}
