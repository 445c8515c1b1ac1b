package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"hotfolderd/asset"
	"hotfolderd/storage"
	"hotfolderd/thumbnails"
	"hotfolderd/workarea"
)

// getFlags say which bytes of a name, and where to.
type getFlags struct {
	output    string
	version   int
	thumbnail int
}

func (a *app) getCommand() *cobra.Command {
	var f getFlags
	var r remote
	c := &cobra.Command{
		Use: "get NAME", Short: "Read what a name stands for, or a thumbnail of it",
		Long: "Writes the bytes of NAME to standard output, or with -o into a file that appears whole or not at all.\n\n" +
			"With --server, or " + serverVariable + " and no --config, nodes are asked for it and no settings are needed; when one dies another one\n" +
			"sends the rest.",
		Args: take(1, 1, "one NAME"),
		RunE: func(c *cobra.Command, args []string) error {
			if r.asked(a) {
				return a.getRemote(c, r, args[0], f)
			}
			return a.get(c, args[0], f)
		},
	}
	r.addTo(c)
	c.Flags().StringVarP(&f.output, "output", "o", "", "write into this `file`")
	c.Flags().IntVar(&f.version, "version", 0, "the version with this number, not the current one")
	c.Flags().IntVar(&f.thumbnail, "thumbnail", 0, "the thumbnail of this `size` in pixels")
	return c
}

func (a *app) get(c *cobra.Command, name string, f getFlags) error {
	key, err := asset.ParseKey(name)
	switch {
	case err != nil:
		return usagef(c, "NAME: %w", err)
	case f.version < 0 || f.thumbnail < 0:
		return usagef(c, "--version and --thumbnail want a number above 0")
	}
	return a.with(c.Context(), false, func(o *opened) (err error) {
		r, want, err := o.bytes(c.Context(), key, f)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, r.Close()) }()
		if f.output == "" {
			return copyChecked(a.out, r, want)
		}
		return writeWhole(f.output, func(w io.Writer) error { return copyChecked(w, r, want) })
	})
}

// bytes opens what is asked for. want is the hash that the bytes must have; zero for a thumbnail.
func (o *opened) bytes(ctx context.Context, name asset.Key, f getFlags) (r storage.Reader, want asset.Hash, err error) {
	v, err := o.version(ctx, name, f.version)
	if err != nil {
		return nil, asset.Hash{}, err
	}
	if f.thumbnail > 0 {
		r, err = o.thumbnail(ctx, name, v.Record, f.thumbnail)
		return r, asset.Hash{}, err
	}
	r, err = o.area.OpenAsset(ctx, v.Record.Content.Hash)
	return r, v.Record.Content.Hash, err
}

func (o *opened) version(ctx context.Context, name asset.Key, number int) (workarea.Version, error) {
	if number == 0 {
		rec, n, err := o.area.Current(ctx, name)
		if errors.Is(err, fs.ErrNotExist) {
			err = notFoundf("nothing is stored under %s", show(name))
		}
		return workarea.Version{Number: n, Record: rec}, err
	}
	var there []string
	for v, err := range o.area.Versions(ctx, name) {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return v, notFoundf("nothing is stored under %s", show(name))
		case err != nil:
			return v, err
		case v.Number == number:
			return v, nil
		}
		there = append(there, fmt.Sprint(v.Number))
	}
	return workarea.Version{}, notFoundf("%s has no version %d; it has: %s", show(name), number, strings.Join(there, ", "))
}

func (o *opened) thumbnail(ctx context.Context, name asset.Key, rec asset.Record, size int) (storage.Reader, error) {
	room := thumbnails.New(o.store, thumbnails.DefaultPrefix, thumbnails.NewImaging(), thumbnails.Options{})
	r, err := room.Open(ctx, rec.Content.Hash, size, "")
	if !errors.Is(err, fs.ErrNotExist) {
		return r, err
	}
	t := rec.Thumbnails
	switch {
	case t == nil || len(t.Sizes) == 0 && t.Error == "":
		return nil, notFoundf("%s has no thumbnails: its hotfolder's rule asks for none, or it came by put", show(name))
	case t.Error != "":
		return nil, notFoundf("%s has no thumbnails: %s", show(name), t.Error)
	}
	return nil, notFoundf("%s has no thumbnail of %d pixels; it has: %s", show(name), size, sizesText(t.Sizes))
}

// copyChecked copies and holds the bytes against their hash, so that damage on the store is never passed on in silence.
func copyChecked(w io.Writer, r io.Reader, want asset.Hash) error {
	sum := sha256.New()
	if _, err := io.Copy(io.MultiWriter(w, sum), r); err != nil {
		return err
	}
	if got := asset.Hash(sum.Sum(nil)); !want.IsZero() && got != want {
		return fmt.Errorf("the stored bytes are damaged: their sha256 is %s, recorded is %s", got, want)
	}
	return nil
}

// writeWhole makes a file appear whole or not at all: it is written beside its place and then renamed.
func writeWhole(file string, write func(io.Writer) error) error {
	beside := filepath.Join(filepath.Dir(file), ".hotfolderd-"+rand.Text())
	f, err := os.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(beside, file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(beside))
	}
	return nil
}
