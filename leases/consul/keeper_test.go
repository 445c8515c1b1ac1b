package consul_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"hotfolderd/leases"
	"hotfolderd/leases/consul"
	"hotfolderd/leases/consul/consultest"
)

// long is a TTL that no test lives to see the end of: what ends sooner, ended for another reason.
const long = time.Minute

func TestKeeper_noticesThatItsSessionWasDestroyed(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	a, b := startNode(t, s.Dial(t), "a", long), startNode(t, s.Dial(t), "b", long)
	lease, old := acquire(t, a, "n"), a.keeper.Current()
	if err := b.conn.DestroySession(t.Context(), old.ID()); err != nil {
		t.Fatal(err)
	}
	awaitEnd(t, old.Context(), time.Second, leases.ErrLost)
	awaitEnd(t, lease.Context(), time.Second, leases.ErrLost)
	if err := lease.Release(t.Context()); err != nil {
		t.Fatalf("release of a lost lease: %v", err)
	}
	next, err := a.keeper.Next(t.Context(), old)
	if err != nil {
		t.Fatal(err)
	}
	wantAlive(t, next.Context())
	acquire(t, a, "n")
	wantHeld(t, b, "n")
}

// Who was cut off and comes back gives its old names free, rather than leave them to the TTL.
func TestKeeper_destroysTheLostSession(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	link := consultest.NewLink(t, s)
	const ttl = 4 * time.Second
	a, b := startNode(t, link.Dial(t), "a", ttl), startNode(t, s.Dial(t), "b", long)
	lease, old := acquire(t, a, "n"), a.keeper.Current()
	link.Cut()
	awaitEnd(t, lease.Context(), ttl, leases.ErrLost)
	wantHeld(t, b, "n") // Consul waits for twice the TTL
	link.Mend()
	mended := time.Now()
	if _, err := a.keeper.Next(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	eventuallyAcquire(t, b, "n")
	if took := time.Since(mended); took > ttl/2 {
		t.Fatalf("the names were free %v after the link was mended", took)
	}
}

// The cluster decides whether a session that an earlier process left is dead, not the new process.
func TestKeep_leavesTheOldSessionOfTheSameNode(t *testing.T) {
	t.Parallel()
	conn := consultest.Start(t).Dial(t)
	first := startNode(t, conn, "a", long)
	lease := acquire(t, first, "n")
	second := startNode(t, conn, "a", long)
	if first.keeper.Current().ID() == second.keeper.Current().ID() {
		t.Fatal("two starts have one session")
	}
	wantHeld(t, second, "n")
	if alive, err := conn.SessionAlive(t.Context(), first.keeper.Current().ID()); err != nil || !alive {
		t.Fatalf("the old session: %v, %v", alive, err)
	}
	wantAlive(t, lease.Context())
}

func TestConn_sessionAlive(t *testing.T) {
	t.Parallel()
	conn := consultest.Start(t).Dial(t)
	k := keep(t, conn, "a", long)
	id := k.Current().ID()
	for i, want := range []bool{true, false} {
		if alive, err := conn.SessionAlive(t.Context(), id); err != nil || alive != want {
			t.Fatalf("look %d: want %v, got %v, %v", i, want, alive, err)
		}
		if err := k.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := conn.DestroySession(t.Context(), id); err != nil {
		t.Fatalf("destroy what is gone: %v", err)
	}
}

func TestKeeper_closeEndsEverything(t *testing.T) {
	t.Parallel()
	conn := consultest.Start(t).Dial(t)
	k := keep(t, conn, "a", long)
	s := k.Current()
	waiting := make(chan error, 1)
	go func() {
		_, err := k.Next(context.WithoutCancel(t.Context()), s)
		waiting <- err
	}()
	for range 2 {
		if err := k.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-waiting; !errors.Is(err, leases.ErrClosed) {
		t.Fatalf("next: want ErrClosed, got %v", err)
	}
	awaitEnd(t, s.Context(), 0, leases.ErrClosed)
	if k.Current() != s {
		t.Fatal("a closed keeper has made a session")
	}
}

func TestKeeper_nextEndsWithItsContext(t *testing.T) {
	t.Parallel()
	k := keep(t, consultest.Start(t).Dial(t), "a", long)
	why := errors.New("why")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if s, err := k.Next(ctx, k.Current()); s != nil || !errors.Is(err, why) {
		t.Fatalf("want %v, got %v, %v", why, s, err)
	}
	if s, err := k.Next(ctx, nil); err != nil || s != k.Current() {
		t.Fatalf("a session that is there: got %v, %v", s, err)
	}
}

func TestKeep_saysThatConsulIsNotThere(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	s.Kill()
	if k, err := consul.Keep(t.Context(), s.Dial(t), consul.KeepOptions{Namespace: "n", Node: "a"}); k != nil || !errors.Is(err, consul.ErrUnreachable) {
		t.Fatalf("want ErrUnreachable, got %v, %v", k, err)
	}
}

// Consul may come back with nothing that it knew.
func TestKeeper_findsAConsulThatLostItsData(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	a := startNode(t, s.Dial(t), "a", long)
	lease, old := acquire(t, a, "n"), a.keeper.Current()
	s.Kill()
	s.Restart(t)
	awaitEnd(t, lease.Context(), 5*time.Second, leases.ErrLost)
	if _, err := a.keeper.Next(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	acquire(t, a, "n")
}
