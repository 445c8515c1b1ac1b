package shares

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hotfolderd/asset"
	"hotfolderd/leases"
	"hotfolderd/leases/local"
)

func TestShares_aloneHoldsAll(t *testing.T) {
	l, err := local.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	gained := make(chan struct{}, 10)
	s := New(Options{Self: "a", Leaser: l, Gained: func() { gained <- struct{}{} }})
	if s.Mine("inbox", "x.jpg") {
		t.Error("a drop is ours before Run")
	}
	s.Set(nodes("a"), nil)
	stop := run(t, s)
	<-gained
	held := s.Status()
	if len(held) != DefaultPartitions || held[0].Name != "p/0" || held[255].Name != "p/255" {
		t.Fatalf("want p/0 to p/255, got %d: %v", len(held), names(s))
	}
	lease, done := claim(t, s, "inbox", "x.jpg")
	if !s.Mine("inbox", "x.jpg") || lease.Context().Err() != nil {
		t.Error("it is not ours although we have it")
	}
	done()
	stop()
	if l, done := s.Claim("inbox", "x.jpg"); l != nil || done != nil || s.Mine("inbox", "x.jpg") || lease.Context().Err() == nil {
		t.Error("it is ours after Run")
	}
	if grants, err := l.Acquire(t.Context(), names(s)...); err != nil || len(grants) != 0 {
		t.Errorf("want nothing held, got %v, %v", grants, err)
	}
	if g, err := l.Acquire(t.Context(), "p/0"); err != nil || g[0].Err != nil {
		t.Errorf("p/0 was not given back: %v, %v", g, err)
	}
}

func TestShares_runsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		a := w.start(t, "a")
		a.Set(nodes("a"), nil)
		for range 2 {
			rest()
			if n := w.holders()["a"]; n != 256 {
				t.Fatalf("want all, got %d", n)
			}
			a.stop()
			if n := w.holders()["a"]; n != 0 {
				t.Fatalf("want none after Run, got %d", n)
			}
			a.stop = run(t, a.Shares)
		}
	})
}

func TestShares_areDividedAmongThree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		a, b, c := w.start(t, "a"), w.start(t, "b"), w.start(t, "c")
		setAll(nodes("a", "b", "c"), nil, a, b, c)
		rest()
		for _, r := range []*runner{a, b, c} {
			if n := len(r.Status()); n < 85 || n > 86 {
				t.Errorf("%s: want a third, got %d", r.o.Self, n)
			}
			if len(r.leaser.calls()) > 2 || r.leaser.held > 0 {
				t.Errorf("%s asked %d times, %d times in vain", r.o.Self, len(r.leaser.calls()), r.leaser.held)
			}
			if r.gained.Load() != 1 {
				t.Errorf("%s: want one call of Gained, got %d", r.o.Self, r.gained.Load())
			}
		}
		for j := range 1000 {
			key, owners := asset.Key(strings.Repeat("x", j)), 0
			for _, r := range []*runner{a, b, c} {
				if r.Mine("inbox", key) {
					owners++
				}
			}
			if owners != 1 {
				t.Fatalf("%d nodes say that %q is theirs", owners, key)
			}
		}
	})
}

func TestShares_weights(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		a, b, idle := w.start(t, "a"), w.start(t, "b"), w.start(t, "c")
		setAll([]Node{{"a", 2}, {"b", 1}, {"c", 0}}, nil, a, b, idle)
		rest()
		if of := w.holders(); of["a"] < 170 || of["a"] > 171 || of["a"]+of["b"] != 256 || len(idle.leaser.calls()) > 0 {
			t.Errorf("want 2:1 and nothing for c, got %v", of)
		}
	})
}

func TestShares_leaverIsTakenOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		a, b, c := w.start(t, "a"), w.start(t, "b"), w.start(t, "c")
		setAll(nodes("a", "b", "c"), nil, a, b, c)
		rest()
		setAll(nodes("a", "b"), nil, a, b) // c does not hear of it
		rest()
		c.stop()
		rest()
		if of := w.holders(); of["a"] != 128 || of["b"] != 128 {
			t.Errorf("want all with a and b, got %v", of)
		}
		if a.leaser.held+b.leaser.held > 0 {
			t.Errorf("%d tries were in vain", a.leaser.held+b.leaser.held)
		}
	})
}

func TestShares_joinMovesOnlyItsShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		a, b, c := w.start(t, "a"), w.start(t, "b"), w.start(t, "c")
		setAll(nodes("a", "b"), nil, a, b)
		rest()
		before := Assign(nodes("a", "b"), 256, "p/")
		tokens := map[string]leases.Token{}
		for _, h := range append(a.Status(), b.Status()...) {
			tokens[h.Name] = h.Token
		}
		setAll(nodes("a", "b", "c"), nil, a, b, c)
		rest()
		stayed, _ := moved(before, Assign(nodes("a", "b", "c"), 256, "p/"), "")
		stayed = 256 - stayed
		for _, h := range append(a.Status(), b.Status()...) {
			if tokens[h.Name] == h.Token {
				stayed--
			}
		}
		if n := w.holders()["c"]; n < 85 || stayed != 0 {
			t.Errorf("want c to hold its share, got %d; %d more than needed were given back", n, stayed)
		}
	})
}

func TestShares_lostLeasesAreTakenAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		a := w.start(t, "a")
		a.Set(nodes("a"), nil)
		rest()
		lease, done := claim(t, a.Shares, "inbox", "x.jpg")
		a.leaser.set(func() { a.leaser.down = leases.ErrLost })
		a.leaser.lose()
		if a.Mine("inbox", "x.jpg") || !errors.Is(context.Cause(lease.Context()), leases.ErrLost) {
			t.Fatal("it is ours after the session was lost")
		}
		if l, _ := a.Claim("inbox", "x.jpg"); l != nil || len(a.Status()) != 0 {
			t.Fatal("it can be claimed after the session was lost")
		}
		rest()
		a.leaser.set(func() { a.leaser.down = nil })
		time.Sleep(maxPause)
		rest()
		again, doneAgain := claim(t, a.Shares, "inbox", "x.jpg")
		if len(a.Status()) != 256 || again == lease || !lease.Token().Less(again.Token()) || a.gained.Load() != 2 {
			t.Errorf("want new leases on all and Gained, got %d, %d calls", len(a.Status()), a.gained.Load())
		}
		done() // of the old lease: says nothing about the new one
		if h := a.Status()[asset.Partition("inbox", "x.jpg", 256)]; h.InHand != 1 {
			t.Errorf("want one walk in hand, got %+v", h)
		}
		doneAgain()
	})
}

func TestShares_handOverWaitsForTheWalk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		a, b := w.start(t, "a"), w.start(t, "b")
		a.Set(nodes("a"), nil)
		rest()
		i := slices.Index(Assign(nodes("a", "b"), 256, "p/"), "b")
		key := keyIn("inbox", i, 256)
		lease, done := claim(t, a.Shares, "inbox", key)
		setAll(nodes("a", "b"), nil, a, b)
		time.Sleep(time.Hour)
		if l, _ := a.Claim("inbox", key); l != nil || a.Mine("inbox", key) {
			t.Fatal("a walk began in a partition that is being drained")
		}
		if h := a.Status(); lease.Context().Err() != nil || len(h) != 129 || !slices.ContainsFunc(h, func(h Held) bool {
			return h.Name == lease.Name() && h.Draining && h.InHand == 1
		}) {
			t.Fatalf("want %s to be drained and kept, got %+v", lease.Name(), h)
		}
		if of := w.holders(); of["b"] != 127 || b.leaser.held > 0 {
			t.Fatalf("want all others handed over, got %v; %d tries were in vain", of, b.leaser.held)
		}
		gained := b.gained.Load()
		done()
		rest()
		if w.holder(lease.Name()) != "b" || lease.Context().Err() == nil || !b.Mine("inbox", key) || b.gained.Load() != gained+1 {
			t.Errorf("want it handed over, it is %q's", w.holder(lease.Name()))
		}
	})
}

func TestShares_drainedIsOpenedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		a := w.start(t, "a")
		a.Set(nodes("a"), nil)
		rest()
		lease, done := claim(t, a.Shares, "inbox", "x.jpg")
		a.Set(nodes("b"), nil)
		rest()
		if n := len(a.Status()); n != 1 {
			t.Fatalf("want one left, got %d", n)
		}
		a.Set(nodes("a"), nil)
		rest()
		again, doneAgain := claim(t, a.Shares, "inbox", "x.jpg")
		if again != lease || len(a.Status()) != 256 || a.gained.Load() != 2 {
			t.Errorf("want the lease kept and Gained called, got %v, %d calls", again, a.gained.Load())
		}
		done()
		doneAgain()
		rest()
		if lease.Context().Err() != nil {
			t.Error("it was given back although it is wanted")
		}
	})
}

// TestShares_lossIsNoticedWithoutWatch: the lease's own end wakes the loop.
func TestShares_lossIsNoticedWithoutWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		a := w.start(t, "a", func(o *Options) { o.Watch = nil })
		a.Set(nodes("a"), nil)
		rest()
		a.leaser.lose()
		rest()
		if n := len(a.Status()); n != 256 || a.gained.Load() != 2 {
			t.Errorf("want all taken again, got %d", n)
		}
	})
}

// TestGained_isCalledWithoutALock: it may use everything.
func TestGained_isCalledWithoutALock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		var s *Shares
		var held int
		a := w.start(t, "a", func(o *Options) {
			o.Gained = func() {
				held = len(s.Status())
				if _, done := s.Claim("in", "x"); done != nil {
					done()
				}
				s.Set(nodes("a", "b"), nil)
				s.Resume()
			}
		})
		s = a.Shares
		a.Set(nodes("a"), nil)
		rest()
		if held != 256 || len(a.Status()) != 128 {
			t.Errorf("want all held when Gained was called, got %d", held)
		}
	})
}
