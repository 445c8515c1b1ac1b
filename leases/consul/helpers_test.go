package consul_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"

	"hotfolderd/leases"
	"hotfolderd/leases/consul"
	"hotfolderd/leases/consul/consultest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// node is a leaser with the keeper below it, as a node has them.
type node struct {
	*consul.Leaser
	keeper *consul.Keeper
	conn   *consul.Conn
	root   string
}

func (n *node) Close() error { return errors.Join(n.Leaser.Close(), n.keeper.Close()) }

// key is where Consul has a lease.
func (n *node) key(name string) string { return n.root + "leases/" + name }

// openNode is a node that the test closes.
func openNode(t testing.TB, conn *consul.Conn, id string, ttl time.Duration) *node {
	t.Helper()
	ns := consultest.Namespace(t)
	k := keep(t, conn, id, ttl)
	return &node{consul.New(conn, k, consul.Options{Root: consul.Root(ns), Epoch: 1}), k, conn, consul.Root(ns)}
}

// startNode is a node that is closed at the end of the test. Its servers may be gone by then.
func startNode(t testing.TB, conn *consul.Conn, id string, ttl time.Duration) *node {
	t.Helper()
	n := openNode(t, conn, id, ttl)
	t.Cleanup(func() { _ = n.Close() })
	return n
}

func keep(t testing.TB, conn *consul.Conn, id string, ttl time.Duration) *consul.Keeper {
	t.Helper()
	o := consul.KeepOptions{Namespace: consultest.Namespace(t), Node: id, TTL: ttl}
	k, err := consul.Keep(t.Context(), conn, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.Close() })
	return k
}

// acquire gets one name or fails the test.
func acquire(t testing.TB, n *node, name string) leases.Lease {
	t.Helper()
	l, err := try(t.Context(), n, name)
	if err != nil {
		t.Fatalf("acquire %q: %v", name, err)
	}
	return l
}

// eventuallyAcquire asks until it gets the name.
func eventuallyAcquire(t testing.TB, n *node, name string) (l leases.Lease) {
	t.Helper()
	consultest.Eventually(t, "a lease on "+name, func() bool {
		l, _ = try(t.Context(), n, name)
		return l != nil
	})
	return l
}

func try(ctx context.Context, n *node, name string) (leases.Lease, error) {
	grants, err := n.Acquire(ctx, name)
	if err != nil {
		return nil, err
	}
	return grants[0].Lease, grants[0].Err
}

func wantHeld(t testing.TB, n *node, name string) {
	t.Helper()
	if _, err := try(t.Context(), n, name); !errors.Is(err, leases.ErrHeld) {
		t.Fatalf("%q: want ErrHeld, got %v", name, err)
	}
}

func wantAlive(t testing.TB, ctx context.Context) {
	t.Helper()
	if ctx.Err() != nil {
		t.Fatalf("it ended: %v", context.Cause(ctx))
	}
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// awaitEnd waits for the end of a lease or session, at most so long, and looks at the cause.
func awaitEnd(t testing.TB, ctx context.Context, most time.Duration, cause error) {
	t.Helper()
	for end := time.Now().Add(most); ctx.Err() == nil; {
		if time.Now().After(end) {
			t.Fatalf("it has not ended after %v", most)
		}
		pause(ctx, 5*time.Millisecond)
	}
	if got := context.Cause(ctx); !errors.Is(got, cause) {
		t.Fatalf("want the cause %q, got %v", cause, got)
	}
}
