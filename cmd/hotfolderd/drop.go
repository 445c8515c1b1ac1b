package main

import (
	"errors"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"hotfolderd/asset"
	api "hotfolderd/client"
)

var errNamelessDrop = errors.New("standard input has no name: give the PATH too")

// dropped is the result of drop.
type dropped struct {
	Hotfolder string       `json:"hotfolder"`
	Path      asset.Key    `json:"path"`
	Size      int64        `json:"size"`
	ID        asset.DropID `json:"drop,omitempty"`
	Story     string       `json:"story,omitempty"` // where a node tells what happened to it
}

func (a *app) dropCommand() *cobra.Command {
	var r remote
	c := a.reading(&cobra.Command{
		Use: "drop FILE HOTFOLDER[/PATH]", Short: "Put a file into a hotfolder, by way of the nodes",
		Long: "Sends FILE (- is standard input) to a hotfolder, whole or not at all: it is imported by the rules of the hotfolder, as if it\n" +
			"had been put there on the share. Without PATH it keeps its own name; a PATH that ends with / is a folder. When the connection\n" +
			"breaks or a node dies, it goes on where it was, at another node. The file stays where it is.\n\n" +
			"Nodes are asked as --server or " + serverVariable + " says, else the one that runs with the settings. When the command is done the\n" +
			"bytes are durable and imported soon; the page of a node tells what came of them, and `why` where the settings are.",
		Args: take(2, 2, "FILE and HOTFOLDER[/PATH]"),
		RunE: func(c *cobra.Command, args []string) error {
			hotfolder, path, err := dropTarget(args[0], args[1])
			if err != nil {
				return usagef(c, "%s: %w", show(args[1]), err)
			}
			return a.drop(c, r, args[0], hotfolder, path)
		},
	})
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

func (a *app) drop(c *cobra.Command, r remote, file, hotfolder string, path asset.Key) error {
	var got api.Dropped
	err := a.send(c, r, file, func(cl *api.Client, in io.ReadSeeker, progress func(int64)) (err error) {
		got, err = cl.Drop(c.Context(), hotfolder, string(path), in, api.DropOptions{Progress: progress})
		return err
	})
	if err != nil {
		return err
	}
	return a.tellDropped(dropped{Hotfolder: hotfolder, Path: path, Size: got.Size, ID: got.ID, Story: got.Story})
}

func (a *app) tellDropped(d dropped) error {
	if a.json {
		return a.printJSON(d)
	}
	a.printf("%s  %s  stored, and imported soon\n", show(d.Hotfolder+"/"+string(d.Path)), bytesText(d.Size))
	return nil
}
