package workarea

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/bep/imagemeta"

	"hotfolderd/asset"
)

const (
	maxTags   = 500      // of one file
	tagWindow = 64 << 10 // bytes that are read at a time: of a bucket each reading is a request
)

// tagSources are where tags are kept in a file.
var tagSources = map[imagemeta.Source]string{imagemeta.EXIF: "exif", imagemeta.IPTC: "iptc", imagemeta.XMP: "xmp"}

// Tags reads all metadata out of the bytes of an image: by exif, iptc and xmp, and by the name of the tag, as text. Within the bounds of
// the import; what cannot be read is left out. Other types have none. fs.ErrNotExist when the bytes are not there.
func (a *Area) Tags(ctx context.Context, c asset.Content) (tags map[string]map[string]string, err error) {
	tags = map[string]map[string]string{}
	format, ok := metaFormats[c.Type]
	if !ok {
		return tags, nil
	}
	r, err := a.OpenAsset(ctx, c.Hash)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	n := 0
	in := &windowed{r: r, size: r.Object().Size}
	decodeMeta(ctx, format, io.NewSectionReader(in, 0, in.size), func(t imagemeta.TagInfo) bool { return n < maxTags && !ofThumbnail(t) }, func(t imagemeta.TagInfo) error {
		source, value := tagSources[t.Source], tagText(t.Value)
		name := tagText(t.Tag)
		if source == "" || value == "" || name == "" {
			return nil
		}
		if tags[source] == nil {
			tags[source] = map[string]string{}
		}
		if old, has := tags[source][name]; has {
			value = cut(old+", "+value, maxMetaValue)
		} else {
			n++
		}
		tags[source][name] = value
		return nil
	})
	if in.err != nil {
		return nil, fmt.Errorf("read asset %s: %w", c.Hash, in.err)
	}
	return tags, nil
}

// windowed reads a piece at a time, and keeps the last one.
type windowed struct {
	r    io.ReaderAt
	size int64
	at   int64 // where the window begins
	buf  []byte
	err  error // of r, but for its end
}

func (w *windowed) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		pos := off + int64(n)
		if pos >= w.size {
			return n, io.EOF
		}
		if pos < w.at || pos >= w.at+int64(len(w.buf)) {
			if err := w.fill(pos); err != nil {
				return n, err
			}
		}
		n += copy(p[n:], w.buf[pos-w.at:])
	}
	return n, nil
}

func (w *windowed) fill(pos int64) error {
	w.at = pos - pos%tagWindow
	if w.buf == nil {
		w.buf = make([]byte, tagWindow)
	}
	w.buf = w.buf[:min(tagWindow, w.size-w.at)]
	n, err := w.r.ReadAt(w.buf, w.at)
	if n == len(w.buf) {
		return nil
	}
	w.buf, w.err = w.buf[:0], err
	return err
}
