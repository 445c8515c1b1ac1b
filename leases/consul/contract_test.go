package consul_test

import (
	"errors"
	"testing"
	"time"

	"hotfolderd/leases"
	"hotfolderd/leases/consul"
	"hotfolderd/leases/consul/consultest"
	"hotfolderd/leases/leasestest"
)

func TestLeaser_keepsTheContract(t *testing.T) {
	s := consultest.Start(t)
	keepsTheContract(t, s)
}

func keepsTheContract(t *testing.T, servers ...*consultest.Server) {
	conn := consultest.Dial(t, servers...)
	leasestest.Run(t, func(t *testing.T) (a, b leases.Leaser) {
		ns := consultest.Namespace(t)
		return openLeaser(t, conn, ns, "a"), openLeaser(t, conn, ns, "b")
	})
}

// node is a leaser with the keeper below it, as a node has them.
type node struct {
	*consul.Leaser
	keeper *consul.Keeper
}

func (n *node) Close() error { return errors.Join(n.Leaser.Close(), n.keeper.Close()) }

func openLeaser(t *testing.T, conn *consul.Conn, ns, id string) *node {
	t.Helper()
	k, err := consul.Keep(t.Context(), conn, consul.KeepOptions{Namespace: ns, Node: id, TTL: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	root := consul.Root(ns)
	return &node{consul.New(conn, k, consul.Options{Root: root, Epoch: 1}), k}
}
