package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"hotfolderd/cluster"
	"hotfolderd/node"
)

func (a *app) adoptCommand() *cobra.Command {
	return &cobra.Command{
		Use: "adopt", Short: "Give the store to the nodes of these settings",
		Long: "A store remembers the cluster that works on it, and nodes of another one, or one that is alone, end with code 78. This gives\n" +
			"it to the cluster of these settings, or to a node that is alone when they name no cluster.consul. It is for a store that\n" +
			"moves to another Consul or namespace, for a Consul whose data were lost, and for a cluster that is given up. Stop all\n" +
			"nodes of the store first. The first cluster of a store needs it not.",
		Args: take(0, 0, ""),
		RunE: func(c *cobra.Command, _ []string) error { return a.adopt(c.Context()) },
	}
}

func (a *app) adopt(ctx context.Context) error {
	s, err := a.settings()
	if err != nil {
		return err
	}
	adopted, err := node.Adopt(ctx, s)
	if err != nil {
		return noStore(err, s.Storage.URL)
	}
	to := "to nodes that are alone"
	if len(s.Cluster.Consul) > 0 {
		to = "to the cluster in namespace " + show(s.Cluster.Namespace)
	}
	a.printf("the store belongs %s%s\n", to, yes(adopted, " now; start its nodes", " already"))
	return nil
}

// mayChange refuses to change a store by settings that are not those of its cluster: its nodes would not be told.
func (o *opened) mayChange(ctx context.Context) error {
	h, _, err := o.area.Home(ctx)
	c := o.settings.Cluster
	if err != nil || h.Cluster == "" || len(c.Consul) > 0 && h.Namespace == c.Namespace {
		return err
	}
	wanted := "these settings name no cluster.consul"
	if len(c.Consul) > 0 {
		wanted = fmt.Sprintf("these settings name namespace %q", c.Namespace)
	}
	return cluster.Foreign(h, wanted)
}
