package consul_test

import (
	"testing"
	"time"

	"hotfolderd/leases"
	"hotfolderd/leases/consul/consultest"
	"hotfolderd/leases/leasestest"
)

func TestLeaser_keepsTheContract(t *testing.T) {
	t.Parallel()
	keepsTheContract(t, consultest.Start(t))
}

func TestLeaser_keepsTheContractInACluster(t *testing.T) {
	t.Parallel()
	keepsTheContract(t, consultest.StartCluster(t)...)
}

func keepsTheContract(t *testing.T, servers ...*consultest.Server) {
	conn := consultest.Dial(t, servers...)
	leasestest.Run(t, func(t *testing.T) (a, b leases.Leaser) {
		return openNode(t, conn, "a", 10*time.Second), openNode(t, conn, "b", 10*time.Second)
	})
}
