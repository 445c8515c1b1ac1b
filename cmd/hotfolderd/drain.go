package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"hotfolderd/admin"
	"hotfolderd/config"
)

const (
	drainTime  = time.Minute      // that a node gets to finish when nothing else is said
	drainGrace = 30 * time.Second // beyond its deadline, for giving back what it holds
	drainLook  = 500 * time.Millisecond
)

// drained is the result of drain.
type drained struct {
	Node string        `json:"node"`
	Took time.Duration `json:"took"`
}

func (a *app) drainCommand() *cobra.Command {
	var address string
	var deadline time.Duration
	c := a.reading(&cobra.Command{
		Use: "drain", Short: "Let the running node leave the cluster in order",
		Long: "Asks the node that runs with these settings to take nothing new, to finish what it has and to leave, and waits until it\n" +
			"has left. What is not finished at the deadline is walked again by another node. Breaking off this command does not stop\n" +
			"the draining.",
		Args: take(0, 0, ""),
		RunE: func(c *cobra.Command, _ []string) error {
			if deadline < 0 || deadline > 24*time.Hour {
				return usagef(c, "--deadline is a duration from 0s to 24h")
			}
			return a.drain(c.Context(), address, deadline)
		},
	})
	addressFlag(c, &address)
	c.Flags().DurationVar(&deadline, "deadline", drainTime, "`time` to finish what is in hand")
	_ = c.RegisterFlagCompletionFunc("deadline", cobra.NoFileCompletions) // it fails only for a flag that is not there
	return c
}

func (a *app) drain(ctx context.Context, address string, deadline time.Duration) error {
	c, err := a.clientOf(address)
	if err != nil {
		return err
	}
	var before admin.Node
	if err := c.ask(ctx, "/v1/node", &before); err != nil {
		return err
	}
	began := time.Now()
	var told struct{}
	if err := c.tell(ctx, "/v1/drain", map[string]any{"deadline": config.Duration(deadline)}, &told); err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, deadline+drainGrace)
	defer cancel()
	if err := a.awaitLeft(bounded, c, before); err != nil {
		if ctx.Err() == nil && bounded.Err() != nil {
			err = fmt.Errorf("node %s has not left %s after its deadline of %s; see its log", show(before.ID), drainGrace, deadline)
		}
		return err
	}
	got := drained{before.ID, time.Since(began)}
	if a.json {
		return a.printJSON(got)
	}
	a.printf("node %s has left after %s\n", show(got.Node), span(got.Took))
	return nil
}

// awaitLeft asks until the node has left, and tells what it waits for whenever that changes.
func (a *app) awaitLeft(ctx context.Context, c *client, before admin.Node) error {
	tick := time.NewTicker(drainLook)
	defer tick.Stop()
	said := ""
	for {
		var now admin.Node
		err := c.ask(ctx, "/v1/node", &now)
		switch {
		case errors.Is(err, errNobody), err == nil && left(before, now):
			return nil
		case err == nil:
			if text := c.awaited(ctx, now); text != said {
				fmt.Fprintf(a.err, "hotfolderd: node %s is %s: %s\n", show(now.ID), show(now.State), text)
				said = text
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// left: it says so, or another start of it answers.
func left(before, now admin.Node) bool {
	return now.State == admin.Left || now.ID != before.ID || now.Instance != before.Instance || !now.Started.Equal(before.Started)
}

// awaited says what the node still has. What it cannot tell any more is left out.
func (c *client) awaited(ctx context.Context, now admin.Node) string {
	var folders struct {
		Hotfolders []admin.Folder `json:"hotfolders"`
	}
	var seen admin.Cluster
	if err := errors.Join(c.ask(ctx, "/v1/hotfolders", &folders), c.ask(ctx, "/v1/cluster", &seen)); err != nil {
		return "it ends"
	}
	hand := 0
	for _, f := range folders.Hotfolders {
		hand += f.InFlight
	}
	held := len(seen.Partitions)
	return fmt.Sprintf("waiting for %d drop%s in hand and %d partition%s to be given back", hand, plural(hand), held, plural(held))
}
