package consul_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/hashicorp/consul/api"

	"hotfolderd/leases/consul/consultest"
)

// BenchmarkAcquireRelease takes 256 names and gives them back, as a node that is alone does. Its floor are the bare
// transactions on the same keys, by the library, of one server and of three.
func BenchmarkAcquireRelease(b *testing.B) {
	for _, c := range []struct {
		name    string
		servers []*consultest.Server
	}{{"1server", []*consultest.Server{consultest.Start(b)}}, {"3servers", consultest.StartCluster(b)}} {
		n := startNode(b, consultest.Dial(b, c.servers...), c.name, long)
		b.Run(c.name+"/leases", func(b *testing.B) { benchLeases(b, n, many(256)) })
		b.Run(c.name+"/bare", func(b *testing.B) { benchBare(b, n, many(256)) })
	}
}

func benchLeases(b *testing.B, n *node, names []string) {
	for b.Loop() {
		grants, err := n.Acquire(b.Context(), names...)
		if err != nil {
			b.Fatal(err)
		}
		var wg sync.WaitGroup
		for _, g := range grants {
			wg.Go(func() {
				if err := g.Lease.Release(b.Context()); err != nil {
					b.Error(err)
				}
			})
		}
		wg.Wait()
	}
}

func benchBare(b *testing.B, n *node, names []string) {
	session := n.keeper.Current().ID()
	for b.Loop() {
		for _, verb := range []api.KVOp{api.KVLock, api.KVDelete} {
			for chunk := range slices.Chunk(names, 64) {
				var ops api.KVTxnOps
				for _, name := range chunk {
					ops = append(ops, &api.KVTxnOp{Verb: verb, Key: n.root + "bare/" + name, Session: session, Value: []byte("node-a 0123456789abcdef")})
				}
				if ok, _, err := n.conn.Txn(b.Context(), ops); err != nil || !ok {
					b.Fatal(ok, err)
				}
			}
		}
	}
}
