package main

import (
	"context"
	"fmt"

	"go.uber.org/zap"

	"hotfolderd/cluster"
	"hotfolderd/config"
	"hotfolderd/leases/consul"
	"hotfolderd/node"
)

// announceRules tells the nodes of a cluster that version n of the rules is published, so that they need not wait until they look
// by themselves. It is a hint: what is in the store counts. A node that is alone is told nothing.
func announceRules(ctx context.Context, s config.Settings, n int) error {
	if len(s.Cluster.Consul) == 0 {
		return nil
	}
	conn, err := consul.Dial(node.ConsulConfig(s.Cluster, zap.NewNop()))
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := cluster.AnnounceRules(ctx, conn, s.Cluster.Namespace, n); err != nil {
		return fmt.Errorf("announce rules version %d: %w", n, err)
	}
	return nil
}
