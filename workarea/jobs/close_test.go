package jobs_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
	"hotfolderd/storage/storagetest"
	"hotfolderd/workarea/jobs"
)

// TestClose_waitsForNoStoreThatHangs has a note on its way to a store that does not answer any more.
func TestClose_waitsForNoStoreThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := storagetest.NewFault(storagetest.NewMem())
		h := newHouse(t, hour, func() storage.Store { return f })
		j := h.create(jobs.Wanted{Quota: 1000})
		_, budget, done, err := h.nodes[1].Files(t.Context(), j.ID)
		if err != nil {
			t.Fatal(err)
		}
		defer done()
		f.Inject(storagetest.Rule{Op: storagetest.OpPut, Hang: true})
		asked := make(chan error, 1)
		go func() {
			_, err := budget.Hold(t.Context(), 10)
			asked <- err
		}()
		synctest.Wait()
		begin := time.Now()
		h.nodes[1].Close()
		if took := time.Since(begin); took > 20*time.Second {
			t.Errorf("want the end not to wait for the store, it took %s", took)
		}
		if err := <-asked; err == nil {
			t.Error("want no bytes given that are not noted")
		}
		if _, err := budget.Hold(t.Context(), 10); !errors.Is(err, asset.ErrNotNow) {
			t.Errorf("want nothing given after the end, got %v", err)
		}
	})
}
