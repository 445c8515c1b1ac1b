package main

import (
	"context"
	"encoding/json"
	"io"

	"github.com/spf13/cobra"

	"hotfolderd/admin"
	"hotfolderd/asset"
	api "hotfolderd/client"
)

// putFlags are those of put.
type putFlags struct {
	ifAbsent, recursive, hidden bool
}

// putTree stores the files below a folder, one after the other, each under the name that it has there behind name.
func (a *app) putTree(c *cobra.Command, r remote, dir, name string, f putFlags) error {
	under, err := namesUnder(name)
	if err != nil {
		return usagef(c, "NAME: %w", err)
	}
	t, err := openTree(fileTree{dir, under, f.hidden}, "put stores")
	if err != nil {
		return err
	}
	if r.asked(a) {
		return a.putTreeRemote(c, r, t, f)
	}
	return a.with(c.Context(), true, func(o *opened) error {
		return a.sendTree(c.Context(), t, 1, "stored", func(ctx context.Context, f treeFile, in io.ReadSeeker, _ func(int64)) (func(), error) {
			return a.told(a.storeIn(ctx, o, asset.Key(f.name), in))
		})
	})
}

func (a *app) putTreeRemote(c *cobra.Command, r remote, t fileTree, f putFlags) error {
	cl, err := a.dial(c, r)
	if err != nil {
		return err
	}
	defer cl.Close()
	return a.sendTree(c.Context(), t, 1, "stored", func(ctx context.Context, file treeFile, in io.ReadSeeker, progress func(int64)) (func(), error) {
		got, err := cl.Put(ctx, file.name, in, api.PutOptions{IfAbsent: f.ifAbsent, Progress: progress})
		return a.told(stored(got), remoteFault(err))
	})
}

// told says in a line what was stored, with --json in an object.
func (a *app) told(got stored, err error) (func(), error) {
	if err != nil {
		return nil, err
	}
	return func() { a.line(got, admin.Visible(nameAndVersion(got.Name, got.Number))) }, nil
}

// line is one of many: text, with --json an object.
func (a *app) line(v any, text string) {
	if !a.json {
		a.printf("%s\n", text)
		return
	}
	line, _ := json.Marshal(v) // strings and numbers always can be
	a.printf("%s\n", line)
}
