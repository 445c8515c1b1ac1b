package node

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.uber.org/zap"

	"hotfolderd/asset"
	"hotfolderd/cluster"
	"hotfolderd/config"
	"hotfolderd/leases/consul"
)

// What nodes ask each other for.
const (
	asksPauses = "pauses" // look at which hotfolders are paused
	asksScan   = "scan/"  // and the hotfolder: look at it now
)

// AskScan asks all nodes of a cluster to look at a hotfolder now, for a command beside them. A node that is alone is asked
// nothing.
func AskScan(ctx context.Context, c config.Cluster, hotfolder string) error {
	if len(c.Consul) == 0 {
		return nil
	}
	conn, err := consul.Dial(ConsulConfig(c, zap.NewNop()))
	if err != nil {
		return err
	}
	defer conn.Close()
	return cluster.Ask(ctx, conn, c.Namespace, asksScan+hotfolder)
}

// scan is for admin.Backend. Any node may have a part of the drops, so all look.
func (n *Node) scan(ctx context.Context, hotfolder string) error {
	if n.imports() {
		if err := n.room.Scan(hotfolder); err != nil {
			return err
		}
	}
	err := n.askAll(ctx, asksScan+hotfolder)
	if errors.Is(err, asset.ErrNotNow) && n.imports() {
		return fmt.Errorf("node %s looks, the others were not asked: %w", n.o.Settings.Node.ID, err)
	}
	return err
}

// askAll asks the other members. The error wraps asset.ErrNotNow when Consul does not take it.
func (n *Node) askAll(ctx context.Context, what string) error {
	if n.together == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, clearTime)
	defer cancel()
	if err := cluster.Ask(ctx, n.together.conn, n.o.Settings.Cluster.Namespace, what); err != nil {
		return fmt.Errorf("%w: %w", asset.ErrNotNow, err)
	}
	return nil
}

// hearAsks does what members ask for, until ctx ends.
func (n *Node) hearAsks(ctx context.Context) {
	if n.together == nil {
		return
	}
	cluster.HearAsks(ctx, n.together.conn, n.o.Settings.Cluster.Namespace, func(what string) {
		hotfolder, scan := strings.CutPrefix(what, asksScan)
		switch {
		case scan:
			_ = n.room.Scan(hotfolder) // it may be unknown here
		case what == asksPauses:
			nudge(n.pauses.look)
		}
	})
}

// nudge wakes whoever waits on the channel, which has room for one.
func nudge(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}
