package httpgate

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"os"
	"path"
	"strings"
	"time"

	"golang.org/x/net/webdav"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

const (
	davsName   = "davs"    // in [Folder].Aside: what a mounted folder holds that is no drop
	davTTL     = time.Hour // how long that is kept
	mostListed = 10_000    // entries of one folder that a mount sees
)

// davFolder is the tree that is mounted: a folder for each hotfolder, and what lies there.
type davFolder struct{ g *Gate }

var _ webdav.FileSystem = davFolder{}

// at finds a place. Without a hotfolder it is the root, and with the empty key a hotfolder itself.
func (d davFolder) at(name string) (p place, err error) {
	clean := strings.Trim(path.Clean("/"+name), "/")
	if clean == "" {
		return place{}, nil
	}
	hotfolder, rest, _ := strings.Cut(clean, "/")
	f, ok := d.g.o.Folders(hotfolder)
	if !ok {
		return place{}, fs.ErrNotExist
	}
	p = place{hotfolder: hotfolder, folder: f}
	if rest == "" {
		return p, nil
	}
	if p.key, err = asset.ParseKey(rest); err != nil {
		return p, err
	}
	if f.Hidden(p.key) {
		return p, refuse(http.StatusForbidden, "that name is reserved")
	}
	return p, nil
}

// file finds a place that can be written.
func (d davFolder) file(ctx context.Context, name string) (place, error) {
	p, err := d.at(name)
	if err == nil && p.key == asset.Root {
		err = refuse(http.StatusForbidden, "hotfolders are made by rules")
	}
	if err == nil {
		err = d.g.o.Writable()
	}
	return p, failed(ctx, err)
}

// shadow is where something is kept that is no drop.
func (p place) shadow() asset.Key {
	return p.folder.Aside.Join(davsName).Join(asset.Key(p.hotfolder)).Join(p.key)
}

// object is what a mount sees at a place: what lies there, or what is kept of it.
func (p place) object(ctx context.Context) (storage.Object, error) {
	o, err := p.folder.Store.Stat(ctx, p.full())
	if notThere(err) {
		o, err = p.folder.Store.Stat(ctx, p.shadow())
	}
	if err == nil && o.Kind != storage.Regular && o.Kind != storage.HardLinked && o.Kind != storage.Directory {
		err = fs.ErrNotExist
	}
	return o, err
}

// Stat implements webdav.FileSystem. What was stored just now is there, although it may be imported already.
func (d davFolder) Stat(ctx context.Context, name string) (os.FileInfo, error) {
	p, err := d.at(name)
	if err != nil {
		return nil, failed(ctx, err)
	}
	if p.key == asset.Root {
		return davInfo{name: path.Base("/" + p.hotfolder), dir: true}, nil
	}
	o, err := p.object(ctx)
	if notThere(err) {
		if info, ok := d.g.ghosts.of(p); ok {
			return info, nil
		}
	}
	if err != nil {
		return nil, failed(ctx, err)
	}
	return infoOf(o), nil
}

// Mkdir implements webdav.FileSystem.
func (d davFolder) Mkdir(ctx context.Context, name string, _ os.FileMode) error {
	p, err := d.file(ctx, name)
	switch {
	case err != nil:
		return err
	case p.folder.Folders == nil:
		return nil // a part of a name
	}
	if _, err := p.folder.Store.Stat(ctx, p.full()); err == nil {
		return fs.ErrExist
	}
	if dir := p.key.Dir(); dir != asset.Root {
		if o, err := p.folder.Store.Stat(ctx, p.folder.Prefix.Join(dir)); err != nil || o.Kind != storage.Directory {
			return fs.ErrNotExist
		}
	}
	return failed(ctx, p.folder.Folders.MakeFolder(ctx, p.full()))
}

// RemoveAll implements webdav.FileSystem. A folder goes only when it is empty: what lies there may be about to be imported.
func (d davFolder) RemoveAll(ctx context.Context, name string) error {
	p, err := d.file(ctx, name)
	if err != nil {
		return err
	}
	d.g.ghosts.forget(p)
	o, err := p.object(ctx)
	switch {
	case notThere(err):
		return nil
	case err != nil:
		return failed(ctx, err)
	case o.Kind == storage.Directory && p.folder.Folders == nil:
		return nil
	case o.Kind == storage.Directory:
		return failed(ctx, p.removeFolder(ctx, o))
	}
	err = p.folder.Store.Remove(ctx, o.Key, o.Version)
	if notThere(err) {
		err = nil
	}
	return failed(ctx, err)
}

func (p place) removeFolder(ctx context.Context, o storage.Object) error {
	err := p.folder.Folders.RemoveFolder(ctx, o.Key)
	if errors.Is(err, fs.ErrExist) {
		return refuse(http.StatusConflict, "only an empty folder is removed: what lies in this one may be about to be imported")
	}
	return err
}

// Rename implements webdav.FileSystem, within one hotfolder.
func (d davFolder) Rename(ctx context.Context, from, to string) error {
	src, err := d.file(ctx, from)
	if err != nil {
		return err
	}
	dst, err := d.file(ctx, to)
	if err != nil {
		return err
	}
	if src.hotfolder != dst.hotfolder {
		return failed(ctx, refuse(http.StatusForbidden, "a file is moved within its hotfolder; copy it into another one"))
	}
	o, err := src.object(ctx)
	switch {
	case err != nil:
		return failed(ctx, err)
	case o.Kind == storage.Directory && src.folder.Folders == nil:
		return failed(ctx, refuse(http.StatusForbidden, "a folder of a bucket cannot be moved"))
	case o.Kind == storage.Directory:
		return failed(ctx, src.folder.Folders.MoveFolder(ctx, o.Key, dst.full()))
	}
	return failed(ctx, d.move(ctx, src, dst, o))
}

// move gives a file another name. A name that is never a drop's may become one, and the other way round.
func (d davFolder) move(ctx context.Context, src, dst place, o storage.Object) error {
	shadow := dst.folder.Ignored(dst.key) != "" || o.Size == 0
	if shadow {
		_, err := src.folder.Store.Move(ctx, o, dst.shadow(), storage.PutOptions{})
		return err
	}
	final, err := src.folder.Store.Move(ctx, o, dst.full(), storage.PutOptions{IfAbsent: true})
	if isTaken(err) {
		return refuse(http.StatusConflict, "a drop that has that name is not imported yet")
	}
	if err == nil {
		d.g.o.Heard(dst.hotfolder, dst.key, final.Version)
		d.g.ghosts.add(dst, o.Size)
	}
	return err
}

// OpenFile implements webdav.FileSystem.
func (d davFolder) OpenFile(ctx context.Context, name string, flag int, _ os.FileMode) (webdav.File, error) {
	if flag&(os.O_WRONLY|os.O_RDWR|os.O_CREATE) != 0 {
		return d.create(ctx, name)
	}
	p, err := d.at(name)
	if err != nil {
		return nil, failed(ctx, err)
	}
	if p.key == asset.Root {
		return &davDir{davReadOnly{}, d, ctx, p, davInfo{name: path.Base("/" + p.hotfolder), dir: true}}, nil
	}
	o, err := p.object(ctx)
	if info, ok := d.g.ghosts.of(p); ok && notThere(err) && !readsBytes(ctx) {
		return davGhost{info: info}, nil
	}
	if err != nil {
		return nil, failed(ctx, err)
	}
	if o.Kind == storage.Directory {
		return &davDir{davReadOnly{}, d, ctx, p, infoOf(o)}, nil
	}
	r, err := p.folder.Store.Open(ctx, o.Key, o.Version)
	if err != nil {
		return nil, failed(ctx, err)
	}
	return &davReader{davReadOnly{}, io.NewSectionReader(r, 0, o.Size), r, infoOf(o)}, nil
}

// davInfo is what a mount is told of a file or folder.
type davInfo struct {
	name    string
	size    int64
	changed time.Time
	dir     bool
}

func infoOf(o storage.Object) davInfo {
	return davInfo{o.Key.Base(), o.Size, o.ModTime, o.Kind == storage.Directory}
}

func (i davInfo) Name() string       { return i.name }
func (i davInfo) Size() int64        { return i.size }
func (i davInfo) ModTime() time.Time { return i.changed }
func (i davInfo) IsDir() bool        { return i.dir }
func (i davInfo) Sys() any           { return nil }
func (i davInfo) Mode() os.FileMode {
	if i.dir {
		return os.ModeDir | 0o755
	}
	return 0o644
}

// ContentType spares the library reading the file for it.
func (i davInfo) ContentType(context.Context) (string, error) {
	if t := mime.TypeByExtension(path.Ext(i.name)); t != "" {
		return t, nil
	}
	return "application/octet-stream", nil
}
