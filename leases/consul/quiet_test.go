package consul_test

import (
	"testing"
	"time"

	"hotfolderd/leases/consul"
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
	writes := s.Writes(t)
	pause(t.Context(), 3*time.Second) // three lives of the session
	writes.Want(t, 0)
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
	writes := s.Writes(t)
	for range 10 {
		for _, n := range []*node{a, b} {
			if _, err := n.Acquire(t.Context(), names...); err != nil {
				t.Fatal(err)
			}
		}
	}
	writes.Want(t, 0)
}

// A lease is one write and so is its end, whatever the watch sees in between.
func TestRelease_isOneWrite(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	a := startNode(t, s.Dial(t), "a", long)
	writes := s.Writes(t)
	const rounds = 200
	for range rounds {
		if err := acquire(t, a, "n").Release(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	writes.Want(t, 2*rounds)
}

// 256 names are four writes there and four back, whatever the watch sees in between.
func TestAcquire_ofManyNamesIsFewWrites(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	conn := s.Dial(t)
	k := keep(t, conn, "a", long)
	writes := s.Writes(t)
	const rounds = 20
	for range rounds {
		l := consul.New(conn, k, consul.Options{Root: "n/"})
		if _, err := l.Acquire(t.Context(), many(256)...); err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	writes.Want(t, 8*rounds)
}
