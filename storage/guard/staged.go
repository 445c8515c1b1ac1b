package guard

import (
	"context"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// staged is a stream of bytes on its way into the store. It takes none from a connection by itself, which would keep a place while it
// waits for a client.
type staged struct {
	inner storage.Staged
	size  int64
	held
}

func (t *staged) Size() int64 { return t.size }

func (t *staged) Write(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var m int
		m, err = writePiece(&t.held, p[n:min(n+piece, len(p))], t.inner.Write)
		n += m
	}
	t.size += int64(n)
	return n, err
}

func (t *staged) ReadAt(p []byte, off int64) (int, error) {
	return readPieces(unbound(), &t.held, p, func(b []byte, done int) (int, error) { return t.inner.ReadAt(b, off+int64(done)) })
}

func (t *staged) Flush(ctx context.Context) error {
	_, err := call(ctx, &t.held, func() (struct{}, error) { return struct{}{}, t.inner.Flush(ctx) })
	return err
}

func (t *staged) Publish(ctx context.Context, key asset.Key, o storage.PutOptions) (storage.Object, error) {
	publish := func() (storage.Object, error) { return t.inner.Publish(ctx, key, o) }
	if t.c == nil || o.IfVersion == "" {
		return call(ctx, &t.held, publish)
	}
	return heldCall(ctx, &t.held, t.c.slow, publish) // it waits for whoever holds the key
}

func (t *staged) Discard() error { return t.finish() }
