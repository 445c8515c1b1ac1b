package consul_test

import (
	"testing"
	"time"

	"hotfolderd/leases/consul/consultest"
)

// Keeping leases writes nothing to Consul's log.
func TestKeeper_writesNothingWhileIdle(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	a := startNode(t, s.Dial(t), "a", time.Second)
	grants, err := a.Acquire(t.Context(), "1", "2", "3")
	if err != nil {
		t.Fatal(err)
	}
	before := s.QuietIndex(t)
	pause(t.Context(), 3*time.Second) // three lives of the session
	if after := s.RaftIndex(t); after != before {
		t.Fatalf("%d writes", after-before)
	}
	for _, g := range grants {
		wantAlive(t, g.Lease.Context())
	}
}

// A refused lock would be a write too; names that are held are found by reading.
func TestAcquire_ofHeldNamesWritesNothing(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	a, b := startNode(t, s.Dial(t), "a", long), startNode(t, s.Dial(t), "b", long)
	names := many(100)
	if _, err := a.Acquire(t.Context(), names...); err != nil {
		t.Fatal(err)
	}
	before := s.QuietIndex(t)
	for range 10 {
		for _, n := range []*node{a, b} {
			if _, err := n.Acquire(t.Context(), names...); err != nil {
				t.Fatal(err)
			}
		}
	}
	if after := s.RaftIndex(t); after != before {
		t.Fatalf("%d writes for 2000 refusals", after-before)
	}
}

// 256 names are four transactions there and four back.
func TestAcquire_ofManyNamesIsFewWrites(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	a := openNode(t, s.Dial(t), "a", long)
	before := s.QuietIndex(t)
	if _, err := a.Acquire(t.Context(), many(256)...); err != nil {
		t.Fatal(err)
	}
	taken := s.RaftIndex(t)
	if err := a.Leaser.Close(); err != nil {
		t.Fatal(err)
	}
	given := s.RaftIndex(t)
	if taken-before != 4 || given-taken != 4 {
		t.Fatalf("want 4 writes and 4, got %d and %d", taken-before, given-taken)
	}
}
