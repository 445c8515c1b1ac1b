package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"hotfolderd/admin"
)

const watchEvery = time.Second

// status is what a running node says of itself.
type status struct {
	Node       admin.Node     `json:"node"`
	Hotfolders []admin.Folder `json:"hotfolders"`
}

func (a *app) statusCommand() *cobra.Command {
	var address string
	var watch bool
	c := a.reading(&cobra.Command{
		Use: "status", Short: "Ask the running node how it is",
		Long: "Asks the node that runs with these settings, by HTTP. It answers from memory, also while its store hangs. Without a node that\n" +
			"answers the exit code is 1.",
		Args: take(0, 0, ""),
		RunE: func(c *cobra.Command, _ []string) error { return a.status(c.Context(), address, watch) },
	})
	addressFlag(c, &address)
	c.Flags().BoolVar(&watch, "watch", false, "ask again every second until a signal")
	return c
}

// addressFlag adds --address to a command that asks a node.
func addressFlag(c *cobra.Command, to *string) {
	c.Flags().StringVar(to, "address", "", "`host:port` of the node, in place of http.listen")
	_ = c.RegisterFlagCompletionFunc("address", cobra.NoFileCompletions) // it fails only for a flag that is not there
}

func (a *app) status(ctx context.Context, address string, watch bool) error {
	c, err := a.clientOf(address)
	if err != nil {
		return err
	}
	if !watch {
		return a.statusOnce(ctx, c)
	}
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		if isTerminal(a.out) && !a.json {
			a.printf("\x1b[H\x1b[2J") // home and clear
		}
		if err := a.statusOnce(ctx, c); err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (a *app) statusOnce(ctx context.Context, c *client) error {
	s := status{Hotfolders: []admin.Folder{}}
	if err := c.ask(ctx, "/v1/node", &s.Node); err != nil {
		return err
	}
	if err := c.ask(ctx, "/v1/hotfolders", &s); err != nil {
		return err
	}
	if a.json {
		return a.printJSON(s)
	}
	return a.printStatus(s)
}

func (a *app) printStatus(s status) error {
	n := s.Node
	a.printf("node %s · %s · up %s · hotfolderd %s · store %s\n\n", show(n.ID), n.State, span(time.Since(n.Started)), show(n.Version), show(n.Store))
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "HOTFOLDER\tSTATE\tWAITING\tIN HAND\tIMPORTED\tFAILED\tRATE\tOLDEST\tWATCHING")
	for _, f := range s.Hotfolders {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%s\t%s\t%s\n", show(f.Name), f.State, f.Waiting, f.InFlight, f.Imported, f.Failed,
			rateText(f.Rate), oldestText(f.OldestWaiting), admin.Visible(f.Watching))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, f := range s.Hotfolders {
		if f.Level != admin.OK {
			a.printf("\n%s: %s: %s\n", f.Level, show(f.Name), admin.Visible(f.Reason))
		}
	}
	if n.RulesError != "" {
		a.printf("\nbad: newer rules are refused, the old ones stay in force:\n%s\n", admin.Visible(n.RulesError))
	}
	return nil
}

func rateText(perSecond float64) string {
	if perSecond < 0.05 {
		return "-"
	}
	return fmt.Sprintf("%.1f/s", perSecond)
}

func oldestText(d time.Duration) string {
	if d == 0 {
		return "-"
	}
	return span(d)
}
