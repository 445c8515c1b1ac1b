package node

import (
	"context"
	"testing"
	"time"

	"hotfolderd/config"
	"hotfolderd/leases/consul/consultest"
)

// Nodes and Consul start in any order.
func TestNew_waitsForConsul(t *testing.T) {
	server := consultest.Start(t)
	server.Kill()
	o := options(t, t.TempDir(), rule("inbox"))
	o.Settings.Cluster.Consul = []string{server.Addr}
	o.Settings.Cluster.Namespace = consultest.Namespace(t)
	o.Settings.HTTP.Listen = "127.0.0.1:0"
	o.Settings.Cluster.SessionTTL = config.Duration(time.Second)

	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if n, err := New(ctx, o); err == nil {
		t.Fatalf("want it to wait until its context ends, got %v", n.State())
	}
	o.Registry = options(t, "").Registry
	built := make(chan error, 1)
	var n *Node
	go func() {
		var err error
		n, err = New(t.Context(), o)
		built <- err
	}()
	server.Restart(t)
	select {
	case err := <-built:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("Consul is there, and the node still waits")
	}
	if err := n.Close(); err != nil {
		t.Error(err)
	}
}
