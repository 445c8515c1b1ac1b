package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"hotfolderd/config"
	"hotfolderd/workarea"
)

// publishedRules is the result of rules publish.
type publishedRules struct {
	Version    int      `json:"version"`
	Rules      string   `json:"rules"`      // the hash that nodes show
	Hotfolders []string `json:"hotfolders"` // in the order of their files
	Unchanged  bool     `json:"unchanged"`  // the newest version had just these files: no other was made
}

func (a *app) rulesPublishCommand() *cobra.Command {
	var note string
	c := a.reading(&cobra.Command{
		Use: "publish [FOLDER]", Short: "Publish the rule files of a folder as the next rule set",
		Long: "Checks the rule files of FOLDER (the folder that the settings name, when it is left away) as hotfolderd check does and\n" +
			"publishes them as one set under the next version number: all of them, or nothing when there is a fault. Nodes take it up\n" +
			"within two seconds. Files that are the newest version already make no other.",
		Args: take(0, 1, "at most one FOLDER"),
		RunE: func(c *cobra.Command, args []string) error { return a.rulesPublish(c, args, note) },
	})
	c.Flags().StringVar(&note, "note", "", "why, as a `text` for people")
	_ = c.RegisterFlagCompletionFunc("note", cobra.NoFileCompletions) // it fails only for a flag that is not there
	c.ValidArgsFunction = func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return nil, cobra.ShellCompDirectiveFilterDirs
	}
	return c
}

func (a *app) rulesPublish(c *cobra.Command, args []string, note string) error {
	s, err := a.settings()
	if err != nil {
		return err
	}
	folder := s.Hotfolders
	switch {
	case !s.Cluster.PublishRules:
		return errors.New("publishing is forbidden here: cluster.publish_rules is false; publish on a machine that may")
	case len(args) > 0:
		folder = args[0]
	case folder == config.Published:
		return usagef(c, "publish wants the FOLDER of the rule files: the settings say hotfolders: published and name none")
	}
	texts, err := readRuleTexts(folder)
	if err != nil {
		return badSettings(err)
	}
	set, err := checkTexts(folder, texts)
	if err != nil {
		return badSettings(err)
	}
	ctx := c.Context()
	return a.with(ctx, true, func(o *opened) error {
		if err := o.mayChange(ctx); err != nil {
			return err
		}
		return a.publishInto(ctx, o, workarea.RuleSet{By: s.Node.ID, Note: note, Files: texts}, set)
	})
}

// readRuleTexts reads the rule files of a folder by their names.
func readRuleTexts(folder string) (map[string]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	texts := map[string]string{}
	for _, e := range entries {
		if e.IsDir() || !config.IsRuleFile(e.Name()) {
			continue
		}
		data, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			return nil, err
		}
		texts[e.Name()] = string(data)
	}
	if len(texts) == 0 {
		return nil, fmt.Errorf("%s holds no rule file (*.yaml)", show(folder))
	}
	return texts, nil
}

// checkTexts tells the faults with the paths of the files as they lie here.
func checkTexts(folder string, texts map[string]string) ([]config.Rule, error) {
	here := map[string]string{}
	for name, text := range texts {
		here[filepath.Join(folder, name)] = text
	}
	set, err := config.ReadRules(here)
	if err == nil {
		err = ownStores(set)
	}
	return set, err
}

func (a *app) publishInto(ctx context.Context, o *opened, rs workarea.RuleSet, set []config.Rule) error {
	before, err := o.area.Rules(ctx, 0)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	n, err := o.area.PublishRules(ctx, rs)
	if err != nil {
		return err
	}
	if err := announceRules(ctx, o.settings, n); err != nil {
		fmt.Fprintf(a.err, "hotfolderd: warning: version %d is published, but the nodes could not be told and find it themselves within 30 seconds: %v\n", n, err)
	}
	got := publishedRules{n, config.RulesHash(set), namesOf(set), n == before.Version}
	switch {
	case a.json:
		return a.printJSON(got)
	case got.Unchanged:
		a.printf("version %d has just these files already; nothing was published\n", n)
	default:
		a.printf("published version %d: %d hotfolder%s, rules %s\n", n, len(set), plural(len(set)), rulesText(0, got.Rules))
	}
	return nil
}
