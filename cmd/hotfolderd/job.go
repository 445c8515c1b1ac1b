package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	api "hotfolderd/client"
	"hotfolderd/config"
)

func (a *app) jobCommand() *cobra.Command {
	return group(&cobra.Command{
		Use: "job", Short: "Places for the files of batch jobs",
		Long: "A job is a folder in the work area with an owner, a quota and a time for which it stays after it was used last. These commands ask\n" +
			"the nodes of --server (or of " + serverVariable + "), else the node that runs with these settings.",
	}, a.jobCreateCommand(), a.jobListCommand(), a.jobRenewCommand(), a.jobRemoveCommand())
}

// asking is a command that has a client when it does its work.
func (a *app) asking(c *cobra.Command, do func(ctx context.Context, cl *api.Client, args []string) error) *cobra.Command {
	var r remote
	c.RunE = func(c *cobra.Command, args []string) error {
		cl, err := a.dial(c, r)
		if err != nil {
			return err
		}
		defer cl.Close()
		return remoteFault(do(c.Context(), cl, args))
	}
	c.ValidArgsFunction = cobra.NoFileCompletions
	r.addTo(c)
	return a.reading(c)
}

func (a *app) jobCreateCommand() *cobra.Command {
	var o api.JobOptions
	var quota string
	var labels []string
	c := &cobra.Command{Use: "create", Short: "Ask for a new job; prints its id, folder and path", Args: take(0, 0, "")}
	c.Flags().StringVar(&o.Owner, "owner", "", "whose it is")
	c.Flags().DurationVar(&o.TTL, "ttl", 0, "how long it stays after it was used last")
	c.Flags().StringVar(&quota, "quota", "", "`size` that its files may have together, as 10GiB")
	c.Flags().StringArrayVar(&labels, "label", nil, "`name=value` to know it by")
	return a.asking(c, func(ctx context.Context, cl *api.Client, _ []string) error {
		if quota != "" {
			var size config.Size
			if err := size.UnmarshalText([]byte(quota)); err != nil {
				return usagef(c, "--quota: %w", err)
			}
			o.Quota = int64(size)
		}
		for _, l := range labels {
			name, value, ok := strings.Cut(l, "=")
			if !ok {
				return usagef(c, "--label wants name=value, got %q", l)
			}
			if o.Labels == nil {
				o.Labels = map[string]string{}
			}
			o.Labels[name] = value
		}
		j, err := cl.NewJob(ctx, o)
		if err != nil {
			return err
		}
		return a.tellJob(j)
	})
}

func (a *app) tellJob(j api.JobInfo) error {
	if a.json {
		return a.printJSON(j)
	}
	a.printf("job     %s\nfolder  %s\nfiles   %s\nquota   %s\nuntil   %s, unless it is used or renewed\n", show(j.ID), show(j.Folder), show(j.Files),
		bytesText(j.Quota), stamp(j.Expires))
	return nil
}

func (a *app) jobListCommand() *cobra.Command {
	var owner string
	c := &cobra.Command{Use: "list", Short: "List the jobs", Args: take(0, 0, "")}
	c.Flags().StringVar(&owner, "owner", "", "only those of this owner")
	return a.asking(c, func(ctx context.Context, cl *api.Client, _ []string) error {
		jobs, err := cl.Jobs(ctx, owner)
		if err != nil {
			return err
		}
		if a.json {
			return a.printJSON(map[string]any{"jobs": append([]api.JobInfo{}, jobs...)})
		}
		w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "JOB\tOWNER\tUSED\tQUOTA\tEXPIRES IN\tFOLDER")
		for _, j := range jobs {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", show(j.ID), orDash(j.Owner), bytesText(j.Used), bytesText(j.Quota),
				span(time.Until(j.Expires).Truncate(time.Second)), show(j.Folder))
		}
		return w.Flush()
	})
}

func (a *app) jobRenewCommand() *cobra.Command {
	c := &cobra.Command{Use: "renew ID", Short: "Let a job stay for its time from now on", Args: take(1, 1, "the ID of a job")}
	return a.asking(c, func(ctx context.Context, cl *api.Client, args []string) error {
		j, err := cl.RenewJob(ctx, args[0])
		if err != nil {
			return err
		}
		return a.tellJob(j)
	})
}

func (a *app) jobRemoveCommand() *cobra.Command {
	c := &cobra.Command{Use: "rm ID", Short: "Take a job away, with its files", Args: take(1, 1, "the ID of a job")}
	return a.asking(c, func(ctx context.Context, cl *api.Client, args []string) error {
		return cl.EndJob(ctx, args[0])
	})
}
