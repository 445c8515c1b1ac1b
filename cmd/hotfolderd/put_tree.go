package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"hotfolderd/admin"
	"hotfolderd/asset"
	api "hotfolderd/client"
)

// putFlags are those of put.
type putFlags struct {
	ifAbsent, recursive, hidden bool
}

// treeFile is one file of a folder that is stored.
type treeFile struct {
	path string
	name string
	size int64
}

// storing stores the bytes of one file under its name; progress is told of those that were handed over.
type storing func(ctx context.Context, f treeFile, in io.ReadSeeker, progress func(int64)) (stored, error)

// putTree stores the files below a folder, each under the name that it has there behind name. A file that cannot be stored does not hold
// up the others.
func (a *app) putTree(c *cobra.Command, r remote, dir, name string, f putFlags) error {
	under, err := namesUnder(name)
	if err != nil {
		return usagef(c, "NAME: %w", err)
	}
	files, err := a.filesBelow(dir, under, f.hidden)
	if err != nil {
		return err
	}
	if r.asked(a) {
		return a.putTreeRemote(c, r, files, f)
	}
	return a.with(c.Context(), true, func(o *opened) error {
		return a.putAll(c.Context(), files, func(ctx context.Context, f treeFile, in io.ReadSeeker, _ func(int64)) (stored, error) {
			return a.storeIn(ctx, o, asset.Key(f.name), in)
		})
	})
}

func (a *app) putTreeRemote(c *cobra.Command, r remote, files []treeFile, f putFlags) error {
	cl, err := a.dial(c, r)
	if err != nil {
		return err
	}
	defer cl.Close()
	return a.putAll(c.Context(), files, func(ctx context.Context, file treeFile, in io.ReadSeeker, progress func(int64)) (stored, error) {
		got, err := cl.Put(ctx, file.name, in, api.PutOptions{IfAbsent: f.ifAbsent, Progress: progress})
		return stored(got), remoteFault(err)
	})
}

// namesUnder is what precedes the names; / is nothing.
func namesUnder(name string) (string, error) {
	if name == "/" {
		return "", nil
	}
	key, err := asset.ParseKey(strings.TrimSuffix(name, "/"))
	return string(key) + "/", err
}

// filesBelow finds the files, in the order of their names. Those that begin with . are left out unless they are wanted; so are links,
// pipes and devices, which is told. A folder that cannot be read is an error: nothing is stored then.
func (a *app) filesBelow(dir, under string, hidden bool) (all []treeFile, err error) {
	root, err := os.Stat(dir) // it may be a link itself
	if err == nil && !root.IsDir() {
		err = fmt.Errorf("%s is no folder; put stores one file without -r", strconv.Quote(dir))
	}
	if err != nil {
		return nil, err
	}
	top := strings.TrimRight(dir, "/") + "/" // what is behind a link, and no name before it
	err = filepath.WalkDir(top, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path != top && strings.HasPrefix(e.Name(), ".") && !hidden:
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		case e.IsDir():
			return nil
		case !e.Type().IsRegular():
			a.tell(fmt.Errorf("%s is left out: it is no regular file", path))
			return nil
		}
		st, err := e.Info()
		if err != nil {
			return err
		}
		below, err := filepath.Rel(top, path)
		all = append(all, treeFile{path, under + filepath.ToSlash(below), st.Size()})
		return err
	})
	return all, err
}

// putAll stores one file after the other, and says in the end how many; its error, how many could not be stored.
func (a *app) putAll(ctx context.Context, files []treeFile, store storing) error {
	var total, done int64
	for _, f := range files {
		total += f.size
	}
	shown := a.progress(total)
	defer shown.end()
	failed := 0
	for _, f := range files {
		got, err := a.putOne(ctx, f, store, func(n int64) { shown.at(done + n) })
		done += f.size
		shown.end()
		switch {
		case ctx.Err() != nil:
			return cmp.Or(err, ctx.Err())
		case err != nil:
			failed++
			a.tell(fmt.Errorf("%s: %w", f.path, err))
		default:
			a.tellOne(got)
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d files were not stored", failed, len(files))
	}
	if !a.json {
		a.printf("%d files, %s\n", len(files), bytesText(total))
	}
	return nil
}

func (a *app) putOne(ctx context.Context, f treeFile, store storing, progress func(int64)) (stored, error) {
	if _, err := asset.ParseKey(f.name); err != nil {
		return stored{}, err
	}
	in, err := os.Open(f.path)
	if err != nil {
		return stored{}, errors.Unwrap(err) // the path is told with it
	}
	defer in.Close() // it was only read
	return store(ctx, f, in, progress)
}

// tellOne is a line for each file, with --json an object for each.
func (a *app) tellOne(got stored) {
	if !a.json {
		a.printf("%s\n", admin.Visible(nameAndVersion(got.Name, got.Number)))
		return
	}
	line, _ := json.Marshal(got) // strings and numbers always can be
	a.printf("%s\n", line)
}
