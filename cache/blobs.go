package cache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// Blobs keeps bytes that never change.
type Blobs struct {
	c    *Cache
	kind Kind
}

// NewBlobs makes the view of one kind, [Assets] or [Thumbnails].
func NewBlobs(c *Cache, kind Kind) *Blobs { return &Blobs{c, kind} }

// blob is an object as it was read.
type blob struct {
	object storage.Object
	data   []byte
	sum    uint32
}

// Peek is the bytes that are kept of a hash, and their [asset.Sum]; variant tells apart what is made of one original. They must not be changed. It never
// blocks.
func (b *Blobs) Peek(h asset.Hash, variant uint64) (data []byte, sum uint32, ok bool) {
	e, ok := b.c.peek(key{b.kind, h, variant}, "")
	if !ok {
		return nil, 0, false
	}
	kept := e.value.(*blob)
	return kept.data, kept.sum, true
}

// Open reads from memory, or what open opens: that is kept when it is small enough. ctx must live as long as the reader.
func (b *Blobs) Open(ctx context.Context, h asset.Hash, variant uint64, open func(context.Context) (storage.Reader, error)) (storage.Reader, error) {
	if b.c.entries == nil {
		return open(ctx)
	}
	var large storage.Reader // opened here and not kept
	e, err := b.c.load(ctx, key{b.kind, h, variant}, "", func(ctx context.Context) (*entry, error) {
		rd, err := open(ctx)
		if err == nil && rd.Object().Size+overhead > b.c.most {
			large = rd
			return nil, nil
		}
		return whole(rd, err)
	})
	switch {
	case err != nil:
		return nil, err
	case large != nil:
		return large, nil
	case e == nil: // another reader found it too large
		return open(ctx)
	}
	return e.value.(*blob).reader(), nil
}

// whole reads all of what was opened, and closes it.
func whole(rd storage.Reader, err error) (*entry, error) {
	if err != nil {
		return nil, err
	}
	o := rd.Object()
	data := make([]byte, o.Size)
	_, err = io.ReadFull(rd, data)
	if err = errors.Join(err, rd.Close()); err != nil {
		return nil, fmt.Errorf("read %s: %w", o.Key.Quoted(), err)
	}
	return &entry{value: &blob{o, data, asset.Sum(data)}, cost: weight(len(data))}, nil
}

func (b *blob) reader() storage.Reader { return &reader{bytes.NewReader(b.data), b} }

// reader is one use of bytes in memory.
type reader struct {
	*bytes.Reader
	b *blob
}

// Object implements storage.Reader.
func (r *reader) Object() storage.Object { return r.b.object }

// Check implements storage.Reader. What is known by its hash does not change.
func (r *reader) Check(context.Context) error { return nil }

// Close implements storage.Reader.
func (r *reader) Close() error { return nil }
