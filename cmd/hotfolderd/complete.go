package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
)

// hotfolderFlag adds --hotfolder, which the shell completes with the names of the rules.
func (a *app) hotfolderFlag(c *cobra.Command, to *string, doc string) {
	c.Flags().StringVar(to, "hotfolder", "", doc+" (a `name`)")
	_ = c.RegisterFlagCompletionFunc("hotfolder", func(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		return a.hotfolderNames(c.Context()), cobra.ShellCompDirectiveNoFileComp
	}) // it fails only for a flag that is not there
}

// hotfolderNames is empty when settings or rules cannot be read: a completion says nothing about faults.
func (a *app) hotfolderNames(ctx context.Context) []string {
	s, err := a.settings()
	if err != nil {
		return nil
	}
	set, err := a.rules(ctx, s)
	if err != nil {
		return nil
	}
	var names []string
	for _, r := range set {
		names = append(names, r.Hotfolder)
	}
	return names
}

// completeFailures offers the ids in failed/, each with what it is.
func (a *app) completeFailures(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	var ids []string
	_ = a.with(c.Context(), false, func(o *opened) error {
		all, err := o.failures(c.Context(), "")
		for _, f := range all {
			ids = append(ids, fmt.Sprintf("%s\t%s %s", f.ID, show(f.Hotfolder), show(f.Key)))
		}
		return err
	})
	return ids, cobra.ShellCompDirectiveNoFileComp
}
