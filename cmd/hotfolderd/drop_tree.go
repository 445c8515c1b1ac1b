package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"hotfolderd/asset"
	api "hotfolderd/client"
)

const (
	dropsAtOnce = 4  // files of a folder that are sent at a time
	waitsAtOnce = 32 // files in hand when each is waited for, those that are sent included
)

// dropTree drops the files below a folder, each under the path that it has there behind that of the target.
func (a *app) dropTree(c *cobra.Command, r remote, dir, to string, f dropFlags) error {
	hotfolder, rest, _ := strings.Cut(to, "/")
	under := ""
	if rest != "" {
		key, err := asset.ParseKey(strings.TrimSuffix(rest, "/"))
		if err != nil {
			return usagef(c, "%s: %w", show(to), err)
		}
		under = string(key) + "/"
	}
	t, err := openTree(fileTree{dir, under, f.hidden}, "drop drops")
	if err != nil {
		return err
	}
	cl, err := a.dial(c, r)
	if err != nil {
		return err
	}
	defer cl.Close()
	ctx, stop := context.WithCancelCause(c.Context())
	defer stop(nil)
	d := treeDrops{a: a, cl: cl, hotfolder: hotfolder, f: f, stop: stop, places: make(chan struct{}, dropsAtOnce)}
	if !f.wait {
		return a.sendTree(ctx, t, dropsAtOnce, "dropped", d.one)
	}
	return a.sendTree(ctx, t, waitsAtOnce, "imported", d.one)
}

// treeDrops are the drops of a folder.
type treeDrops struct {
	a         *app
	cl        *api.Client
	hotfolder string
	f         dropFlags
	stop      context.CancelCauseFunc
	places    chan struct{} // to send
}

// one is a sending. What every other file would meet too ends all of it.
func (t treeDrops) one(ctx context.Context, f treeFile, in io.ReadSeeker, progress func(int64)) (func(), error) {
	d, err := t.send(ctx, f, in, progress)
	if err != nil {
		if hopeless(err) {
			t.stop(remoteFault(err))
		}
		return nil, remoteFault(err)
	}
	got, err := t.a.ended(ctx, t.cl, droppedAs(t.hotfolder, asset.Key(f.name), d), d, t.f)
	if err != nil && !t.a.json {
		return nil, err
	}
	return func() { t.a.line(got, got.String()) }, err
}

func (t treeDrops) send(ctx context.Context, f treeFile, in io.ReadSeeker, progress func(int64)) (api.Dropped, error) {
	select {
	case t.places <- struct{}{}:
		defer func() { <-t.places }()
	case <-ctx.Done():
		return api.Dropped{}, context.Cause(ctx)
	}
	return t.cl.Drop(ctx, t.hotfolder, f.name, in, api.DropOptions{Progress: progress})
}

// hopeless: there is no such hotfolder, or whoever asks may not drop there.
func hopeless(err error) bool {
	var told *api.Error
	if !errors.As(err, &told) {
		return false
	}
	switch told.Status {
	case http.StatusNotFound, http.StatusUnauthorized, http.StatusForbidden:
		return true
	}
	return false
}
