package main

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"hotfolderd/admin"
	"hotfolderd/workarea"
)

// listed is one published set in rules list.
type listed struct {
	Version   int       `json:"version"`
	Published time.Time `json:"published"`
	By        string    `json:"by"`
	Note      string    `json:"note"`
	Rules     string    `json:"rules"` // the hash that nodes show; empty when this program cannot read the set
	Files     []string  `json:"files"`
}

func listedOf(rs workarea.RuleSet) listed {
	files := slices.AppendSeq([]string{}, maps.Keys(rs.Files))
	slices.Sort(files)
	return listed{rs.Version, rs.Published, rs.By, rs.Note, hashOf(rs), files}
}

func (a *app) rulesListCommand() *cobra.Command {
	return a.reading(&cobra.Command{
		Use: "list", Short: "List the published rule sets, the oldest first",
		Args: take(0, 0, ""),
		RunE: func(c *cobra.Command, _ []string) error { return a.rulesList(c.Context()) },
	})
}

func (a *app) rulesList(ctx context.Context) error {
	return a.with(ctx, false, func(o *opened) error {
		versions, err := o.area.RuleVersions(ctx)
		if err != nil {
			return err
		}
		all := []listed{}
		for _, n := range versions {
			rs, err := o.area.RulesAt(ctx, n)
			if err != nil {
				return err
			}
			all = append(all, listedOf(rs))
		}
		if a.json {
			return a.printJSON(map[string]any{"versions": all})
		}
		return a.printVersions(all)
	})
}

func (a *app) printVersions(all []listed) error {
	if len(all) == 0 {
		a.printf("%s\n", nothingPublished)
		return nil
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "VERSION\tPUBLISHED\tBY\tFILES\tRULES\tNOTE")
	for _, l := range all {
		fmt.Fprintf(w, "%d\t%s\t%s\t%d\t%s\t%s\n", l.Version, stamp(l.Published), show(l.By), len(l.Files), rulesText(0, l.Rules), admin.Visible(l.Note))
	}
	return w.Flush()
}

var versionWord = regexp.MustCompile(`^v?[1-9][0-9]{0,8}$`)

func (a *app) rulesShowCommand() *cobra.Command {
	c := a.reading(&cobra.Command{
		Use: "show [N]", Short: "Show a published rule set with its files",
		Long: "Shows version N of the published rule sets, or the newest one. The exit code is 3 when it is not there.",
		Args: take(0, 1, "at most one version"),
		RunE: func(c *cobra.Command, args []string) error {
			number := ""
			if len(args) > 0 {
				if number = args[0]; !versionWord.MatchString(number) {
					return usagef(c, "N is the number of a version, as rules list shows it; got %s", show(number))
				}
			}
			return a.rulesShow(c.Context(), number)
		},
	})
	c.ValidArgsFunction = a.completeVersions
	return c
}

func (a *app) rulesShow(ctx context.Context, number string) error {
	return a.with(ctx, false, func(o *opened) error {
		rs, err := o.ruleSet(ctx, number)
		if err != nil {
			return err
		}
		if a.json {
			return a.printJSON(rs)
		}
		a.printRuleSet(rs)
		return nil
	})
}

func (a *app) printRuleSet(rs workarea.RuleSet) {
	l := listedOf(rs)
	a.printf("version %d · published %s by %s · rules %s\n", l.Version, stamp(l.Published), show(l.By), orDash(l.Rules))
	if l.Note != "" {
		a.printf("%s\n", admin.Visible(l.Note))
	}
	for _, name := range l.Files {
		a.printf("\n--- %s\n", show(name))
		for line := range strings.Lines(rs.Files[name]) {
			a.printf("%s\n", admin.Visible(strings.TrimRight(line, "\r\n")))
		}
	}
}
