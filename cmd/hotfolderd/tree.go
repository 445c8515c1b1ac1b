package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"hotfolderd/asset"
)

// fileTree is a folder whose files are sent, each under the name that it has there behind under.
type fileTree struct {
	dir, under string
	hidden     bool // names that begin with . too
}

// treeFile is one file of a tree.
type treeFile struct {
	path string
	name string
	size int64
}

// openTree takes a folder, which may be behind a link itself. verb is what the command does with files.
func openTree(t fileTree, verb string) (fileTree, error) {
	root, err := os.Stat(t.dir)
	if err == nil && !root.IsDir() {
		err = fmt.Errorf("%s is no folder; %s one file without -r", strconv.Quote(t.dir), verb)
	}
	t.dir = strings.TrimRight(t.dir, "/") + "/" // what is behind a link, and no name before it
	return t, err
}

// namesUnder is what precedes the names; / is nothing.
func namesUnder(name string) (string, error) {
	if name == "/" {
		return "", nil
	}
	key, err := asset.ParseKey(strings.TrimSuffix(name, "/"))
	return string(key) + "/", err
}

// walkBatch is how many names of a folder are held at a time: a folder may have any number.
const walkBatch = 1000

// walk finds the files, those of a small folder in the order of their names. Those that begin with . are left out unless they are wanted; so
// are links, pipes and devices, which leftOut is told of. A folder that cannot be read ends it.
func (t fileTree) walk(leftOut func(path string), do func(treeFile) error) error {
	return t.below(t.dir, t.under, leftOut, do)
}

func (t fileTree) below(dir, under string, leftOut func(path string), do func(treeFile) error) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	for {
		entries, end := f.ReadDir(walkBatch)
		slices.SortFunc(entries, func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
		for _, e := range entries {
			if err := t.entry(dir, under, e, leftOut, do); err != nil {
				return err
			}
		}
		if errors.Is(end, io.EOF) {
			return nil
		}
		if end != nil {
			return end
		}
	}
}

func (t fileTree) entry(dir, under string, e fs.DirEntry, leftOut func(path string), do func(treeFile) error) error {
	path, name := filepath.Join(dir, e.Name()), under+e.Name()
	switch {
	case strings.HasPrefix(e.Name(), ".") && !t.hidden:
		return nil
	case e.IsDir():
		return t.below(path, name+"/", leftOut, do)
	case !e.Type().IsRegular():
		leftOut(path)
		return nil
	}
	f := treeFile{path: path, name: name}
	if st, err := e.Info(); err == nil { // one that is gone is told of when it cannot be opened
		f.size = st.Size()
	}
	return do(f)
}

// measure counts files and bytes. A folder that cannot be read is found before anything is sent.
func (t fileTree) measure(ctx context.Context) (files int, bytes int64, err error) {
	err = t.walk(func(string) {}, func(f treeFile) error {
		files, bytes = files+1, bytes+f.size
		return ctx.Err()
	})
	return files, bytes, err
}

// sending sends one file; progress is told of the bytes that were handed over. told says what came of it, also beside an error; it may be nil.
type sending func(ctx context.Context, f treeFile, in io.ReadSeeker, progress func(int64)) (told func(), err error)

// treeRun is one walk through a tree. A file that cannot be sent does not hold up the others.
type treeRun struct {
	a    *app
	send sending

	mu     sync.Mutex // of what follows, and of what people are told
	shown  *progress
	sent   int64 // bytes
	failed int
}

// sendTree sends the files of a tree, some at once, and says in the end how many; its error, how many were not done. A file for which
// send gives up by cancel ends it.
func (a *app) sendTree(ctx context.Context, t fileTree, atOnce int, done string, send sending) error {
	files, bytes, err := t.measure(ctx)
	if err != nil {
		return err
	}
	r := &treeRun{a: a, send: send, shown: a.progress(bytes)}
	places := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	err = t.walk(r.leftOut, func(f treeFile) error {
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		all.Go(func() {
			defer func() { <-places }()
			r.one(ctx, f)
		})
		return nil
	})
	all.Wait()
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return err
	case r.failed > 0:
		return fmt.Errorf("%d of %d files were not %s", r.failed, files, done)
	case !a.json:
		a.printf("%d files, %s\n", files, bytesText(bytes))
	}
	return nil
}

func (r *treeRun) leftOut(path string) {
	r.tell(func() { r.a.tell(fmt.Errorf("%s is left out: it is no regular file", path)) })
}

// tell takes the line with the progress away while something is said.
func (r *treeRun) tell(say func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.shown.end()
	say()
}

func (r *treeRun) one(ctx context.Context, f treeFile) {
	var counted int64
	progress := func(n int64) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.sent += n - counted
		counted = n
		r.shown.at(r.sent)
	}
	told, err := r.open(ctx, f, progress)
	progress(f.size)
	r.tell(func() {
		if told != nil {
			told()
		}
		if err != nil {
			r.failed++
		}
		if err != nil && ctx.Err() == nil {
			r.a.tell(fmt.Errorf("%s: %w", f.path, err))
		}
	})
}

func (r *treeRun) open(ctx context.Context, f treeFile, progress func(int64)) (told func(), err error) {
	if _, err := asset.ParseKey(f.name); err != nil {
		return nil, err
	}
	in, err := os.Open(f.path)
	if err != nil {
		return nil, errors.Unwrap(err) // the path is told with it
	}
	defer in.Close() // it was only read
	return r.send(ctx, f, in, progress)
}
