package main

import (
	"context"

	"github.com/spf13/cobra"

	"hotfolderd/admin"
)

// cleared is the result of cache clear.
type cleared struct {
	Index string `json:"index"` // of the clearing; a read by HTTP may wait for it
}

func (a *app) cacheCommand() *cobra.Command {
	return group(&cobra.Command{Use: "cache", Short: "What nodes keep in memory"}, a.cacheClearCommand())
}

func (a *app) cacheClearCommand() *cobra.Command {
	var address string
	c := a.reading(&cobra.Command{
		Use: "clear", Short: "Let all nodes forget what they cached",
		Long: "Asks the node that runs with these settings to tell all members, itself included, to forget everything that they cached.\n" +
			"It is needed only when somebody changed the work area behind the nodes' back. Nothing on the store is removed.",
		Args: take(0, 0, ""),
		RunE: func(c *cobra.Command, _ []string) error { return a.cacheClear(c.Context(), address) },
	})
	addressFlag(c, &address)
	return c
}

func (a *app) cacheClear(ctx context.Context, address string) error {
	c, err := a.clientOf(address)
	if err != nil {
		return err
	}
	var got cleared
	if err := c.tell(ctx, "/v1/cache/clear", struct{}{}, &got); err != nil {
		return err
	}
	if a.json {
		return a.printJSON(got)
	}
	a.printf("all nodes are told to forget what they cached (index %s)\n", admin.Visible(got.Index))
	return nil
}
