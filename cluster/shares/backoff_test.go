package shares

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"hotfolderd/leases"
)

func TestShares_heldNamesAreNotTried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		other := w.leaser("other")
		if _, err := other.Acquire(t.Context(), "p/7", "p/8"); err != nil {
			t.Fatal(err)
		}
		a := w.start(t, "a")
		a.Set(nodes("a"), nil)
		time.Sleep(time.Hour)
		if n := a.leaser.askedFor(); len(n) != 254 || n["p/7"] > 0 || len(a.leaser.calls()) != 4 {
			t.Fatalf("want all but the held ones asked for in four calls, got %d in %d calls", len(n), len(a.leaser.calls()))
		}
		other.lose()
		rest()
		if n := a.leaser.askedFor(); w.holders()["a"] != 256 || n["p/7"] != 1 {
			t.Errorf("want the free ones taken at once, got %v", w.holders())
		}
	})
}

// TestShares_staleViewEndsByTheNextOne: the watch shows free what somebody has just taken.
func TestShares_staleViewEndsByTheNextOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		if _, err := w.leaser("other").Acquire(t.Context(), "p/7"); err != nil {
			t.Fatal(err)
		}
		late := make(chan struct{})
		a := w.start(t, "a", func(o *Options) {
			o.Watch = func(ctx context.Context, seen func(map[string]string)) {
				seen(nil)
				<-late
				w.watch(ctx, seen)
			}
		})
		a.Set(nodes("a"), nil)
		time.Sleep(time.Minute)
		before := a.leaser.askedFor()["p/7"]
		if before < 30 || before > 70 || a.leaser.askedFor()["p/8"] != 1 {
			t.Errorf("want p/7 tried every second or two, got %d in a minute", before)
		}
		close(late)
		time.Sleep(time.Hour)
		if n := a.leaser.askedFor()["p/7"]; n != before {
			t.Errorf("it was tried %d times after it was seen as held", n-before)
		}
	})
}

func TestShares_nothingIsAskedBeforeTheWatchSpoke(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		a := w.start(t, "a", func(o *Options) {
			o.Watch = func(ctx context.Context, seen func(map[string]string)) {
				time.Sleep(time.Minute)
				w.watch(ctx, seen)
			}
		})
		a.Set(nodes("a"), nil)
		time.Sleep(30 * time.Second)
		if n := len(a.leaser.calls()); n > 0 {
			t.Errorf("%d calls", n)
		}
		time.Sleep(time.Minute)
		if n := len(a.Status()); n != 256 {
			t.Errorf("want all, got %d", n)
		}
	})
}

func TestShares_failingCallsAreSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		a := w.start(t, "a")
		a.leaser.set(func() { a.leaser.down = errors.New("no answer") })
		a.Set(nodes("a"), nil)
		time.Sleep(time.Minute)
		calls := a.leaser.calls()
		for i := 1; i < len(calls); i++ {
			d := min(minPause<<min(i, 10), maxPause)
			if gap := calls[i].Sub(calls[i-1]); gap < d/2 || gap > d+gather {
				t.Errorf("pause %d: want %v to %v, got %v", i, d/2, d, gap)
			}
		}
		if len(calls) < 30 || len(calls) > 70 {
			t.Errorf("%d calls in a minute", len(calls))
		}
	})
}

func TestShares_newsEndThePause(t *testing.T) {
	for name, news := range map[string]func(*world, *runner){
		"watch": func(w *world, _ *runner) { w.mu.Lock(); w.note(); w.mu.Unlock() },
		"set":   func(_ *world, a *runner) { a.Set(nodes("a", "b"), nil) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				a := w.start(t, "a")
				a.leaser.set(func() { a.leaser.down = leases.ErrLost })
				a.Set(nodes("a"), nil)
				time.Sleep(10 * time.Second)
				synctest.Wait()
				// Just after a try, so that the next is at least half the longest pause away.
				for n := len(a.leaser.calls()); len(a.leaser.calls()) == n; {
					time.Sleep(time.Millisecond)
				}
				n := len(a.leaser.calls())
				news(w, a)
				time.Sleep(500 * time.Millisecond)
				if got := len(a.leaser.calls()) - n; got < 2 {
					t.Errorf("want short pauses again, got %d tries in half a second", got)
				}
				a.leaser.set(func() { a.leaser.down = nil })
				a.Set(nodes("a", "c"), nil)
				rest()
				if len(a.Status()) == 0 {
					t.Error("nothing was taken")
				}
			})
		})
	}
}

func TestShares_sameSetCostsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		a := w.start(t, "a")
		a.leaser.set(func() { a.leaser.down = leases.ErrLost })
		pins := map[string]Pin{"x": {RunOn: []string{"a"}}, "free": {}}
		a.Set([]Node{{"a", 1}, {"b", 0}}, pins)
		time.Sleep(10 * time.Second)
		n := len(a.leaser.calls())
		for range 100 {
			a.Set([]Node{{"b", -1}, {"a", 1}}, map[string]Pin{"x": {RunOn: []string{"a"}}})
			rest()
		}
		if got := len(a.leaser.calls()); got > n+5 { // in five seconds
			t.Errorf("%d calls", got-n)
		}
	})
}

// TestShares_withoutWatchNamesAreTried: a lease that another process of the machine has is asked for again and again.
func TestShares_withoutWatchNamesAreTried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		other := w.leaser("other")
		if _, err := other.Acquire(t.Context(), "p/7"); err != nil {
			t.Fatal(err)
		}
		a := w.start(t, "a", func(o *Options) { o.Watch = nil })
		a.Set(nodes("a"), nil)
		rest()
		if n := len(a.Status()); n != 255 {
			t.Fatalf("want all but one, got %d", n)
		}
		other.lose()
		time.Sleep(maxPause)
		rest()
		if n := len(a.Status()); n != 256 || a.leaser.askedFor()["p/8"] != 1 {
			t.Errorf("want all, got %d", n)
		}
	})
}

// TestShares_releaseWithoutAnswer: the lease has ended for us; the name comes back when the leaser frees it.
func TestShares_releaseWithoutAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		a := w.start(t, "a")
		a.Set(nodes("a"), nil)
		rest()
		a.leaser.set(func() { a.leaser.deaf = true })
		a.Set(nodes("b"), nil)
		rest()
		if n := len(a.Status()); n != 0 {
			t.Fatalf("want nothing held, got %d", n)
		}
		a.Set(nodes("a"), nil)
		rest()
		if a.leaser.held > 0 {
			t.Errorf("%d names were tried although they are seen as held", a.leaser.held)
		}
		a.leaser.lose() // what the leaser's sweep does
		rest()
		if n := len(a.Status()); n != 256 {
			t.Errorf("want all, got %d", n)
		}
	})
}

// TestShares_faultsAreLogged: the first of several as a warning, an ordinary answer never.
func TestShares_faultsAreLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		if _, err := w.leaser("other").Acquire(t.Context(), "p/7"); err != nil {
			t.Fatal(err)
		}
		core, logs := observer.New(zap.InfoLevel)
		a := w.start(t, "a", func(o *Options) { o.Log, o.Watch = zap.New(core), nil })
		warnings := func() int { return logs.FilterLevelExact(zap.WarnLevel).Len() }
		a.Set(nodes("a"), nil)
		time.Sleep(time.Minute)
		if n := warnings(); n != 0 {
			t.Errorf("%d warnings that another has a name", n)
		}
		a.leaser.set(func() { a.leaser.faulty = "p/9" })
		a.Set(nodes("b"), nil)
		rest()
		a.Set(nodes("a"), nil)
		time.Sleep(time.Minute)
		if n := warnings(); n != 1 || len(a.Status()) != 254 {
			t.Errorf("want one warning in a minute of faults, got %d; %d are held", n, len(a.Status()))
		}
	})
}
