package files

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"syscall"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
	"hotfolderd/workarea"
)

// Tree is what lies below one key of a store. Its methods are safe for concurrent use.
type Tree struct {
	store   storage.Store
	root    asset.Key
	changes workarea.Changes
}

// New makes a tree. changes may be nil: nobody keeps anything.
func New(store storage.Store, root asset.Key, changes workarea.Changes) *Tree {
	return &Tree{store: store, root: root, changes: changes}
}

// File is one file or folder at one moment.
type File struct {
	Path     asset.Key
	Kind     storage.Kind
	Size     int64
	Tag      string    // changes with the bytes; empty for what is no file
	Modified time.Time // as its writer set it, for people
	Changed  time.Time // by the store's clock
	version  asset.Version
}

// IsFile reports whether it has bytes.
func (f File) IsFile() bool { return f.Kind == storage.Regular || f.Kind == storage.HardLinked }

// Key is where a path is in the store.
func (t *Tree) Key(path asset.Key) asset.Key { return t.root.Join(path) }

func (t *Tree) file(o storage.Object) File {
	path, _ := o.Key.Below(t.root)
	f := File{Path: path, Kind: o.Kind, Size: o.Size, Modified: o.ModTime, Changed: o.Changed, version: o.Version}
	if f.IsFile() {
		f.Tag = tagOf(o)
	}
	return f
}

func tagOf(o storage.Object) string {
	sum := sha256.Sum256([]byte(string(o.Version) + "|" + strconv.FormatInt(o.Changed.UnixNano(), 36)))
	return hex.EncodeToString(sum[:16])
}

// Open opens a file as it is now; ctx lives as long as the reader. fs.ErrNotExist, [storage.ErrNotRegular].
func (t *Tree) Open(ctx context.Context, path asset.Key) (storage.Reader, File, error) {
	for n := 0; ; n++ {
		r, err := t.store.Open(ctx, t.Key(path), "")
		if err == nil {
			return r, t.file(r.Object()), nil
		}
		if !errors.Is(err, storage.ErrChanged) || n == fewTries || Pause(ctx, n) != nil {
			return nil, File{}, fmt.Errorf("open %s: %w", path.Quoted(), err)
		}
	}
}

// Stat is the file as it is now; fs.ErrNotExist.
func (t *Tree) Stat(ctx context.Context, path asset.Key) (File, error) {
	f, err := t.look(ctx, t.Key(path))
	if err != nil {
		return f, fmt.Errorf("look at %s: %w", path.Quoted(), err)
	}
	return f, nil
}

// Check holds a condition against what is there now.
func (t *Tree) Check(ctx context.Context, path asset.Key, allowed Condition) error {
	f, there, err := t.now(ctx, t.Key(path))
	if err != nil {
		return fmt.Errorf("look at %s: %w", path.Quoted(), err)
	}
	return allowed(f.Tag, there)
}

// look asks the store for certain. A mounted share may answer a mere look from what the machine remembers, but not an open.
func (t *Tree) look(ctx context.Context, key asset.Key) (File, error) {
	o, err := t.store.Stat(ctx, key)
	if p := t.store.Properties(); err == nil && p.Remote && !p.Flat && t.file(o).IsFile() {
		path, _ := key.Below(t.root)
		var r storage.Reader
		if r, _, err = t.Open(ctx, path); err == nil {
			o, err = r.Object(), r.Close()
		}
	}
	if err != nil {
		return File{}, err
	}
	return t.file(o), nil
}

// now is the file, and whether there is one. What is no file is an error.
func (t *Tree) now(ctx context.Context, key asset.Key) (f File, there bool, err error) {
	f, err = t.look(ctx, key)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return File{}, false, nil
	case err != nil:
		return f, false, err
	case !f.IsFile():
		return f, false, fmt.Errorf("%w: it is %s", storage.ErrNotRegular, f.Kind)
	}
	return f, true, nil
}

// told announces the change of a file that is there, around do.
func (t *Tree) told(ctx context.Context, key asset.Key, there bool, do func() error) error {
	if !there || t.changes == nil {
		return do()
	}
	end, err := t.changes.Begin(ctx, key)
	if err != nil {
		return err
	}
	err = do()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tellTime)
	defer cancel()
	return errors.Join(err, end(ctx))
}

// tellTime bounds the end of an announcement.
const tellTime = 5 * time.Second

// inTheWay gives the errors of a path that cannot be beside what is there the one word for it.
func inTheWay(err error) error {
	for _, no := range []error{syscall.ENOTDIR, syscall.EISDIR, syscall.ENOTEMPTY} {
		if errors.Is(err, no) {
			return fmt.Errorf("%w: a folder has that name, or a file that of its folder: %w", storage.ErrNotRegular, err)
		}
	}
	if errors.Is(err, syscall.ENAMETOOLONG) {
		return fmt.Errorf("%w: %w", asset.ErrKey, err)
	}
	return err
}
