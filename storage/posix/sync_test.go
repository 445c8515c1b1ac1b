package posix

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// served is a syncer whose requests are made durable by the test.
func served() *syncer { return newSyncer(-1, false, nil, nil) }

func TestSyncer_whoWaitsAtTheSameTimeIsServedTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := served()
		var wg sync.WaitGroup
		begin := time.Now()
		for range 100 {
			wg.Go(func() {
				if err := y.wait(t.Context(), func() error { time.Sleep(time.Second); return nil }, nil); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if took := time.Since(begin); took != 2*time.Second { // the first one alone, then all the others
			t.Errorf("want two batches, got %s", took)
		}
		if y.busy || len(y.waiting) != 0 {
			t.Errorf("want nobody waiting, got busy %v and %d", y.busy, len(y.waiting))
		}
	})
}

func TestSyncer_anErrorReachesItsOwnRequestOnly(t *testing.T) {
	y := served()
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			var want error
			if i%3 == 0 {
				want = fmt.Errorf("file %d", i)
			}
			if got := y.wait(t.Context(), func() error { return want }, nil); !errors.Is(got, want) {
				t.Errorf("file %d: want %v, got %v", i, want, got)
			}
		})
	}
	wg.Wait()
}

func TestSyncer_whoGivesUpStopsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := served()
		var wg sync.WaitGroup
		var durable, gone atomic.Int32
		for i := range 1000 {
			wg.Go(func() {
				time.Sleep(time.Duration(rand.N(50)) * time.Millisecond)
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+rand.N(30))*time.Millisecond)
				defer cancel()
				if i%2 == 0 {
					ctx = t.Context()
				}
				var synced atomic.Bool
				err := y.wait(ctx, func() error {
					time.Sleep(time.Duration(rand.N(10)) * time.Millisecond)
					synced.Store(true)
					return nil
				}, nil)
				switch {
				case err == nil && synced.Load():
					durable.Add(1)
				case err != nil && i%2 != 0 && errors.Is(err, context.DeadlineExceeded) && !synced.Load():
					gone.Add(1)
				default:
					t.Errorf("request %d: want it durable, or given up before it was begun, got %v, synced %v", i, err, synced.Load())
				}
			})
		}
		wg.Wait()
		if durable.Load() < 500 || gone.Load() == 0 {
			t.Errorf("want half served and some given up, got %d and %d", durable.Load(), gone.Load())
		}
		if y.busy || len(y.waiting) != 0 {
			t.Errorf("want the lead handed on to the end, got busy %v and %d waiting", y.busy, len(y.waiting))
		}
	})
}

// What was begun is not over because its caller would like to go: the descriptor must stay open until then.
func TestSyncer_whoGivesUpWaitsForWhatWasBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := served()
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { _ = y.wait(t.Context(), func() error { time.Sleep(time.Second); return nil }, nil) })
		synctest.Wait()
		broken := errors.New("lost")
		var got error
		wg.Go(func() { _ = y.wait(t.Context(), func() error { return nil }, nil) }) // will lead
		synctest.Wait()
		wg.Go(func() { got = y.wait(ctx, func() error { time.Sleep(time.Second); return broken }, nil) })
		time.Sleep(1500 * time.Millisecond)
		cancel()
		wg.Wait()
		if !errors.Is(got, broken) {
			t.Errorf("want the file's own error, got %v", got)
		}
	})
}

func TestFlush_canceledAndDiscardedUnderWay(t *testing.T) {
	s := open(t)
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			for range 16 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.N(2000))*time.Microsecond)
				staged, err := s.stage()
				if err != nil {
					t.Error(err)
				} else {
					_, _ = staged.Write([]byte("some bytes"))
					if err := staged.Flush(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("want it flushed or given up, got %v", err)
					}
					if err := staged.Discard(); err != nil {
						t.Error(err)
					}
				}
				cancel()
			}
			key := asset.Key(fmt.Sprintf("d%d/x", i%8)) // none of this disturbs those who stay
			if _, err := s.Put(t.Context(), key, bytes.NewReader([]byte("x")), storage.PutOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// folders is a syncer that notes which folders were synced, and fails for one.
func folders(fails asset.Key) (*syncer, *[]asset.Key) {
	var mu sync.Mutex
	var synced []asset.Key
	return newSyncer(-1, false, func(dir asset.Key) error {
		time.Sleep(time.Second)
		mu.Lock()
		defer mu.Unlock()
		synced = append(synced, dir)
		if dir == fails {
			return errors.New("input/output error")
		}
		return nil
	}, func() error { return nil }), &synced
}

func TestSyncer_aFolderThatManyWaitForIsSyncedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y, synced := folders("none")
		var files atomic.Int32
		var wg sync.WaitGroup
		for i := range 100 {
			wg.Go(func() {
				file := func() error { time.Sleep(time.Second); files.Add(1); return nil }
				if err := y.wait(t.Context(), file, []asset.Key{asset.Key(fmt.Sprintf("d%d", i%2))}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if got := len(*synced); got != 3 || files.Load() != 100 { // the first caller's folder, then both
			t.Errorf("want 100 files and their folders once for each batch, got %d files and %d folders", files.Load(), got)
		}
	})
}

func TestSyncer_whatAFolderMissesIsToldToThoseWhoWaitForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y, _ := folders("bad")
		var wg sync.WaitGroup
		for i := range 100 {
			dir := asset.Key("good")
			if i%3 == 0 {
				dir = "bad"
			}
			wg.Go(func() {
				err := y.wait(t.Context(), func() error { return nil }, []asset.Key{dir})
				if (err != nil) != (dir == "bad") {
					t.Errorf("%s: got %v", dir, err)
				}
			})
		}
		wg.Wait()
	})
}

func TestSyncer_aStoreThatIsDownVouchesForNoFolder(t *testing.T) {
	down := errors.New("the file system has shut itself down")
	y := newSyncer(-1, false, func(asset.Key) error { return nil }, func() error { return down })
	if err := y.wait(t.Context(), func() error { return nil }, []asset.Key{"d"}); !errors.Is(err, down) {
		t.Errorf("want %v, got %v", down, err)
	}
	if err := y.wait(t.Context(), func() error { return nil }, nil); err != nil {
		t.Errorf("want a file's own fsync believed, got %v", err)
	}
}
