package workarea

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"sync"

	"hotfolderd/asset"
	"hotfolderd/asset/sniff"
	"hotfolderd/storage"
)

const (
	firstSize = 32 << 10
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

// The buffers of learn. They are shared by all work areas: memory, no state. Most files are small, and many are read at the
// same time, so each begins with a small one.
var (
	firstPieces = sync.Pool{New: func() any { return new([firstSize]byte) }}
	pieces      = sync.Pool{New: func() any { return new([pieceSize]byte) }}
)

// learn copies r to w, hashing on the way.
func learn(ctx context.Context, w io.Writer, r io.Reader) (asset.Content, error) {
	l := &learning{ctx: ctx, w: w, r: r, sum: sha256.New()}
	first := firstPieces.Get().(*[firstSize]byte)
	more, err := l.piece(first[:], l.sum.Write)
	firstPieces.Put(first)
	if more && err == nil {
		err = l.rest()
	}
	l.sum.Sum(l.c.Hash[:0])
	return l.c, err
}

type learning struct {
	ctx context.Context //nolint:containedctx // lives as long as one copy
	w   io.Writer
	r   io.Reader
	sum hash.Hash
	c   asset.Content
}

// rest goes on with large pieces; each is hashed while it is being written.
func (l *learning) rest() error {
	buf := pieces.Get().(*[pieceSize]byte)
	defer pieces.Put(buf)
	todo, done := make(chan []byte), make(chan struct{})
	defer close(todo)
	go func() {
		for p := range todo {
			l.sum.Write(p)
			done <- struct{}{}
		}
	}()
	aside := func(p []byte) (int, error) { todo <- p; return len(p), nil }
	for {
		more, err := l.piece(buf[:], aside)
		<-done
		if err != nil || !more {
			return err
		}
	}
}

// piece moves one piece; more is false at the end. It gives sum the piece before it writes it.
func (l *learning) piece(buf []byte, sum func([]byte) (int, error)) (more bool, err error) {
	n, err := fill(l.r, buf)
	_, _ = sum(buf[:n])
	if cause := context.Cause(l.ctx); cause != nil {
		return false, cause
	}
	if l.c.Size == 0 {
		l.c.Type = sniff.Type(buf[:min(n, sniffSize)])
	}
	if _, werr := l.w.Write(buf[:n]); n > 0 && werr != nil {
		return false, fmt.Errorf("write: %w", werr)
	}
	l.c.Size += int64(n)
	if err == io.EOF {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read: %w", err)
	}
	return true, nil
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
