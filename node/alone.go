package node

import (
	"context"
	"sync"

	"hotfolderd/cluster/shares"
	"hotfolderd/leases/local"
)

// takeAll gives this node every partition by its own word; the function that it returns ends that, after the walks in hand.
// The tokens go on from the cluster's epoch, above any that Consul gave in it.
func (n *Node) takeAll(ctx context.Context) (end func()) {
	leaser := local.Unlocked(n.epoch, isolatedIndex)
	alone := shares.New(shares.Options{Self: n.o.Settings.Node.ID, Leaser: leaser, Gained: n.gainedShares, Log: n.log})
	alone.Set([]shares.Node{{ID: n.o.Settings.Node.ID, Weight: 1}}, nil)
	actx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var run sync.WaitGroup
	run.Go(func() { _ = alone.Run(actx) })
	n.claims.alone.Store(alone)
	n.log.Warn("cut off from Consul: as the main node this one goes on with all drops (isolation: static)")
	return func() {
		n.claims.alone.Store(nil)
		cancel()
		run.Wait()
		_ = leaser.Close()
	}
}

// isolatedIndex is above every index that Consul reaches in one epoch.
const isolatedIndex = 1 << 62
