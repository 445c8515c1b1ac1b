package leasestest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hotfolderd/leases"
)

func grantsInOrder(t *testing.T, w *world) {
	free1, taken, free2 := name(t, "z"), name(t, "m"), name(t, "a")
	held := eventually(t, w.a, taken)
	grants, err := w.b.Acquire(t.Context(), free1, taken, free2)
	if err != nil || len(grants) != 3 {
		t.Fatalf("want three grants, got %+v, %v", grants, err)
	}
	for i, want := range []string{free1, taken, free2} {
		g := grants[i]
		switch {
		case g.Name != want:
			t.Fatalf("grant %d: want %q, got %q", i, want, g.Name)
		case want == taken && (g.Lease != nil || !errors.Is(g.Err, leases.ErrHeld)):
			t.Fatalf("a held name: want ErrHeld, got %+v", g)
		case want != taken && (g.Err != nil || g.Lease.Name() != want):
			t.Fatalf("a free name: want a lease on %q, got %+v", want, g)
		case want != taken:
			wantAlive(t, g.Lease)
		}
	}
	wantAlive(t, held)
}

func neverWaits(t *testing.T, w *world) {
	n := name(t, "held")
	eventually(t, w.a, n)
	start := time.Now()
	if _, err := acquire(t, w.b, n); !errors.Is(err, leases.ErrHeld) {
		t.Fatalf("want ErrHeld, got %v", err)
	}
	if took := time.Since(start); took > soon {
		t.Fatalf("the answer took %v", took)
	}
}

func ofNothing(t *testing.T, w *world) {
	if grants, err := w.a.Acquire(t.Context()); err != nil || len(grants) != 0 {
		t.Fatalf("want no grants, got %+v, %v", grants, err)
	}
}

// ofManyNames asks for more names than one transaction of Consul can hold.
func ofManyNames(t *testing.T, w *world) {
	many := names(t, 150)
	held := eventually(t, w.b, many[70])
	grants, err := w.a.Acquire(t.Context(), many...)
	if err != nil || len(grants) != len(many) {
		t.Fatalf("want %d grants, got %d, %v", len(many), len(grants), err)
	}
	tokens := map[leases.Token]string{}
	for i, g := range grants {
		if i == 70 {
			if !errors.Is(g.Err, leases.ErrHeld) {
				t.Fatalf("grant %d: want ErrHeld, got %+v", i, g)
			}
			continue
		}
		if g.Err != nil || g.Name != many[i] {
			t.Fatalf("grant %d: want a lease on %q, got %+v", i, many[i], g)
		}
		tokens[g.Lease.Token()] = g.Name
		release(t, g.Lease)
	}
	wantAlive(t, held)
}

func oddNames(t *testing.T, w *world) {
	for _, odd := range []string{"with space", "ünï", "a/b/c", "%2F", "a?b=c&d#e", "a+b", strings.Repeat("long", 100)} {
		n := name(t, odd)
		held := eventually(t, w.a, n)
		if held.Name() != n {
			t.Fatalf("want the name %q, got %q", n, held.Name())
		}
		if _, err := acquire(t, w.b, n); !errors.Is(err, leases.ErrHeld) {
			t.Fatalf("%q: want ErrHeld, got %v", n, err)
		}
		release(t, held)
	}
}

func canceledAcquire(t *testing.T, w *world) {
	n := name(t, "n")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if grants, err := w.a.Acquire(ctx, n); !errors.Is(err, context.Canceled) || grants != nil {
		t.Fatalf("want context.Canceled, got %+v, %v", grants, err)
	}
	release(t, eventually(t, w.b, n))
}

func releaseGivesBack(t *testing.T, w *world) {
	n := name(t, "n")
	first := eventually(t, w.a, n)
	wantAlive(t, first)
	if _, err := acquire(t, w.b, n); !errors.Is(err, leases.ErrHeld) {
		t.Fatalf("want ErrHeld, got %v", err)
	}
	release(t, first)
	wantEnded(t, first, leases.ErrReleased)
	wantAlive(t, eventually(t, w.b, n))
}

// releaseIdempotent: an old lease that is released again takes nothing from the new holder.
func releaseIdempotent(t *testing.T, w *world) {
	n := name(t, "n")
	first := eventually(t, w.a, n)
	release(t, first)
	release(t, first)
	second := eventually(t, w.b, n)
	release(t, first)
	wantAlive(t, second)
	if _, err := acquire(t, w.a, n); !errors.Is(err, leases.ErrHeld) {
		t.Fatalf("after a late release: want ErrHeld, got %v", err)
	}
	wantEnded(t, first, leases.ErrReleased)
}

// contextEndsFirst releases while the other asks all the time: with its grant in hand, the old context must have ended.
func contextEndsFirst(t *testing.T, w *world) {
	n := name(t, "n")
	const rounds = 20
	for range rounds {
		old := eventually(t, w.a, n)
		done := make(chan error, 1)
		go func() { done <- old.Release(t.Context()) }()
		next := eventually(t, w.b, n)
		if old.Context().Err() == nil {
			t.Fatal("the name was given on while the old holder's context had not ended")
		}
		if err := <-done; err != nil {
			t.Fatalf("release: %v", err)
		}
		release(t, next)
	}
}

func tokenGrows(t *testing.T, w *world) {
	n := name(t, "n")
	var last leases.Token
	for i := range 10 {
		lease := eventually(t, [...]leases.Leaser{w.a, w.b}[i%2], n)
		if !last.Less(lease.Token()) {
			t.Fatalf("the token %v follows %v", lease.Token(), last)
		}
		if again := lease.Token(); again != lease.Token() {
			t.Fatalf("a lease has two tokens, %v and %v", again, lease.Token())
		}
		last = lease.Token()
		release(t, lease)
	}
}

func tokenGrowsOverRestarts(t *testing.T, w *world) {
	n := name(t, "n")
	var last leases.Token
	for range 4 {
		lease := eventually(t, w.b, n)
		if !last.Less(lease.Token()) {
			t.Fatalf("after a restart the token %v follows %v", lease.Token(), last)
		}
		last = lease.Token()
		w.close(t)
		w.reopen(t)
	}
}

func closeGivesBack(t *testing.T, w *world) {
	list := names(t, 5)
	grants, err := w.a.Acquire(t.Context(), list...)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.a.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	for _, g := range grants {
		wantEnded(t, g.Lease, leases.ErrClosed)
		release(t, g.Lease)
	}
	if grants, err := w.a.Acquire(t.Context(), list...); !errors.Is(err, leases.ErrClosed) || grants != nil {
		t.Fatalf("acquire after Close: want ErrClosed, got %+v, %v", grants, err)
	}
	if w.a == w.b {
		w.reopen(t)
	}
	for _, n := range list {
		wantAlive(t, eventually(t, w.b, n))
	}
}

func closeIdempotent(t *testing.T, w *world) {
	eventually(t, w.a, name(t, "n"))
	w.close(t)
	w.close(t)
}

// oneHolder lets 32 goroutines want 16 names. At no moment has a name two holders, and its tokens grow.
func oneHolder(t *testing.T, w *world) {
	const goroutines, goal = 32, 8 // leases for each goroutine
	slots := make([]slot, 16)
	list := names(t, len(slots))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			l := [...]leases.Leaser{w.a, w.b}[g%2]
			for i, got := g, 0; got < goal; i++ {
				if ctx.Err() != nil {
					t.Errorf("goroutine %d had %d of %d leases in %v", g, got, goal, patience)
					return
				}
				if slots[i%len(slots)].hold(ctx, t, l, list[i%len(slots)]) {
					got++
				} else {
					pause(ctx, time.Millisecond)
				}
			}
		})
	}
	wg.Wait()
}

// slot is one name and who holds it.
type slot struct {
	holders atomic.Int32
	last    leases.Token // only the holder touches it, so that the race detector sees two
}

// hold takes the name once, if it is free, and looks whether anybody else has it.
func (s *slot) hold(ctx context.Context, t *testing.T, l leases.Leaser, name string) bool {
	grants, err := l.Acquire(ctx, name)
	if err != nil {
		if ctx.Err() == nil {
			t.Errorf("acquire %q: %v", name, err)
		}
		return false
	}
	lease := grants[0].Lease
	if lease == nil {
		if !errors.Is(grants[0].Err, leases.ErrHeld) {
			t.Errorf("acquire %q: %v", name, grants[0].Err)
		}
		return false
	}
	if n := s.holders.Add(1); n != 1 {
		t.Errorf("%q has %d holders", name, n)
	}
	if !s.last.Less(lease.Token()) {
		t.Errorf("%q: the token %v follows %v", name, lease.Token(), s.last)
	}
	s.last = lease.Token()
	pause(ctx, time.Millisecond) // so that the others meet it
	wantAliveOrError(t, lease)
	s.holders.Add(-1)
	if err := lease.Release(ctx); err != nil {
		t.Errorf("release %q: %v", name, err)
	}
	return true
}

// wantAliveOrError is wantAlive for goroutines that may not end the test.
func wantAliveOrError(t *testing.T, l leases.Lease) {
	if l.Context().Err() != nil {
		t.Errorf("%q ended while it was held: %v", l.Name(), context.Cause(l.Context()))
	}
}
