package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	api "hotfolderd/client"
)

// putRemote stores a file by way of the nodes. Standard input is kept in a file first, so that it can be sent again.
func (a *app) putRemote(c *cobra.Command, r remote, file, name string, ifAbsent bool) error {
	var got api.Stored
	err := a.send(c, r, file, putFolders, func(cl *api.Client, in io.ReadSeeker, progress func(int64)) (err error) {
		got, err = cl.Put(c.Context(), name, in, api.PutOptions{IfAbsent: ifAbsent, Progress: progress})
		return err
	})
	if err != nil {
		return err
	}
	return a.tellStored(stored(got))
}

// send has do give a file to the nodes, and shows meanwhile how far it is. folders is what does with a folder.
func (a *app) send(c *cobra.Command, r remote, file, folders string, do func(cl *api.Client, in io.ReadSeeker, progress func(int64)) error) error {
	cl, err := a.dial(c, r)
	if err != nil {
		return err
	}
	defer cl.Close()
	in, done, err := a.seekable(file, folders)
	if err != nil {
		return err
	}
	defer done()
	shown := a.progress(sizeOf(in))
	defer shown.end()
	return remoteFault(do(cl, in, shown.at))
}

// seekable opens what is to be sent.
func (a *app) seekable(file, folders string) (io.ReadSeeker, func(), error) {
	r, done, err := a.source(file, folders)
	if err != nil {
		return nil, nil, err
	}
	if f, ok := r.(*os.File); ok && file != "-" {
		return f, done, nil
	}
	defer done()
	kept, err := os.CreateTemp("", "hotfolderd-put-")
	if err != nil {
		return nil, nil, err
	}
	away := func() { _ = errors.Join(kept.Close(), os.Remove(kept.Name())) } // a temporary file
	if _, err = io.Copy(kept, r); err == nil {
		_, err = kept.Seek(0, io.SeekStart)
	}
	if err != nil {
		away()
		return nil, nil, fmt.Errorf("keep standard input until it is stored: %w", err)
	}
	return kept, away, nil
}

func sizeOf(r io.Seeker) int64 {
	n, err := r.Seek(0, io.SeekEnd)
	if _, back := r.Seek(0, io.SeekStart); err != nil || back != nil {
		return -1
	}
	return n
}

// getRemote reads by way of the nodes.
func (a *app) getRemote(c *cobra.Command, r remote, name string, f getFlags) error {
	if f.version > 0 {
		return usagef(c, "--version reads the store: leave --server out")
	}
	cl, err := a.dial(c, r)
	if err != nil {
		return err
	}
	defer cl.Close()
	copyTo := func(w io.Writer) error { return remoteFault(a.fetch(c.Context(), cl, w, name, f)) }
	if f.output == "" {
		return copyTo(a.out)
	}
	return writeWhole(f.output, copyTo)
}

func (a *app) fetch(ctx context.Context, cl *api.Client, w io.Writer, name string, f getFlags) (err error) {
	if f.thumbnail > 0 {
		image, _, err := cl.Thumbnail(ctx, name, f.thumbnail)
		if err == nil {
			_, err = w.Write(image)
		}
		return err
	}
	r, err := cl.Get(ctx, name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	shown := a.progress(r.Info().Size)
	defer shown.end()
	_, err = io.Copy(&counted{w: w, tell: shown.at}, r)
	return err
}

// counted tells how much was written.
type counted struct {
	w    io.Writer
	n    int64
	tell func(int64)
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	c.tell(c.n)
	return n, err
}
