package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
)

func (a *app) rebuildCommand() *cobra.Command {
	return a.reading(&cobra.Command{
		Use: "rebuild", Short: "Make the catalog again from the ledger",
		Long: "Gives every import of the ledger that the catalog does not have its name again, in the order of the imports; what the\n" +
			"catalog has stays as it is. For a catalog that was lost, or restored from an older backup. A node may run meanwhile, and\n" +
			"it may be repeated after it was broken off. Names that somebody removed come back too.",
		Args: take(0, 0, ""),
		RunE: func(c *cobra.Command, _ []string) error { return a.rebuild(c.Context()) },
	})
}

func (a *app) rebuild(ctx context.Context) error {
	return a.with(ctx, false, func(o *opened) error {
		if err := o.mayChange(ctx); err != nil {
			return err
		}
		n, err := o.area.Rebuild(ctx)
		if err != nil {
			return fmt.Errorf("%w (%d import%s had their names back by then)", err, n, plural(n))
		}
		switch {
		case a.json:
			return a.printJSON(map[string]any{"rebuilt": n})
		case n == 0:
			a.printf("the catalog has every import already\n")
		default:
			a.printf("%d import%s of the ledger put back into the catalog\n", n, plural(n))
		}
		return nil
	})
}
