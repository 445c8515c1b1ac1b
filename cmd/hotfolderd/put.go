package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"hotfolderd/asset"
)

// stored is the result of put.
type stored struct {
	Name   asset.Key  `json:"name"`
	Number int        `json:"number"`
	Hash   asset.Hash `json:"sha256"`
	Size   int64      `json:"size"`
	Type   string     `json:"type"`
	Index  string     `json:"index,omitempty"` // what a reader sends as X-Hotfolder-Index, when nodes had to be told
}

func (a *app) putCommand() *cobra.Command {
	return a.reading(&cobra.Command{
		Use: "put FILE NAME", Short: "Store a file under a name",
		Long: "Stores FILE (- is standard input) as the next version of NAME, whole or not at all, whether or not a node runs. The\n" +
			"file stays where it is. Bytes that the name has already make no new version. No thumbnails are made.",
		Args: take(2, 2, "FILE NAME"),
		RunE: func(c *cobra.Command, args []string) error { return a.put(c, args[0], args[1]) },
	})
}

func (a *app) put(c *cobra.Command, file, name string) error {
	key, err := asset.ParseKey(name)
	if err != nil {
		return usagef(c, "NAME: %w", err)
	}
	in, done, err := a.source(file)
	if err != nil {
		return err
	}
	defer done()
	return a.with(c.Context(), true, func(o *opened) error { return a.putInto(c.Context(), o, key, in) })
}

func (a *app) putInto(ctx context.Context, o *opened, name asset.Key, in io.Reader) error {
	if err := o.mayChange(ctx); err != nil {
		return err
	}
	rec, out, err := o.area.Put(ctx, name, in, asset.DoorCLI)
	if err != nil {
		return err
	}
	got := stored{Name: out.Name, Number: out.Number, Hash: rec.Content.Hash, Size: rec.Content.Size, Type: rec.Content.Type}
	if o.tell != nil {
		got.Index = o.tell.index()
	}
	if a.json {
		return a.printJSON(got)
	}
	a.printf("%s  %s  %s  sha256 %s\n", nameAndVersion(got.Name, got.Number), bytesText(got.Size), show(got.Type), got.Hash)
	return nil
}

// source opens what is to be stored. A folder is refused by its kind, before anything is read.
func (a *app) source(file string) (io.Reader, func(), error) {
	if file == "-" {
		return a.in, func() {}, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, nil, err
	}
	st, err := f.Stat()
	if err == nil && st.IsDir() {
		err = fmt.Errorf("%s is a folder; put stores one file", strconv.Quote(file))
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, func() { f.Close() }, nil // only read: closing can lose nothing
}
