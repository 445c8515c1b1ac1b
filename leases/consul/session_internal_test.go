package consul

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"hotfolderd/leases"
)

// The deadline counts from before a renewal was sent, not from its answer.
func TestSession_deadlineCountsFromTheSending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		time.Sleep(300 * time.Millisecond) // the answer's way
		s := newSession("id", 900*time.Millisecond, begin)
		at := func(d time.Duration, alive bool) {
			t.Helper()
			time.Sleep(time.Until(begin.Add(d)))
			synctest.Wait()
			if got := s.ctx.Err() == nil; got != alive {
				t.Fatalf("after %v: want alive %v, got %v", d, alive, got)
			}
		}
		at(899*time.Millisecond, true)
		s.renewed(begin.Add(500 * time.Millisecond))
		at(1399*time.Millisecond, true)
		at(1400*time.Millisecond, false)
		s.renewed(time.Now())
		at(1500*time.Millisecond, false)
		if err := context.Cause(s.ctx); !errors.Is(err, leases.ErrLost) {
			t.Fatalf("want ErrLost, got %v", err)
		}
	})
}

// A renewal whose answer came too late does not bring the session back, not even for a moment.
func TestSession_lateAnswerChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		s := newSession("id", time.Second, begin)
		time.Sleep(500 * time.Millisecond)
		s.renewed(begin.Add(-time.Second)) // sent long ago, answered now
		synctest.Wait()
		if s.ctx.Err() == nil {
			t.Fatal("a session lives on a renewal that was sent longer ago than its life")
		}
	})
}
