package httpgate

import (
	"context"
	"fmt"
	"net/http"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// allow refuses before the first byte what would be refused in the end. A size below 0 is not known yet.
func (g *Gate) allow(ctx context.Context, p place, size int64) error {
	if err := g.o.Writable(); err != nil {
		return err
	}
	if why := p.folder.Ignored(p.key); why != "" {
		return refuse(http.StatusUnprocessableEntity, "this hotfolder takes no file of that name: %s", why)
	}
	if err := p.sizeFits(size); err != nil {
		return err
	}
	if err := inTheWay(ctx, p); err != nil {
		return err
	}
	free, total, err := p.folder.Store.Space(ctx)
	if err == nil && total > 0 && size > free {
		return fmt.Errorf("%w: the file has %d bytes, %d are free", storage.ErrFull, size, free)
	}
	return nil
}

// sizeFits holds a size against the rule.
func (p place) sizeFits(size int64) error {
	switch {
	case p.folder.MaxSize > 0 && size > p.folder.MaxSize:
		return tooLarge(p.folder.MaxSize)
	case size == 0 && !p.folder.Empty:
		return refuse(http.StatusUnprocessableEntity, "the file is empty, and this hotfolder takes no empty files")
	}
	return nil
}

// inTheWay finds what can never give way to a file: a folder of its name, or a file where its folder should be.
func inTheWay(ctx context.Context, p place) error {
	o, err := p.folder.Store.Stat(ctx, p.full())
	if err == nil && o.Kind == storage.Directory {
		return refuse(http.StatusConflict, "a folder has that name")
	}
	for dir := p.key.Dir(); dir != asset.Root && !p.folder.Store.Properties().Flat; dir = dir.Dir() {
		o, err := p.folder.Store.Stat(ctx, p.folder.Prefix.Join(dir))
		switch {
		case err == nil && o.Kind != storage.Directory:
			return refuse(http.StatusConflict, "%s is no folder", dir.Quoted())
		case err == nil:
			return nil
		}
	}
	return nil
}
