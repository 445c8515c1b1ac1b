package main

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"hotfolderd/admin"
	"hotfolderd/asset"
)

func (a *app) failedCommand() *cobra.Command {
	var hotfolder string
	c := a.reading(&cobra.Command{
		Use: "failed", Short: "List what could not be imported, and why",
		Long: "Lists the drops that were moved to failed/, each with its id, when, at which step and why, and what to do.",
		Args: take(0, 0, ""),
		RunE: func(c *cobra.Command, _ []string) error { return a.failed(c.Context(), hotfolder) },
	})
	a.hotfolderFlag(c, &hotfolder, "only of this hotfolder")
	return c
}

func (a *app) failed(ctx context.Context, hotfolder string) error {
	return a.with(ctx, false, func(o *opened) error {
		all, err := o.failures(ctx, hotfolder)
		if err != nil {
			return err
		}
		if a.json {
			return a.printJSON(map[string]any{"failures": all})
		}
		if len(all) == 0 {
			a.printf("nothing failed\n")
		}
		for _, f := range all {
			a.printFailure(f)
		}
		return nil
	})
}

// failures are the drops in failed/, the oldest first.
func (o *opened) failures(ctx context.Context, hotfolder string) ([]asset.Failure, error) {
	all := []asset.Failure{}
	for f, err := range o.area.Failures(ctx) {
		if err != nil {
			return nil, err
		}
		if hotfolder == "" || f.Hotfolder == hotfolder {
			all = append(all, f)
		}
	}
	slices.SortStableFunc(all, func(a, b asset.Failure) int { return a.Time.Compare(b.Time) })
	return all, nil
}

func (a *app) printFailure(f asset.Failure) {
	step := f.Step
	if step == "" {
		step = "?"
	}
	a.printf("%s  %s  %s  %s  step %s\n", f.ID, stamp(f.Time), show(f.Hotfolder), show(f.Key), step)
	a.printf("    %s\n", admin.Visible(f.Reason))
	if f.Hint != "" {
		a.printf("    %s\n", admin.Visible(f.Hint))
	}
}
