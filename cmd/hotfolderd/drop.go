package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hotfolderd/admin"
	"hotfolderd/asset"
	api "hotfolderd/client"
)

var errNamelessDrop = errors.New("standard input has no name: give the PATH too")

// dropped is the result of drop.
type dropped struct {
	Hotfolder string        `json:"hotfolder"`
	Path      asset.Key     `json:"path"`
	Size      int64         `json:"size"`
	ID        asset.DropID  `json:"drop,omitempty"`
	Story     string        `json:"story,omitempty"` // where a node tells what happened to it
	State     api.DropState `json:"state"`
	Name      asset.Key     `json:"name,omitempty"`   // of the asset
	Number    int           `json:"number,omitempty"` // version of that name
	Reason    string        `json:"reason,omitempty"`
}

// stateStored is the state of what nobody waited for.
const stateStored api.DropState = "stored"

// dropFlags are those of drop.
type dropFlags struct {
	wait, recursive, hidden bool
	deadline                time.Duration
}

func (a *app) dropCommand() *cobra.Command {
	var r remote
	var f dropFlags
	c := a.reading(&cobra.Command{
		Use: "drop FILE HOTFOLDER[/PATH]", Short: "Put a file, or a folder, into a hotfolder, by way of the nodes",
		Long: "Sends FILE (- is standard input) to a hotfolder, whole or not at all: it is imported by the rules of the hotfolder, as if it\n" +
			"had been put there on the share. Without PATH it keeps its own name; a PATH that ends with / is a folder. When the connection\n" +
			"breaks or a node dies, it goes on where it was, at another node. The file stays where it is.\n\n" +
			"Nodes are asked as --server or " + serverVariable + " says, else the one that runs with the settings. When the command is done the\n" +
			"bytes are durable and imported soon; the page of a node tells what came of them, and `why` where the settings are.\n\n" +
			"With --wait it is done when they were imported, by whatever node, and says as what. The exit code is 1 when they could not be;\n" +
			"so it is when --deadline is over before that, which does not stop the import. Bytes that the name keeps out by the rules\n" +
			"(conflict: skip) are no failure.\n\n" +
			"With -r FILE is a folder: each file below it becomes a drop, some at once, as PATH/ and its path there. Names that begin with .\n" +
			"are left out, with all that is below them, unless --hidden is given; links, pipes and devices always are. A file that cannot\n" +
			"be dropped is told, the others are dropped all the same, and the exit code is 1.",
		Args: take(2, 2, "FILE and HOTFOLDER[/PATH]"),
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case f.hidden && !f.recursive:
				return usagef(c, "--hidden is about the files of a folder: give -r too")
			case f.deadline != 0 && !f.wait:
				return usagef(c, "--deadline is about waiting: give --wait too")
			case f.deadline < 0:
				return usagef(c, "--deadline is a duration, as 10m")
			case f.recursive:
				return a.dropTree(c, r, args[0], args[1], f)
			}
			return a.dropFile(c, r, args[0], args[1], f)
		},
	})
	c.Flags().BoolVarP(&f.recursive, "recursive", "r", false, "FILE is a folder: all files below it")
	c.Flags().BoolVar(&f.hidden, "hidden", false, "with -r: names that begin with . too")
	c.Flags().BoolVar(&f.wait, "wait", false, "until it was imported, or could not be")
	c.Flags().DurationVar(&f.deadline, "deadline", 0, "with --wait: no longer than this `time`")
	_ = c.RegisterFlagCompletionFunc("deadline", cobra.NoFileCompletions) // it fails only for a flag that is not there
	r.addTo(c)
	return c
}

// dropTarget takes HOTFOLDER[/PATH] apart.
func dropTarget(file, to string) (hotfolder string, path asset.Key, err error) {
	hotfolder, rest, _ := strings.Cut(to, "/")
	if rest == "" || strings.HasSuffix(rest, "/") {
		if file == "-" {
			return "", "", errNamelessDrop
		}
		rest += filepath.Base(file)
	}
	path, err = asset.ParseKey(rest)
	return hotfolder, path, err
}

func (a *app) dropFile(c *cobra.Command, r remote, file, to string, f dropFlags) error {
	hotfolder, path, err := dropTarget(file, to)
	if err != nil {
		return usagef(c, "%s: %w", show(to), err)
	}
	var got dropped
	var end error
	err = a.send(c, r, file, "drop -r drops", func(cl *api.Client, in io.ReadSeeker, progress func(int64)) error {
		d, err := cl.Drop(c.Context(), hotfolder, string(path), in, api.DropOptions{Progress: progress})
		if err == nil {
			got, end = a.ended(c.Context(), cl, droppedAs(hotfolder, path, d), d, f)
		}
		return err
	})
	if err != nil {
		return err
	}
	if end != nil {
		end = fmt.Errorf("%s/%s: %w", hotfolder, path, end)
	}
	switch {
	case a.json:
		return errors.Join(a.printJSON(got), end)
	case end == nil:
		a.printf("%s\n", got)
	}
	return end
}

func droppedAs(hotfolder string, path asset.Key, d api.Dropped) dropped {
	return dropped{Hotfolder: hotfolder, Path: path, Size: d.Size, ID: d.ID, Story: d.Story, State: stateStored}
}

// ended waits for the end of a drop, if it is to be waited for. The error is that of a drop that was not imported.
func (a *app) ended(ctx context.Context, cl *api.Client, got dropped, d api.Dropped, f dropFlags) (dropped, error) {
	if !f.wait {
		return got, nil
	}
	if f.deadline > 0 {
		var cancel func()
		ctx, cancel = context.WithTimeoutCause(ctx, f.deadline, fmt.Errorf("it was not imported within %s; it is stored, and its import goes on", f.deadline))
		defer cancel()
	}
	end, err := cl.AwaitDrop(ctx, d)
	if ctx.Err() != nil {
		return got, context.Cause(ctx)
	}
	if err != nil {
		return got, fmt.Errorf("it is stored: %w", remoteFault(err))
	}
	got.State, got.Name, got.Number, got.Reason = end.State, end.Name, end.Number, end.Reason
	if got.State == api.DropFailed {
		err = fmt.Errorf("it was stored, and could not be imported: %s", got.Reason)
	}
	return got, err
}

// String is a line for people.
func (d dropped) String() string {
	came := "stored, and imported soon"
	switch d.State {
	case api.DropImported:
		came = "imported as " + nameAndVersion(d.Name, d.Number)
	case api.DropSkipped:
		came = "no new version: " + d.Reason
	case api.DropFailed:
		came = "not imported: " + d.Reason
	}
	return fmt.Sprintf("%s  %s  %s", show(d.Hotfolder+"/"+string(d.Path)), bytesText(d.Size), admin.Visible(came))
}
