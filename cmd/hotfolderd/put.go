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

// putFolders is what stores folders.
const putFolders = "put -r stores"

func (a *app) putCommand() *cobra.Command {
	var r remote
	var f putFlags
	c := a.reading(&cobra.Command{
		Use: "put FILE NAME", Short: "Store a file, or a folder, under a name",
		Long: "Stores FILE (- is standard input) as the next version of NAME, whole or not at all, whether or not a node runs. The\n" +
			"file stays where it is. Bytes that the name has already make no new version. No thumbnails are made.\n\n" +
			"With --server, or " + serverVariable + " and no --config, nodes are asked to store it and no settings are needed: it is sent to\n" +
			"another node when one dies, and is one version all the same.\n\n" +
			"With -r FILE is a folder: each file below it is stored as NAME/ and its path there; / as NAME puts nothing before it. Names\n" +
			"that begin with . are left out, with all that is below them, unless --hidden is given; links, pipes and devices always are. A\n" +
			"file that cannot be stored is told, the others are stored all the same, and the exit code is 1. It may be repeated: what is\n" +
			"stored already makes no new version.",
		Args: take(2, 2, "FILE NAME"),
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case f.ifAbsent && !r.asked(a):
				return usagef(c, "--if-absent is a question to the nodes: give --server too")
			case f.hidden && !f.recursive:
				return usagef(c, "--hidden is about the files of a folder: give -r too")
			case f.recursive:
				return a.putTree(c, r, args[0], args[1], f)
			case r.asked(a):
				return a.putRemote(c, r, args[0], args[1], f.ifAbsent)
			}
			return a.put(c, args[0], args[1])
		},
	})
	c.Flags().BoolVarP(&f.recursive, "recursive", "r", false, "FILE is a folder: all files below it")
	c.Flags().BoolVar(&f.hidden, "hidden", false, "with -r: names that begin with . too")
	c.Flags().BoolVar(&f.ifAbsent, "if-absent", false, "with --server: only when nothing is stored under NAME")
	r.addTo(c)
	return c
}

func (a *app) put(c *cobra.Command, file, name string) error {
	key, err := asset.ParseKey(name)
	if err != nil {
		return usagef(c, "NAME: %w", err)
	}
	in, done, err := a.source(file, putFolders)
	if err != nil {
		return err
	}
	defer done()
	return a.with(c.Context(), true, func(o *opened) error { return a.putInto(c.Context(), o, key, in) })
}

func (a *app) putInto(ctx context.Context, o *opened, name asset.Key, in io.Reader) error {
	got, err := a.storeIn(ctx, o, name, in)
	if err != nil {
		return err
	}
	return a.tellStored(got)
}

func (a *app) storeIn(ctx context.Context, o *opened, name asset.Key, in io.Reader) (stored, error) {
	if err := o.mayChange(ctx); err != nil {
		return stored{}, err
	}
	rec, out, err := o.area.Put(ctx, name, in, asset.DoorCLI)
	if err != nil {
		return stored{}, err
	}
	got := stored{Name: out.Name, Number: out.Number, Hash: rec.Content.Hash, Size: rec.Content.Size, Type: rec.Content.Type}
	if o.tell != nil {
		got.Index = o.tell.index()
	}
	return got, nil
}

func (a *app) tellStored(got stored) error {
	if a.json {
		return a.printJSON(got)
	}
	a.printf("%s  %s  %s  sha256 %s\n", nameAndVersion(got.Name, got.Number), bytesText(got.Size), show(got.Type), got.Hash)
	return nil
}

// source opens what is to be stored. A folder is refused by its kind, before anything is read; folders is what does with them.
func (a *app) source(file, folders string) (io.Reader, func(), error) {
	if file == "-" {
		return a.in, func() {}, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, nil, err
	}
	st, err := f.Stat()
	if err == nil && st.IsDir() {
		err = fmt.Errorf("%s is a folder; %s the files below it", strconv.Quote(file), folders)
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, func() { f.Close() }, nil // only read: closing can lose nothing
}
