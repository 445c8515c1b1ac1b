package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"text/tabwriter"

	"github.com/spf13/cobra"

	api "hotfolderd/client"
)

func (a *app) lsCommand() *cobra.Command {
	var r remote
	var o api.ListOptions
	var below bool
	c := a.reading(&cobra.Command{
		Use: "ls [PREFIX]", Short: "List the names of assets",
		Long: "Lists the names that begin with PREFIX, and the folders among them as one line each. It asks the nodes of --server (or of\n" +
			serverVariable + "), else the node that runs with these settings.",
		Args: take(0, 1, "one PREFIX"),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.Prefix = args[0]
			}
			o.Folders = !below && o.Search == ""
			return a.ls(c, r, o)
		},
	})
	c.Flags().BoolVarP(&below, "recursive", "r", false, "list what is in folders too")
	c.Flags().StringVar(&o.Search, "search", "", "only names with this `text`, or like this pattern; in all folders")
	c.ValidArgsFunction = cobra.NoFileCompletions
	r.addTo(c)
	return c
}

func (a *app) ls(c *cobra.Command, r remote, o api.ListOptions) error {
	cl, err := a.dial(c, r)
	if err != nil {
		return err
	}
	defer cl.Close()
	entries := cl.List(c.Context(), o)
	if a.json {
		return remoteFault(writeJSONList(a.out, "assets", entries))
	}
	return remoteFault(a.listEntries(entries))
}

func (a *app) listEntries(entries iter.Seq2[api.Entry, error]) error {
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	var unreadable error
	for e, err := range entries {
		switch {
		case errors.Is(err, api.ErrUnreadable):
			unreadable = err
		case err != nil:
			return errors.Join(w.Flush(), err)
		case e.Folder != "":
			fmt.Fprintf(w, "%s/\t\t\t\t\n", show(e.Folder))
		default:
			fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\n", show(e.Name), e.Number, bytesText(e.Size), show(e.Type), stamp(e.Time))
		}
	}
	return errors.Join(w.Flush(), unreadable)
}

// writeJSONList writes one JSON object with one list, however long, as it comes.
func writeJSONList[T any](w io.Writer, name string, all iter.Seq2[T, error]) error {
	fmt.Fprintf(w, "{\n  %q: [", name)
	before := "\n    "
	var last error
	for v, err := range all {
		if last = err; err != nil {
			continue
		}
		line, err := json.Marshal(v)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s%s", before, line)
		before = ",\n    "
	}
	if _, err := fmt.Fprint(w, "\n  ]\n}\n"); err != nil {
		return err
	}
	return last
}

func (a *app) rmCommand() *cobra.Command {
	var r remote
	c := &cobra.Command{
		Use: "rm NAME...", Short: "Take names away; their bytes stay reachable by hash",
		Long: "Asks the nodes of --server (or of " + serverVariable + "), else the node that runs with these settings, to take each NAME out of\n" +
			"the catalog. It stops at the first that cannot be removed.",
		Args: take(1, -1, "at least one NAME"),
		RunE: func(c *cobra.Command, args []string) error { return a.rm(c, r, args) },
	}
	c.ValidArgsFunction = cobra.NoFileCompletions
	r.addTo(c)
	return c
}

func (a *app) rm(c *cobra.Command, r remote, names []string) error {
	cl, err := a.dial(c, r)
	if err != nil {
		return err
	}
	defer cl.Close()
	for _, name := range names {
		if err := cl.Remove(c.Context(), name); err != nil {
			return remoteFault(err)
		}
	}
	return nil
}
