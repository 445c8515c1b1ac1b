package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"hotfolderd/config"
	"hotfolderd/workarea"
)

func (a *app) rulesCommand() *cobra.Command {
	return group(
		&cobra.Command{
			Use: "rules", Short: "Publish rule sets for all nodes, and look at them",
			Long: "A published rule set is kept in the store under a version number without a gap. Nodes whose settings say\n" +
				"hotfolders: published take up the newest one.",
		},
		a.rulesPublishCommand(), a.rulesListCommand(), a.rulesShowCommand(),
	)
}

// published is the newest published set as rules. Before the first one there is no hotfolder, for a node too.
func (o *opened) published(ctx context.Context) ([]config.Rule, error) {
	rs, err := o.area.Rules(ctx, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	set, err := rulesOf(rs)
	if err != nil {
		return nil, badSettings(err)
	}
	return set, nil
}

const nothingPublished = "no rule set was published yet; publish one with hotfolderd rules publish FOLDER"

// rulesOf reads the rules of a published set; messages name the version and the file.
func rulesOf(rs workarea.RuleSet) ([]config.Rule, error) {
	texts := map[string]string{}
	for name, text := range rs.Files {
		texts[fmt.Sprintf("published version %d/%s", rs.Version, name)] = text
	}
	return config.ReadRules(texts)
}

// hashOf is the name of a published set among the nodes; empty when this program cannot read it.
func hashOf(rs workarea.RuleSet) string {
	set, err := rulesOf(rs)
	if err != nil {
		return ""
	}
	return config.RulesHash(set)
}

// ruleSet finds a published set by its number; an empty one is the newest.
func (o *opened) ruleSet(ctx context.Context, number string) (rs workarea.RuleSet, err error) {
	if number == "" {
		rs, err = o.area.Rules(ctx, 0)
		if errors.Is(err, fs.ErrNotExist) {
			err = notFoundf("%s", nothingPublished)
		}
		return rs, err
	}
	n, err := strconv.Atoi(strings.TrimPrefix(number, "v"))
	if err != nil {
		return rs, err
	}
	if rs, err = o.area.RulesAt(ctx, n); errors.Is(err, fs.ErrNotExist) {
		return rs, o.noVersion(ctx, n)
	}
	return rs, err
}

func (o *opened) noVersion(ctx context.Context, n int) error {
	all, err := o.area.RuleVersions(ctx)
	switch {
	case err != nil:
		return err
	case len(all) == 0:
		return notFoundf("%s", nothingPublished)
	}
	return notFoundf("there is no rule set version %d; the newest is %d", n, all[len(all)-1])
}

// completeVersions offers the numbers of the published sets.
func (a *app) completeVersions(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var versions []string
	if len(args) == 0 {
		_ = a.with(c.Context(), false, func(o *opened) error {
			all, err := o.area.RuleVersions(c.Context())
			for _, n := range all {
				versions = append(versions, strconv.Itoa(n))
			}
			return err
		})
	}
	return versions, cobra.ShellCompDirectiveNoFileComp
}
