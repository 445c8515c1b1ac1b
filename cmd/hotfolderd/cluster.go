package main

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"hotfolderd/admin"
)

func (a *app) clusterCommand() *cobra.Command {
	var address string
	c := a.reading(&cobra.Command{
		Use: "cluster", Short: "Ask the running node who the members are",
		Long: "Asks the node that runs with these settings how it sees the cluster: its members with their state, share and rules, what\n" +
			"differs among them, and how far it has followed their changes. It answers from memory.",
		Args: take(0, 0, ""),
		RunE: func(c *cobra.Command, _ []string) error { return a.cluster(c.Context(), address) },
	})
	addressFlag(c, &address)
	c.AddCommand(a.adoptCommand(), a.forgetCommand())
	return c
}

// forgotten is the result of cluster forget.
type forgotten struct {
	Forgotten string `json:"forgotten"`
}

func (a *app) forgetCommand() *cobra.Command {
	var address string
	c := a.reading(&cobra.Command{
		Use: "forget NODE", Short: "Give the duty of a lost main node to the next one",
		Long: "With isolation: static all nodes are read-only while the main node is lost. This asks the node that runs with these settings to\n" +
			"give its duty to the best of those that live. Use it when the main node will not come back soon; should it come back, it is the\n" +
			"main node again. A node that leaves in order hands its duty over by itself.",
		Args: take(1, 1, "the id of the node"),
		RunE: func(c *cobra.Command, args []string) error { return a.forget(c.Context(), address, args[0]) },
	})
	addressFlag(c, &address)
	c.ValidArgsFunction = cobra.NoFileCompletions
	return c
}

func (a *app) forget(ctx context.Context, address, node string) error {
	c, err := a.clientOf(address)
	if err != nil {
		return err
	}
	var got forgotten
	if err := c.tell(ctx, "/v1/cluster/"+url.PathEscape(node)+"/forget", struct{}{}, &got); err != nil {
		return err
	}
	if a.json {
		return a.printJSON(got)
	}
	a.printf("node %s is not the main node any more\n", show(got.Forgotten))
	return nil
}

func (a *app) cluster(ctx context.Context, address string) error {
	c, err := a.clientOf(address)
	if err != nil {
		return err
	}
	var seen admin.Cluster
	if err := c.ask(ctx, "/v1/cluster", &seen); err != nil {
		return err
	}
	if a.json {
		return a.printJSON(seen)
	}
	return a.printCluster(seen)
}

func (a *app) printCluster(c admin.Cluster) error {
	main := "none is known"
	if c.Main != "" {
		main = show(c.Main)
	}
	a.printf("as node %s sees it · main node %s · isolation %s · Consul %s\n\n", show(c.Node), main, show(c.Isolation), yes(c.Contact, "answers", "does not answer"))
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NODE\tSTATE\tADDRESS\tROLES\tWEIGHT\tSHARE\tPRIORITY\tWAITING\tOLDEST\tRULES\tVERSION\tUP")
	for _, m := range c.Members {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\t%d\t%d\t%s\t%s\t%s\t%s\n", show(m.ID)+yes(m.Self, " *", ""), stateText(m),
			orDash(m.Address), admin.Visible(strings.Join(m.Roles, ",")), m.Weight, shareText(m), m.Priority, m.Waiting, oldestText(m.Lag),
			rulesText(m.RulesVersion, m.Rules), orDash(m.Version), upText(m.Started))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	a.printOwn(c)
	return nil
}

// printOwn is what the node says of itself: faults first.
func (a *app) printOwn(c admin.Cluster) {
	for _, d := range c.Drift {
		a.printf("\nwarn: %s\n", admin.Visible(d))
	}
	if !c.Writable {
		a.printf("\nwarn: node %s is read-only: %s\n", show(c.Node), admin.Visible(c.Why))
	}
	if !c.Importing && c.ImportingWhy != "" {
		a.printf("\nwarn: imports wait: %s\n", admin.Visible(c.ImportingWhy))
	}
	hand := 0
	for _, p := range c.Partitions {
		hand += p.InHand
	}
	i := c.Invalidation
	a.printf("\n* node %s holds %d partition%s and has %d drop%s in hand; %s, %d name%s and %d time%s everything forgotten\n", show(c.Node),
		len(c.Partitions), plural(len(c.Partitions)), hand, plural(hand), yes(i.Fresh, "it follows the changes of the others", "it has not heard the others lately"),
		i.Events, plural(int(i.Events)), i.Clears, plural(int(i.Clears)))
}

func stateText(m admin.Member) string {
	return show(m.State) + yes(m.Suspected, ", not reached", "")
}

// shareText is the part of the partitions that a node holds, and whether it gave up some because it is behind.
func shareText(m admin.Member) string {
	text := fmt.Sprintf("%.0f%%", 100*m.Part)
	if m.Share < 1 {
		text += fmt.Sprintf(", slowed to %.0f%%", 100*m.Share)
	}
	return text
}

// rulesText is a rule set as short as it can be compared.
func rulesText(version int, hash string) string {
	text := orDash(hash[:min(12, len(hash))])
	if version > 0 {
		text = fmt.Sprintf("v%d %s", version, text)
	}
	return text
}

func upText(started time.Time) string {
	if started.IsZero() {
		return "-"
	}
	return span(time.Since(started).Truncate(time.Second))
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return show(s)
}

func yes(on bool, then, otherwise string) string {
	if on {
		return then
	}
	return otherwise
}
