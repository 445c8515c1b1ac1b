package consul_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"

	"hotfolderd/leases"
	"hotfolderd/leases/consul/consultest"
)

// LockIndex begins again when a key was deleted; the token does not.
func TestToken_growsOverARemovalByForce(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	kv := s.Client(t).KV()
	a, b := startNode(t, s.Dial(t), "a", long), startNode(t, s.Dial(t), "b", long)
	var last leases.Token
	for i := range 6 {
		n := [...]*node{a, b}[i%2]
		lease := eventuallyAcquire(t, n, "n")
		if !last.Less(lease.Token()) {
			t.Fatalf("the token %v follows %v", lease.Token(), last)
		}
		last = lease.Token()
		if pair, _, err := kv.Get(n.key("n"), nil); err != nil || pair.LockIndex != 1 || pair.ModifyIndex != last.Index {
			t.Fatalf("want LockIndex 1 and the token's index, got %+v, %v", pair, err)
		}
		if _, err := kv.Delete(n.key("n"), nil); err != nil {
			t.Fatal(err)
		}
		awaitEnd(t, lease.Context(), time.Second, leases.ErrLost)
	}
}

// A holder that does not know yet that its key was taken away must not take the next holder's.
func TestRelease_deletesNothingOfAnotherHolder(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	link := consultest.NewLink(t, s)
	kv := s.Client(t).KV()
	a, b := startNode(t, link.Dial(t), "a", long), startNode(t, s.Dial(t), "b", long)
	old := acquire(t, a, "n")
	link.Cut() // so that a does not hear of it
	if _, err := kv.Delete(a.key("n"), nil); err != nil {
		t.Fatal(err)
	}
	lease := eventuallyAcquire(t, b, "n")
	done := make(chan error, 1)
	go func() { done <- old.Release(t.Context()) }()
	<-old.Context().Done()
	link.Mend()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	pair, _, err := kv.Get(a.key("n"), nil)
	if err != nil || pair == nil || pair.Session != b.keeper.Current().ID() {
		t.Fatalf("the next holder's key: %+v, %v", pair, err)
	}
	wantAlive(t, lease.Context())
}

// Locks are advisory: whoever writes over a held key leaves it held.
func TestRelease_ofAKeyThatWasWrittenOver(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	a, b := startNode(t, s.Dial(t), "a", long), startNode(t, s.Dial(t), "b", long)
	lease := acquire(t, a, "n")
	other := acquire(t, a, "other")
	if err := b.conn.Put(t.Context(), a.key("n"), []byte("by hand")); err != nil {
		t.Fatal(err)
	}
	wantAlive(t, lease.Context())
	var wg sync.WaitGroup
	for _, l := range []leases.Lease{lease, other} {
		wg.Go(func() {
			if err := l.Release(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	acquire(t, b, "n")
	acquire(t, b, "other")
}

func TestRelease_leavesNoKey(t *testing.T) {
	t.Parallel()
	conn := consultest.Start(t).Dial(t)
	a := startNode(t, conn, "a", long)
	grants, err := a.Acquire(t.Context(), many(150)...)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for _, g := range grants {
		wg.Go(func() {
			if err := g.Lease.Release(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if pairs, err := conn.List(t.Context(), a.root); err != nil || len(pairs) != 0 {
		t.Fatalf("want no key, got %v, %v", pairs, err)
	}
}

func many(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("p/%d", i)
	}
	return names
}

// Acquire while the leaser closes: whatever was granted has ended, and no key is left, known or not.
func TestClose_leavesNothingOfAskingsUnderWay(t *testing.T) {
	t.Parallel()
	conn := consultest.Start(t).Dial(t)
	for round := range 10 {
		n := openNode(t, conn, fmt.Sprint(round), long)
		var wg sync.WaitGroup
		var granted sync.Map
		for g := range 4 {
			wg.Go(func() {
				for i := range 50 {
					l, err := try(t.Context(), n, fmt.Sprintf("%d/%d/%d", round, g, i))
					if errors.Is(err, leases.ErrClosed) {
						return
					}
					granted.Store(l, err)
				}
			})
		}
		pause(t.Context(), time.Duration(round)*2*time.Millisecond)
		if err := n.Leaser.Close(); err != nil {
			t.Fatal(err)
		}
		granted.Range(func(l, err any) bool {
			awaitEnd(t, l.(leases.Lease).Context(), 0, leases.ErrClosed)
			return true
		})
		wg.Wait()
		if pairs, err := conn.List(t.Context(), n.root); err != nil || len(pairs) != 0 {
			t.Fatalf("round %d: want no key, got %v, %v", round, pairs, err)
		}
	}
}

func TestClose_freesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	a := openNode(t, consultest.Start(t).Dial(t), "a", long)
	if _, ok, err := a.conn.Acquire(t.Context(), a.keeper.Current().ID(), a.key("n"), nil); err != nil || !ok {
		t.Fatal(ok, err)
	}
	if err := a.Leaser.Close(); err != nil {
		t.Fatal(err)
	}
	if pair, err := a.conn.Get(t.Context(), a.key("n")); err != nil || pair != nil {
		t.Fatalf("want no key, got %+v, %v", pair, err)
	}
}

// What our session holds without our knowing is no harm to anybody for long.
func TestLeaser_freesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	a, b := startNode(t, s.Dial(t), "a", long), startNode(t, s.Dial(t), "b", long)
	kept := acquire(t, a, "kept")
	if _, ok, err := a.conn.Acquire(t.Context(), a.keeper.Current().ID(), a.key("n"), nil); err != nil || !ok {
		t.Fatal(ok, err)
	}
	eventuallyAcquire(t, b, "n")
	wantAlive(t, kept.Context())
	wantHeld(t, b, "kept")
}

func TestAcquire_waitsOutALockDelayThatIsShort(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	a := startNode(t, s.Dial(t), "a", long)
	for _, c := range []struct {
		delay time.Duration
		want  error
	}{{8 * time.Millisecond, nil}, {time.Minute, leases.ErrHeld}} {
		name := c.delay.String()
		id, _, err := s.Client(t).Session().CreateNoChecks(&api.SessionEntry{LockDelay: c.delay, Behavior: api.SessionBehaviorDelete}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok, err := a.conn.Acquire(t.Context(), id, a.key(name), nil); err != nil || !ok {
			t.Fatal(ok, err)
		}
		if err := a.conn.DestroySession(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		if _, err := try(t.Context(), a, name); !errors.Is(err, c.want) {
			t.Fatalf("lock delay %v: want %v, got %v", c.delay, c.want, err)
		}
		if took := time.Since(begin); took > time.Second {
			t.Fatalf("lock delay %v: the answer took %v", c.delay, took)
		}
	}
}

// A key that our session holds already, by a request that is forgotten, is locked anew: else a late request that was meant for
// the old lock would touch the new one.
func TestToken_isNewForAKeyThatIsOursAlready(t *testing.T) {
	t.Parallel()
	a := startNode(t, consultest.Start(t).Dial(t), "a", long)
	lease := acquire(t, a, "n")
	pair, err := a.conn.Get(t.Context(), a.key("n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := lease.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	forgotten, ok, err := a.conn.Acquire(t.Context(), a.keeper.Current().ID(), a.key("n"), pair.Value)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	if got := acquire(t, a, "n").Token().Index; got <= forgotten {
		t.Fatalf("the key was locked at %d, the lease has %d", forgotten, got)
	}
}

// When Consul's data were lost its indexes begin again: nothing is granted before the epoch is greater.
func TestToken_growsOverALossOfConsulsData(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	a := startNode(t, s.Dial(t), "a", long)
	epoch := func(n string) {
		t.Helper()
		if err := a.conn.Put(t.Context(), a.root+"epoch", []byte(n)); err != nil {
			t.Fatal(err)
		}
	}
	first := acquire(t, a, "before the key is there").Token()
	epoch("7")
	second := acquire(t, a, "n").Token()
	if first.Epoch != 1 || second.Epoch != 7 {
		t.Fatalf("want epochs 1 and 7, got %v and %v", first, second)
	}
	old := a.keeper.Current()
	s.Kill()
	s.Restart(t)
	if _, err := a.keeper.Next(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	if l, err := try(t.Context(), a, "n"); err == nil || l != nil {
		t.Fatalf("without the epoch: got %v, %v", l, err)
	}
	epoch("6")
	if l, err := try(t.Context(), a, "n"); err == nil || l != nil {
		t.Fatalf("with a smaller epoch: got %v, %v", l, err)
	}
	epoch("8")
	if third := acquire(t, a, "n").Token(); !second.Less(third) {
		t.Fatalf("the token %v follows %v", third, second)
	}
}
