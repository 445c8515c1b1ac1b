package main

import (
	"context"
	"net/url"

	"github.com/spf13/cobra"
)

// paused is the result of pause and resume.
type paused struct {
	Hotfolder string `json:"hotfolder"`
	Paused    bool   `json:"paused"`
}

// looking is the result of scan.
type looking struct {
	Hotfolders []string `json:"hotfolders"`
}

func (a *app) pauseCommand() *cobra.Command {
	return a.askingOf(&cobra.Command{
		Use: "pause HOTFOLDER", Short: "Let no node import from a hotfolder until it is resumed",
		Long: "Asks the node that runs with these settings to pause a hotfolder. It holds for all nodes of the store and over their restarts:\n" +
			"they watch the hotfolder and count, but begin no import. What is in hand is finished.",
		Args: take(1, 1, "the name of a hotfolder"),
	}, func(ctx context.Context, c *client, args []string) error { return a.pause(ctx, c, args[0], true) })
}

func (a *app) resumeCommand() *cobra.Command {
	return a.askingOf(&cobra.Command{
		Use: "resume HOTFOLDER", Short: "Let all nodes import from a paused hotfolder again",
		Long: "Asks the node that runs with these settings to end the pause of a hotfolder, on all nodes.",
		Args: take(1, 1, "the name of a hotfolder"),
	}, func(ctx context.Context, c *client, args []string) error { return a.pause(ctx, c, args[0], false) })
}

func (a *app) scanCommand() *cobra.Command {
	return a.askingOf(&cobra.Command{
		Use: "scan [HOTFOLDER...]", Short: "Let all nodes look at hotfolders now",
		Long: "Asks the node that runs with these settings, and by it all nodes of the cluster, to look at these hotfolders, or at all, now\n" +
			"instead of when it is time. It does not wait for what they find.",
		Args: take(0, -1, ""),
	}, a.scan)
}

// askingOf is a command that asks the running node for something that concerns hotfolders.
func (a *app) askingOf(c *cobra.Command, do func(ctx context.Context, c *client, args []string) error) *cobra.Command {
	var address string
	c.RunE = func(c *cobra.Command, args []string) error {
		client, err := a.clientOf(address)
		if err != nil {
			return err
		}
		return do(c.Context(), client, args)
	}
	c.ValidArgsFunction = func(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		return a.hotfolderNames(c.Context()), cobra.ShellCompDirectiveNoFileComp
	}
	addressFlag(a.reading(c), &address)
	return c
}

func (a *app) pause(ctx context.Context, c *client, hotfolder string, on bool) error {
	var got paused
	if err := c.tell(ctx, hotfolderRoute(hotfolder, yes(on, "pause", "resume")), struct{}{}, &got); err != nil {
		return err
	}
	if a.json {
		return a.printJSON(got)
	}
	a.printf("hotfolder %s is %s\n", show(got.Hotfolder), yes(got.Paused, "paused on all nodes", "resumed"))
	return nil
}

func (a *app) scan(ctx context.Context, c *client, hotfolders []string) error {
	if len(hotfolders) == 0 {
		var now status
		if err := c.ask(ctx, "/v1/hotfolders", &now); err != nil {
			return err
		}
		for _, f := range now.Hotfolders {
			hotfolders = append(hotfolders, f.Name)
		}
	}
	got := looking{Hotfolders: []string{}}
	for _, h := range hotfolders {
		var one struct{}
		if err := c.tell(ctx, hotfolderRoute(h, "scan"), struct{}{}, &one); err != nil {
			return err
		}
		got.Hotfolders = append(got.Hotfolders, h)
		if !a.json {
			a.printf("all nodes look at hotfolder %s\n", show(h))
		}
	}
	if a.json {
		return a.printJSON(got)
	}
	return nil
}

func hotfolderRoute(hotfolder, act string) string {
	return "/v1/hotfolders/" + url.PathEscape(hotfolder) + "/" + act
}
