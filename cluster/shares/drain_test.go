package shares

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hotfolderd/leases"
)

func TestRun_endWaitsForWalks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		a := w.start(t, "a")
		a.Set(nodes("a"), nil)
		rest()
		lease, done := claim(t, a.Shares, "in", "x")
		begin := time.Now()
		go func() {
			time.Sleep(10 * time.Second)
			if lease.Context().Err() != nil || w.holder(lease.Name()) != "a" || len(a.Status()) != 1 {
				t.Error("it was given back under the walk, or the others were not")
			}
			if l, _ := a.Claim("in", "x"); l != nil {
				t.Error("a walk began after the end")
			}
			done()
		}()
		a.stop()
		if took := time.Since(begin); took < 10*time.Second || took > 11*time.Second || len(w.held) != 0 {
			t.Errorf("want all back after 10 s, got %d left after %v", len(w.held), took)
		}
	})
}

func TestRun_endIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		a := w.start(t, "a")
		a.Set(nodes("a"), nil)
		rest()
		lease, done := claim(t, a.Shares, "in", "x")
		begin := time.Now()
		a.stop()
		if took := time.Since(begin); took != leaveTime || len(w.held) != 0 || !errors.Is(context.Cause(lease.Context()), leases.ErrReleased) {
			t.Errorf("want all back after 15 s, got %d left after %v", len(w.held), took)
		}
		done() // harmless
	})
}

func TestDrain_givesAllBackUntilResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		a := w.start(t, "a")
		a.Set(nodes("a"), nil)
		rest()
		_, done := claim(t, a.Shares, "in", "x")
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err := a.Drain(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "1 partitions not given back, 1 walks in hand") {
			t.Fatalf("want the walk in hand, got %v", err)
		}
		a.Set(nodes("a", "b"), nil) // does not end it
		time.AfterFunc(time.Second, done)
		if err := a.Drain(t.Context()); err != nil || len(w.held) != 0 {
			t.Fatalf("want all given back, got %d, %v", len(w.held), err)
		}
		if err := a.Drain(t.Context()); err != nil {
			t.Fatalf("again: %v", err)
		}
		time.Sleep(time.Hour)
		if len(w.held) != 0 {
			t.Fatal("something was taken while draining")
		}
		a.Resume()
		rest()
		if n := len(a.Status()); n != 128 {
			t.Errorf("want its half after Resume, got %d", n)
		}
		a.Resume()
	})
}

func TestDrain_isEndedByResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		a := w.start(t, "a")
		a.Set(nodes("a"), nil)
		rest()
		_, done := claim(t, a.Shares, "in", "x")
		defer done()
		time.AfterFunc(time.Second, a.Resume)
		if err := a.Drain(t.Context()); !errors.Is(err, errResumed) {
			t.Errorf("want errResumed, got %v", err)
		}
		rest()
		if n := len(a.Status()); n != 256 {
			t.Errorf("want all, got %d", n)
		}
	})
}

func TestDrain_withoutRun(t *testing.T) {
	s := New(Options{Self: "a", Leaser: newWorld().leaser("a")})
	if err := s.Drain(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestDrain_endsWithRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newWorld().start(t, "a")
		a.Set(nodes("a"), nil)
		rest()
		_, done := claim(t, a.Shares, "in", "x")
		defer done()
		drained := make(chan error)
		go func() { drained <- a.Drain(t.Context()) }()
		rest()
		a.stop()
		if err := <-drained; err != nil {
			t.Error(err)
		}
	})
}
