package workarea

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/gabriel-vasile/mimetype"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

const (
	pieceSize = 256 << 10
	sniffSize = 3 << 10 // what mimetype looks at
)

// Stage reads r to its end, once, and learns all there is to know about the bytes: hash, size, type, metadata. They are in
// the store then, but durable only after a Flush and visible only after a Commit. The caller must Discard what it was given
// in the end, also after a Commit. An error of r leaves nothing behind.
func (a *Area) Stage(ctx context.Context, r io.Reader) (asset.Content, storage.Staged, error) {
	s, err := a.store.Stage(ctx)
	if err != nil {
		return asset.Content{}, nil, fmt.Errorf("stage: %w", err)
	}
	content, err := learn(ctx, s, r)
	if err != nil {
		return asset.Content{}, nil, fmt.Errorf("stage: %w", errors.Join(err, s.Discard()))
	}
	content.Meta = readMeta(ctx, content.Type, s, content.Size)
	return content, s, nil
}

// pieces are the buffers of learn. They are shared by all work areas: memory, no state.
var pieces = sync.Pool{New: func() any { return new([pieceSize]byte) }}

// learn copies r to w, hashing on the way.
func learn(ctx context.Context, w io.Writer, r io.Reader) (asset.Content, error) {
	buf := pieces.Get().(*[pieceSize]byte)
	defer pieces.Put(buf)
	var c asset.Content
	sum := sha256.New()
	for {
		n, err := fill(r, buf[:])
		if cause := context.Cause(ctx); cause != nil {
			return c, cause
		}
		if c.Size == 0 {
			c.Type = mimetype.Detect(buf[:min(n, sniffSize)]).String()
		}
		sum.Write(buf[:n])
		if _, werr := w.Write(buf[:n]); n > 0 && werr != nil {
			return c, fmt.Errorf("write: %w", werr)
		}
		c.Size += int64(n)
		switch {
		case err == io.EOF:
			sum.Sum(c.Hash[:0])
			return c, nil
		case err != nil:
			return c, fmt.Errorf("read: %w", err)
		}
	}
}

// fill reads until buf is full or r ends. Only a bare io.EOF is an end: a body that was cut off says io.ErrUnexpectedEOF,
// and io.ReadFull could not tell the two apart.
func fill(r io.Reader, buf []byte) (n int, err error) {
	for n < len(buf) && err == nil {
		var m int
		m, err = r.Read(buf[n:])
		n += m
	}
	return n, err
}
