package httpgate

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/net/webdav"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// davReadOnly is what cannot be done with something that is only read.
type davReadOnly struct{}

func (davReadOnly) Write([]byte) (int, error) { return 0, fs.ErrPermission }

// davReader is a file that is read.
type davReader struct {
	davReadOnly
	*io.SectionReader
	r    storage.Reader
	info davInfo
}

func (f *davReader) Close() error                       { return f.r.Close() }
func (f *davReader) Stat() (os.FileInfo, error)         { return f.info, nil }
func (f *davReader) Readdir(int) ([]os.FileInfo, error) { return nil, fs.ErrInvalid }

// davGhost is a file that is imported already: it has its properties still, and no bytes.
type davGhost struct {
	davReadOnly
	info davInfo
}

func (f davGhost) Close() error                       { return nil }
func (f davGhost) Read([]byte) (int, error)           { return 0, fs.ErrNotExist }
func (f davGhost) Seek(int64, int) (int64, error)     { return 0, fs.ErrNotExist }
func (f davGhost) Stat() (os.FileInfo, error)         { return f.info, nil }
func (f davGhost) Readdir(int) ([]os.FileInfo, error) { return nil, fs.ErrInvalid }

// readsBytes reports whether a request is about the bytes of a file; the others ask for its properties.
func readsBytes(ctx context.Context) bool {
	q := of(ctx)
	return q == nil || q.r.Method == http.MethodGet || q.r.Method == http.MethodHead || q.r.Method == "COPY"
}

// davDir is a folder.
type davDir struct {
	davReadOnly
	d    davFolder
	ctx  context.Context //nolint:containedctx // lives as long as one request
	p    place
	info davInfo
}

func (f *davDir) Close() error                   { return nil }
func (f *davDir) Read([]byte) (int, error)       { return 0, fs.ErrInvalid }
func (f *davDir) Seek(int64, int) (int64, error) { return 0, fs.ErrInvalid }
func (f *davDir) Stat() (os.FileInfo, error)     { return f.info, nil }

// Readdir lists all there is, what is kept that is no drop included; of very large folders only a part.
func (f *davDir) Readdir(int) (all []os.FileInfo, err error) {
	if f.p.hotfolder == "" {
		for _, name := range f.d.g.o.Hotfolders() {
			all = append(all, davInfo{name: name, dir: true})
		}
		return all, nil
	}
	seen := map[string]bool{}
	for _, folder := range []asset.Key{f.p.full(), f.p.shadow()} {
		for o, err := range f.p.folder.Store.List(f.ctx, folder, storage.ListOptions{}) {
			if notThere(err) {
				continue
			}
			if err != nil {
				return nil, err
			}
			key, _ := o.Key.Below(folder)
			plain := o.Kind == storage.Regular || o.Kind == storage.HardLinked || o.Kind == storage.Directory
			if !plain || seen[string(key)] || f.p.folder.Hidden(f.p.key.Join(key)) || len(all) == mostListed {
				continue
			}
			seen[string(key)] = true
			all = append(all, infoOf(o))
		}
	}
	return all, nil
}

// create begins a file that is written. Nobody sees it before it is whole.
func (d davFolder) create(ctx context.Context, name string) (webdav.File, error) {
	p, err := d.file(ctx, name)
	if err != nil {
		return nil, err
	}
	if err := d.allowed(ctx, p); err != nil {
		return nil, failed(ctx, err)
	}
	staged, err := p.folder.Store.Stage(ctx)
	if err != nil {
		return nil, failed(ctx, err)
	}
	return &davWriter{d: d, ctx: ctx, u: &upload{g: d.g, place: p, staged: staged, sum: sha256.New()}}, nil
}

// allowed refuses what would be refused in the end, before the bytes. Names that are never a drop's are kept for their program.
func (d davFolder) allowed(ctx context.Context, p place) error {
	size := int64(-1)
	if q := of(ctx); q != nil && q.r.Method == http.MethodPut {
		size = q.r.ContentLength
	}
	if dir := p.key.Dir(); dir != asset.Root && p.folder.Folders != nil {
		if o, err := p.folder.Store.Stat(ctx, p.folder.Prefix.Join(dir)); err != nil || o.Kind != storage.Directory {
			return refuse(http.StatusConflict, "its folder is not there")
		}
	}
	if size == 0 || p.folder.Ignored(p.key) != "" {
		if size > mostShadow {
			return refuse(http.StatusUnprocessableEntity, "this hotfolder takes no file of that name: %s", p.folder.Ignored(p.key))
		}
		return inTheWay(ctx, p)
	}
	return d.g.allow(ctx, p, size)
}

// mostShadow bounds what is kept that is no drop.
const mostShadow = 16 << 20

// davWriter is a file that is written from its beginning to its end.
type davWriter struct {
	d    davFolder
	ctx  context.Context //nolint:containedctx // lives as long as one request
	u    *upload
	shut sync.Once
}

func (f *davWriter) Write(b []byte) (int, error) {
	p := f.u.place
	size := f.u.staged.Size() + int64(len(b))
	switch {
	case p.folder.Ignored(p.key) != "" && size > mostShadow:
		return 0, failed(f.ctx, refuse(http.StatusUnprocessableEntity, "this hotfolder takes no file of that name"))
	case p.folder.MaxSize > 0 && size > p.folder.MaxSize:
		return 0, failed(f.ctx, tooLarge(p.folder.MaxSize))
	}
	n, err := f.u.Write(b)
	return n, failed(f.ctx, err)
}

func (f *davWriter) Stat() (os.FileInfo, error) {
	return davInfo{name: f.u.place.key.Base(), size: f.u.staged.Size(), changed: time.Now()}, nil
}

func (f *davWriter) Read([]byte) (int, error)           { return 0, io.EOF }
func (f *davWriter) Seek(int64, int) (int64, error)     { return 0, fs.ErrInvalid }
func (f *davWriter) Readdir(int) ([]os.FileInfo, error) { return nil, fs.ErrInvalid }

// Close stores the file, whole or not at all.
func (f *davWriter) Close() (err error) {
	f.shut.Do(func() {
		defer f.u.discard()
		err = failed(f.ctx, f.store())
	})
	return err
}

func (f *davWriter) store() error {
	q, p := of(f.ctx), f.u.place
	if q != nil && (q.body != nil || q.err != nil) {
		err := errors.Join(q.body, q.err)
		f.d.g.told("dav", Drop{}, err, &counted{n: q.size, err: q.body})
		return refuse(http.StatusBadRequest, "the bytes did not arrive whole, so nothing was stored: %s", err)
	}
	if f.u.staged.Size() == 0 || p.folder.Ignored(p.key) != "" {
		_, err := f.u.staged.Publish(f.ctx, p.shadow(), storage.PutOptions{})
		return err
	}
	d, err := f.u.finish(f.ctx)
	f.d.g.told("dav", d, err, &counted{n: f.u.staged.Size()})
	if err != nil {
		return err
	}
	f.d.g.ghosts.add(p, d.Size)
	if err := p.folder.Store.Remove(f.ctx, p.shadow(), ""); err != nil && !notThere(err) {
		f.d.g.o.Log.Debug("a placeholder was left", zap.Error(err))
	}
	return nil
}
