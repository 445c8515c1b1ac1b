package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/spf13/cobra"

	"hotfolderd/asset"
	"hotfolderd/config"
	"hotfolderd/node"
)

// putBack is one result of retry.
type putBack struct {
	ID        string    `json:"id"`
	Hotfolder string    `json:"hotfolder"`
	Key       asset.Key `json:"key"` // in the hotfolder; differs from before when its place was taken
}

type retryFlags struct {
	all       bool
	hotfolder string
}

func (a *app) retryCommand() *cobra.Command {
	var f retryFlags
	c := a.reading(&cobra.Command{
		Use: "retry ID... | --all", Short: "Put failed drops back into their hotfolders",
		Long: "Puts failed drops back, as `hotfolderd failed` lists them. They count as new drops: a node that runs imports them at once.",
		RunE: func(c *cobra.Command, args []string) error { return a.retry(c, args, f) },
	})
	c.Flags().BoolVar(&f.all, "all", false, "all of them")
	a.hotfolderFlag(c, &f.hotfolder, "with --all: only of this hotfolder")
	c.ValidArgsFunction = a.completeFailures
	return c
}

func (a *app) retry(c *cobra.Command, ids []string, f retryFlags) error {
	switch {
	case f.all == (len(ids) > 0):
		return usagef(c, "retry wants either ids or --all")
	case f.hotfolder != "" && !f.all:
		return usagef(c, "--hotfolder goes with --all")
	}
	ctx := c.Context()
	return a.with(ctx, false, func(o *opened) error {
		set, err := o.rules(ctx)
		if err != nil {
			return err
		}
		todo, err := o.chosen(ctx, ids, f)
		if err != nil {
			return err
		}
		return a.retryEach(ctx, o, set, todo)
	})
}

// chosen finds the failures that are meant; when one id is unknown nothing is put back.
func (o *opened) chosen(ctx context.Context, ids []string, f retryFlags) ([]asset.Failure, error) {
	all, err := o.failures(ctx, f.hotfolder)
	if err != nil || f.all {
		return all, err
	}
	byID := map[string]asset.Failure{}
	for _, one := range all {
		byID[one.ID] = one
	}
	var todo []asset.Failure
	for _, id := range ids {
		one, ok := byID[id]
		if !ok {
			return nil, notFoundf("there is no failed drop %s: it was put back or removed already, or the id is wrong", show(id))
		}
		todo = append(todo, one)
	}
	return todo, nil
}

// retryEach goes on after a fault, so that one bad drop does not hold up the others.
func (a *app) retryEach(ctx context.Context, o *opened, set []config.Rule, todo []asset.Failure) error {
	done := []putBack{}
	var errs []error
	places := map[string]place{}
	for _, f := range todo {
		if ctx.Err() != nil {
			errs = append(errs, ctx.Err())
			break
		}
		back, err := o.retryOne(ctx, set, places, f)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		done = append(done, back)
		if !a.json {
			a.printf("%s  %s  %s  is back in its hotfolder\n", back.ID, show(back.Hotfolder), show(back.Key))
		}
	}
	for _, hotfolder := range hotfoldersOf(done) {
		if err := node.AskScan(ctx, o.settings.Cluster, hotfolder); err != nil {
			fmt.Fprintf(a.err, "hotfolderd: warning: the nodes could not be told to look at %s, and find it at the next scan: %v\n", show(hotfolder), err)
		}
	}
	if a.json {
		errs = append(errs, a.printJSON(map[string]any{"retried": done}))
	} else if len(todo) == 0 {
		a.printf("nothing failed\n")
	}
	return errors.Join(errs...)
}

func hotfoldersOf(done []putBack) (all []string) {
	for _, one := range done {
		if !slices.Contains(all, one.Hotfolder) {
			all = append(all, one.Hotfolder)
		}
	}
	return all
}

func (o *opened) retryOne(ctx context.Context, set []config.Rule, places map[string]place, f asset.Failure) (putBack, error) {
	p, known := places[f.Hotfolder]
	if !known {
		rule, err := ruleNamed(set, f.Hotfolder)
		if err == nil {
			p, err = o.place(ctx, rule)
		}
		if err != nil {
			return putBack{}, err
		}
		places[f.Hotfolder] = p
	}
	key, err := o.area.Retry(ctx, f.ID, p.store, p.prefix.Join(f.Key))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return putBack{}, notFoundf("the failed drop %s is gone: somebody else put it back or removed it", f.ID)
	case err != nil:
		return putBack{}, err
	}
	below, _ := key.Below(p.prefix)
	return putBack{f.ID, f.Hotfolder, below}, o.note(ctx, asset.Event{
		Hotfolder: f.Hotfolder, Key: below, Drop: f.Drop, Result: asset.Retried, Reason: "put back into its hotfolder to be tried again",
	})
}
