package main

import (
	"strings"

	"github.com/spf13/cobra"
)

const long = `hotfolderd imports files that people and machines drop into shared folders, each exactly once.

Settings: --config FILE, else hotfolderd.yaml in the working directory, else /etc/hotfolderd/hotfolderd.yaml, else the
defaults: it works alone on ./data with one hotfolder, inbox.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 78 bad settings or rules.`

// newRoot is the command line. Nothing of it outlives the call.
func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use: "hotfolderd", Short: "Imports dropped files exactly once", Long: long,
		SilenceUsage: true, SilenceErrors: true, SuggestionsMinimumDistance: 2,
		Args: cobra.ArbitraryArgs, RunE: noCommand,
	}
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return usagef(c, "%w", err) })
	root.PersistentFlags().StringVar(&a.configFile, "config", "", "settings `file`")
	_ = root.MarkPersistentFlagFilename("config", "yaml", "yml") // it fails only for a flag that is not there
	root.AddCommand(
		a.runCommand(), a.checkCommand(), a.statusCommand(), a.putCommand(), a.dropCommand(), a.getCommand(), a.lsCommand(), a.rmCommand(), a.jobCommand(), a.whyCommand(), a.failedCommand(),
		a.retryCommand(), a.pauseCommand(), a.resumeCommand(), a.scanCommand(), a.rebuildCommand(), a.thumbnailsCommand(), a.rulesCommand(),
		a.clusterCommand(), a.drainCommand(), a.sessionsCommand(), a.cacheCommand(), a.balancerCommand(),
		a.userCommand(), a.versionCommand(), workerPlaceholder(),
	)
	return root
}

// noCommand answers a call without a command, and one with a word that is none.
func noCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return c.Help()
	}
	meant := ""
	if like := c.SuggestionsFor(args[0]); len(like) > 0 {
		meant = "; did you mean " + strings.Join(like, " or ") + "?"
	}
	return usagef(c, "there is no command %s%s", show(strings.TrimPrefix(c.CommandPath()+" "+args[0], c.Root().Name()+" ")), meant)
}

// group is a command that only has others below it.
func group(c *cobra.Command, below ...*cobra.Command) *cobra.Command {
	c.Args, c.RunE, c.SuggestionsMinimumDistance = cobra.ArbitraryArgs, noCommand, 2
	c.AddCommand(below...)
	return c
}

// workerPlaceholder keeps the name of the hidden command; main answers it before any of this is built.
func workerPlaceholder() *cobra.Command {
	return &cobra.Command{
		Use: workerCommand, Hidden: true,
		RunE: func(c *cobra.Command, _ []string) error {
			return usagef(c, "%s takes no flags and no arguments", workerCommand)
		},
	}
}

// reading adds the flag that all commands with a result have.
func (a *app) reading(c *cobra.Command) *cobra.Command {
	c.Flags().BoolVar(&a.json, "json", false, "print JSON with stable field names")
	return c
}
