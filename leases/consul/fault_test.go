package consul_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"

	"hotfolderd/leases"
	"hotfolderd/leases/consul"
	"hotfolderd/leases/consul/consultest"
)

// However long Consul or the network sleeps: a holder has stopped before another can have its name.
func TestLease_endsBeforeAnotherCanHaveTheName(t *testing.T) {
	t.Parallel()
	const ttl = time.Second
	for _, c := range []struct {
		what string
		stop func(*testing.T, *consultest.Server, *consultest.Link)
		heal func(*testing.T, *consultest.Server, *consultest.Link)
	}{
		{
			"consul is paused",
			func(t *testing.T, s *consultest.Server, _ *consultest.Link) { s.Pause(t) },
			func(t *testing.T, s *consultest.Server, _ *consultest.Link) { s.Resume(t) },
		},
		{
			"the holder is cut off",
			func(_ *testing.T, _ *consultest.Server, l *consultest.Link) { l.Cut() },
			func(_ *testing.T, _ *consultest.Server, l *consultest.Link) { l.Mend() },
		},
		{
			"the holder hears nothing",
			func(_ *testing.T, _ *consultest.Server, l *consultest.Link) { l.CutAnswers() },
			func(_ *testing.T, _ *consultest.Server, l *consultest.Link) { l.Mend() },
		},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			s := consultest.Start(t)
			link := consultest.NewLink(t, s)
			a, b := startNode(t, link.Dial(t), "a", ttl), startNode(t, s.Dial(t), "b", ttl)
			for range 2 {
				lease := eventuallyAcquire(t, a, "n")
				got := make(chan leases.Lease, 1)
				go func() { got <- untilAcquired(t, b, "n", lease) }()
				c.stop(t, s, link)
				awaitEnd(t, lease.Context(), ttl+ttl/10, leases.ErrLost)
				pause(t.Context(), ttl/2)
				c.heal(t, s, link)
				next := <-got
				if next == nil {
					t.Fatal("b never got it")
				}
				if err := next.Release(t.Context()); err != nil && !errors.Is(err, consul.ErrUnreachable) {
					t.Fatal(err)
				}
			}
		})
	}
}

// untilAcquired asks all the time; with the name in hand, the old lease must have ended.
func untilAcquired(t *testing.T, n *node, name string, old leases.Lease) leases.Lease {
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); pause(t.Context(), time.Millisecond) {
		l, _ := try(t.Context(), n, name)
		if l == nil {
			continue
		}
		if old.Context().Err() == nil {
			t.Error("another has the name while the old holder's lease has not ended")
		}
		return l
	}
	return nil
}

// In a cluster the loss of one server, leader or not, costs a pause but no lease.
func TestCluster_leasesSurviveTheLossOfAServer(t *testing.T) {
	t.Parallel()
	const ttl = 6 * time.Second
	servers := consultest.StartCluster(t)
	n := startNode(t, consultest.Dial(t, servers...), "a", ttl)
	lease := acquire(t, n, "n")
	other := startNode(t, consultest.Dial(t, servers...), "b", ttl)
	var w seen
	go other.Watch(t.Context(), w.tell)
	// survived: renewed after the fault, for without that it would have ended; and others see what happens after it.
	survived := func(t *testing.T) {
		t.Helper()
		begin := time.Now()
		eventuallyAcquire(t, n, t.Name())
		t.Logf("consul could be used again after %v", time.Since(begin))
		consultest.Eventually(t, "the other node sees it", func() bool { return w.has(t.Name()) })
		t.Logf("another node saw it after %v", time.Since(begin))
		pause(lease.Context(), ttl)
		wantAlive(t, lease.Context())
	}
	t.Run("leader paused", func(t *testing.T) {
		leader := consultest.Leader(t, servers)
		leader.Pause(t)
		defer consultest.Heal(t, servers)
		defer leader.Resume(t)
		survived(t)
	})
	t.Run("leader killed", func(t *testing.T) {
		leader := consultest.Leader(t, servers)
		leader.Kill()
		defer consultest.Heal(t, servers)
		defer leader.Restart(t)
		survived(t)
	})
	t.Run("server taken out of the catalog", func(t *testing.T) {
		// A session as the library makes it, for comparison, dies with the server it was made through.
		client := consultest.Others(servers, consultest.Leader(t, servers))[0].Client(t)
		usual, _, err := client.Session().CreateNoChecks(&api.SessionEntry{TTL: "1m"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		info, _, err := client.Session().Info(usual, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Catalog().Deregister(&api.CatalogDeregistration{Node: info.Node}, nil); err != nil {
			t.Fatal(err)
		}
		if alive, err := n.conn.SessionAlive(t.Context(), usual); err != nil || alive {
			t.Fatalf("the usual session has survived: %v, %v", alive, err)
		}
		wantAlive(t, lease.Context())
		if alive, err := n.conn.SessionAlive(t.Context(), n.keeper.Current().ID()); err != nil || !alive {
			t.Fatalf("our session: %v, %v", alive, err)
		}
	})
}

// A lock whose answer never came is no harm: nobody believes to have it, and it is free again soon.
func TestAcquire_whoseAnswerIsLost(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	link := consultest.NewLink(t, s)
	a, b := startNode(t, quick(t, link), "a", long), startNode(t, s.Dial(t), "b", long)
	ask := func(name string) error {
		_, err := try(t.Context(), a, name)
		return err
	}
	locked := 0
	for i := range 20 { // until the cut comes between the read and the lock
		name := fmt.Sprint(i)
		done := make(chan error, 1)
		go func() { done <- ask(name) }()
		pause(t.Context(), time.Duration(i)*100*time.Microsecond)
		link.CutAnswers()
		err := <-done
		if pair, gerr := b.conn.Get(t.Context(), a.key(name)); gerr == nil && pair != nil && err != nil {
			locked++
		}
		link.Mend()
		if err != nil {
			eventuallyAcquire(t, b, name)
		}
	}
	if locked == 0 {
		t.Fatal("no lock lost its answer: the test has shown nothing")
	}
}

// A release whose answer never came has ended the lease all the same, and the name is free.
func TestRelease_whoseAnswerIsLost(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	link := consultest.NewLink(t, s)
	a, b := startNode(t, quick(t, link), "a", long), startNode(t, s.Dial(t), "b", long)
	for _, cut := range []func(){link.Cut, link.CutAnswers} {
		lease := eventuallyAcquire(t, a, "n")
		cut()
		if err := lease.Release(t.Context()); !errors.Is(err, consul.ErrUnreachable) {
			t.Fatalf("want ErrUnreachable, got %v", err)
		}
		awaitEnd(t, lease.Context(), 0, leases.ErrReleased)
		link.Mend()
		if err := eventuallyAcquire(t, b, "n").Release(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	wantAlive(t, a.keeper.Current().Context())
}

// Without Consul, giving back and closing take as long as one request, however many names there are.
func TestClose_doesNotWaitForASilentConsul(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	link := consultest.NewLink(t, s)
	a := openNode(t, quick(t, link), "a", long)
	grants, err := a.Acquire(t.Context(), many(256)...)
	if err != nil {
		t.Fatal(err)
	}
	link.Cut()
	begin := time.Now()
	if err := a.Leaser.Close(); !errors.Is(err, consul.ErrUnreachable) {
		t.Fatalf("want ErrUnreachable, got %v", err)
	}
	if took := time.Since(begin); took > 600*time.Millisecond {
		t.Fatalf("it took %v", took)
	}
	for _, g := range grants {
		awaitEnd(t, g.Lease.Context(), 0, leases.ErrClosed)
	}
	if err := a.keeper.Close(); !errors.Is(err, consul.ErrUnreachable) {
		t.Fatalf("want ErrUnreachable, got %v", err)
	}
}

// quick gives up a try soon.
func quick(t *testing.T, l *consultest.Link) *consul.Conn {
	t.Helper()
	c := l.Config(t)
	c.Timeout = 200 * time.Millisecond
	conn, err := consul.Dial(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}
