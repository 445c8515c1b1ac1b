package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"hotfolderd/admin"
)

func (a *app) sessionsCommand() *cobra.Command {
	var address string
	c := a.reading(&cobra.Command{
		Use: "sessions", Short: "Ask the running node who uses its FTP gate",
		Long: "Lists the sessions of the FTP gate of the node that runs with these settings, the oldest first.",
		Args: take(0, 0, ""),
		RunE: func(c *cobra.Command, _ []string) error { return a.sessions(c.Context(), address) },
	})
	addressFlag(c, &address)
	c.AddCommand(a.sessionsEndCommand())
	return c
}

func (a *app) sessionsEndCommand() *cobra.Command {
	var address string
	c := a.reading(&cobra.Command{
		Use: "end ID", Short: "End a session of the FTP gate",
		Long: "Ends a session, also in the middle of a transfer. What came of an upload is kept for its owner to go on with.",
		Args: take(1, 1, "the id of a session"), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(c *cobra.Command, args []string) error { return a.endSession(c.Context(), address, args[0]) },
	})
	addressFlag(c, &address)
	return c
}

func (a *app) sessions(ctx context.Context, address string) error {
	c, err := a.clientOf(address)
	if err != nil {
		return err
	}
	var got struct {
		Sessions []admin.Session `json:"sessions"`
	}
	if err := c.ask(ctx, "/v1/sessions", &got); err != nil {
		return err
	}
	if a.json {
		return a.printJSON(got)
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tUSER\tADDRESS\tTLS\tSINCE\tDOING\tMOVED\tPATH")
	for _, s := range got.Sessions {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", show(s.ID), orDash(s.User), show(s.Address), yes(s.TLS, "yes", "no"),
			span(time.Since(s.Since).Truncate(time.Second)), orDash(s.Doing), bytesText(s.Moved), orDash(s.Path))
	}
	return w.Flush()
}

// endedSession is the result of sessions end.
type endedSession struct {
	ID    string `json:"id"`
	Ended bool   `json:"ended"`
}

func (a *app) endSession(ctx context.Context, address, id string) error {
	c, err := a.clientOf(address)
	if err != nil {
		return err
	}
	var got endedSession
	err = c.tell(ctx, "/v1/sessions/"+url.PathEscape(id)+"/end", struct{}{}, &got)
	var no *refusedError
	switch {
	case errors.As(err, &no) && no.status == http.StatusNotFound:
		return notFoundf("%w", err)
	case err != nil:
		return err
	case a.json:
		return a.printJSON(got)
	}
	a.printf("session %s is ended\n", show(got.ID))
	return nil
}
