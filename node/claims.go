package node

import (
	"sync/atomic"

	"hotfolderd/asset"
	"hotfolderd/cluster/shares"
	"hotfolderd/leases"
)

// claims tells which drops are this node's. They are the shares that it has among the members; a main node that is cut off from
// Consul and stays read-write (isolation: static) has all of them meanwhile, by its own word: the ledger still decides.
type claims struct {
	shares *shares.Shares
	alone  atomic.Pointer[shares.Shares]
}

func (c *claims) now() *shares.Shares {
	if alone := c.alone.Load(); alone != nil {
		return alone
	}
	return c.shares
}

// Claim implements hotfolder.Claims.
func (c *claims) Claim(hotfolder string, key asset.Key) (leases.Lease, func()) {
	return c.now().Claim(hotfolder, key)
}

// Mine implements hotfolder.Claims.
func (c *claims) Mine(hotfolder string, key asset.Key) bool { return c.now().Mine(hotfolder, key) }
