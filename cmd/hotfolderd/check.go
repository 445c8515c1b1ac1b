package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"hotfolderd/admin"
	"hotfolderd/config"
	"hotfolderd/node"
)

// checkFlags ask what would become of a name.
type checkFlags struct{ explain, hotfolder string }

// checked is the result of check.
type checked struct {
	OK         bool     `json:"ok"`
	Hotfolders []string `json:"hotfolders"`
	Faults     []found  `json:"faults"`
	Warnings   []found  `json:"warnings"` // what can be meant and rarely is
}

// found is one fault as JSON. Line and column are 0 when it belongs to no line.
type found struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Path    string `json:"path"` // the key with its sections
	Problem string `json:"problem"`
	Hint    string `json:"hint"`
}

func (a *app) checkCommand() *cobra.Command {
	var f checkFlags
	c := a.reading(&cobra.Command{
		Use: "check [RULEFILE|FOLDER]...", Short: "Check settings and rules, and explain what they do to a name",
		Long: "Reads the settings and the rules that a node would run with, or the rules of the given files and folders. Every fault is\n" +
			"told with its file, line and column; the exit code is 78 then. What can be meant and rarely is is told as a warning.\n" +
			"Nothing is opened but these files, and the store where the rules are published ones.",
		Args: take(0, -1, ""),
		RunE: func(c *cobra.Command, args []string) error { return a.check(c, args, f) },
	})
	c.Flags().StringVar(&f.explain, "explain", "", "say whether this `path` below a hotfolder would be a drop, and its name")
	a.hotfolderFlag(c, &f.hotfolder, "with --explain: in this hotfolder only")
	return c
}

func (a *app) check(c *cobra.Command, args []string, f checkFlags) error {
	if f.hotfolder != "" && f.explain == "" {
		return usagef(c, "--hotfolder goes with --explain")
	}
	s, err := a.settings()
	var set []config.Rule
	if len(args) > 0 {
		var bad error
		set, bad = rulesIn(c.Context(), args)
		err = errors.Join(err, bad)
	} else if err == nil {
		set, err = a.rules(c.Context(), s)
	}
	if err == nil {
		err = ownStores(set)
	}
	switch {
	case err != nil:
		return a.checkFailed(err)
	case f.explain != "":
		return a.explain(c, set, f)
	}
	warnings, err := a.warnings(c.Context(), s, set, len(args) == 0)
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(checked{OK: true, Hotfolders: namesOf(set), Faults: []found{}, Warnings: warnings})
	}
	for _, w := range warnings {
		fmt.Fprintf(a.err, "hotfolderd: warning: %s\n", admin.Visible(config.Error(w).Error()))
	}
	a.printf("ok: %d hotfolder%s\n", len(set), plural(len(set)))
	return nil
}

// checkFailed tells the faults; as JSON they are the result.
func (a *app) checkFailed(err error) error {
	if !a.json {
		return badSettings(err)
	}
	if err := a.printJSON(checked{Hotfolders: []string{}, Faults: faultsOf(err), Warnings: []found{}}); err != nil {
		return err
	}
	return badSettings(errors.New("see the faults in the output"))
}

// faultsOf finds the faults in an error that joins those of several files.
func faultsOf(err error) []found {
	var all []found
	var set config.Errors
	joined, many := err.(interface{ Unwrap() []error })
	switch {
	case many:
		for _, one := range joined.Unwrap() {
			all = append(all, faultsOf(one)...)
		}
	case errors.As(err, &set) && err.Error() == set.Error():
		for _, e := range set {
			all = append(all, found(e))
		}
	case errors.Unwrap(err) != nil && errors.Unwrap(err).Error() == err.Error():
		return faultsOf(errors.Unwrap(err))
	default:
		all = append(all, found{Problem: err.Error()})
	}
	return all
}

// ownStores refuses hotfolders on a kind of store that this version does not know.
func ownStores(set []config.Rule) error {
	var errs []error
	for _, r := range set {
		if !strings.Contains(r.Path, "://") || strings.HasPrefix(r.Path, "s3://") {
			continue
		}
		if _, err := node.StoreFolder(r.Path); err != nil {
			errs = append(errs, fmt.Errorf("%s: path: %w", r.File, err))
		}
	}
	return errors.Join(errs...)
}

// rulesIn reads the rules of files and folders as one set.
func rulesIn(ctx context.Context, args []string) ([]config.Rule, error) {
	var set []config.Rule
	var errs []error
	for _, arg := range args {
		more, err := rulesAt(ctx, arg)
		set = append(set, more...)
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return set, config.CheckSet(set)
}

func rulesAt(ctx context.Context, arg string) ([]config.Rule, error) {
	st, err := os.Stat(arg)
	if err != nil {
		return nil, err
	}
	if st.IsDir() {
		return node.RuleFolder(arg).Load(ctx)
	}
	data, err := os.ReadFile(arg)
	if err != nil {
		return nil, err
	}
	rule, err := config.ParseRule(arg, data)
	return []config.Rule{rule}, err
}

func namesOf(set []config.Rule) []string {
	names := []string{}
	for _, r := range set {
		names = append(names, r.Hotfolder)
	}
	return names
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}
