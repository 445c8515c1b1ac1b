package consul_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"

	"hotfolderd/leases/consul"
	"hotfolderd/leases/consul/consultest"
)

// chore is something that a node does in its namespace. other is a session of another node there.
type chore struct {
	name string
	do   func(ctx context.Context, conn *consul.Conn, ns, other string) error
}

var chores = []chore{
	{"keep a session", func(ctx context.Context, conn *consul.Conn, ns, _ string) error {
		k, err := consul.Keep(ctx, conn, consul.KeepOptions{Namespace: ns, Node: "a"})
		if err != nil {
			return err
		}
		return k.Close()
	}},
	{"lock a key", func(ctx context.Context, conn *consul.Conn, ns, other string) error {
		_, _, err := conn.Acquire(ctx, other, consul.Root(ns)+"leases/p/1", nil)
		return err
	}},
	{"write a key", func(ctx context.Context, conn *consul.Conn, ns, _ string) error {
		return conn.Put(ctx, consul.Root(ns)+"rules", []byte("1"))
	}},
	{"write a key by CAS", func(ctx context.Context, conn *consul.Conn, ns, _ string) error {
		_, _, err := conn.CAS(ctx, &api.KVPair{Key: consul.Root(ns) + "invalidations/a", Value: []byte("1")})
		return err
	}},
	{"read a key", func(ctx context.Context, conn *consul.Conn, ns, _ string) error {
		_, err := conn.Get(ctx, consul.Root(ns)+"there")
		return err
	}},
	{"list keys", func(ctx context.Context, conn *consul.Conn, ns, _ string) error {
		_, err := conn.List(ctx, consul.Root(ns))
		return err
	}},
	{"watch keys", func(ctx context.Context, conn *consul.Conn, ns, _ string) (err error) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		conn.Watch(ctx, consul.Root(ns), consul.Watching{
			Seen:   func(api.KVPairs) { cancel() },
			Failed: func(e error) { err = e; cancel() },
		})
		return err
	}},
	{"delete a key", func(ctx context.Context, conn *consul.Conn, ns, _ string) error {
		return conn.Delete(ctx, consul.Root(ns)+"rules")
	}},
	{"look at another's session", func(ctx context.Context, conn *consul.Conn, _, other string) error {
		_, err := conn.SessionAlive(ctx, other)
		return err
	}},
	{"destroy another's session", func(ctx context.Context, conn *consul.Conn, _, other string) error {
		return conn.DestroySession(ctx, other)
	}},
}

// The policy is enough for all that a node does in its namespace, and for nothing in another, however alike the names are.
func TestPolicy_isEnoughAndNoMore(t *testing.T) {
	t.Parallel()
	s := consultest.StartDenying(t)
	all := s.Dial(t)
	ours := s.DialAs(t, s.Token(t, consul.Policy("team")))
	for _, ns := range []string{"team", "team-2", "team.2", "tea", "TEAM", "other"} {
		if err := all.Put(t.Context(), consul.Root(ns)+"there", nil); err != nil {
			t.Fatal(err)
		}
		k, err := consul.Keep(t.Context(), all, consul.KeepOptions{Namespace: ns, Node: "b"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = k.Close() })
		for _, c := range chores {
			err := c.do(t.Context(), ours, ns, k.Current().ID())
			switch {
			case ns == "team" && err != nil:
				t.Errorf("%s in the own namespace: %v", c.name, err)
			case ns != "team" && !consul.Denied(err):
				t.Errorf("%s in %s: want it denied, got %v", c.name, ns, err)
			}
		}
	}
}

// A node works with its own policy, and goes on when its token is replaced in the file.
func TestPolicy_nodeLivesThroughANewToken(t *testing.T) {
	t.Parallel()
	s := consultest.StartDenying(t)
	policy := consul.Policy(consultest.Namespace(t))
	old := s.Token(t, policy)
	c := consultest.Config(t, s)
	c.TokenFile = consultest.TokenFile(t, old)
	conn, err := consul.Dial(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	const ttl = 2 * time.Second
	n := startNode(t, conn, "a", ttl)
	lease := acquire(t, n, "n")
	if err := os.WriteFile(c.TokenFile, []byte(s.Token(t, policy)), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Revoke(t, old)
	pause(lease.Context(), ttl)
	wantAlive(t, lease.Context())
	acquire(t, n, "n2")
}

// Without a right to see the namespace nothing looks gone: it is an error.
func TestDenied_isNotEmpty(t *testing.T) {
	t.Parallel()
	s := consultest.StartDenying(t)
	if err := s.Dial(t).Put(t.Context(), "hotfolderd/n/k", nil); err != nil {
		t.Fatal(err)
	}
	nobody := s.DialAs(t, s.Token(t, `key "x" { policy = "read" }`))
	if pairs, err := nobody.List(t.Context(), "hotfolderd/n/"); !consul.Denied(err) {
		t.Fatalf("want it denied, got %v, %v", pairs, err)
	}
	stranger := s.DialAs(t, "00000000-0000-4000-8000-000000000000")
	if ok, _, err := stranger.Txn(t.Context(), api.KVTxnOps{{Verb: api.KVSet, Key: "k"}}); !consul.Denied(err) {
		t.Fatalf("an unknown token: want it denied, got %v, %v", ok, err)
	}
}

func ExamplePolicy() {
	fmt.Print(consul.Policy("default"))
	// Output:
	// key_prefix "hotfolderd/default/" {
	//   policy = "write"
	// }
	// session_prefix "hf-default:" {
	//   policy = "write"
	// }
	// node_prefix "hf-default:" {
	//   policy = "write"
	// }
}
