package guard

import (
	"context"
	"errors"
	"syscall"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// staged is a stream of bytes on its way into the store.
type staged struct {
	inner    storage.Staged
	size     int64
	received int // by Receive, and not appended
	held
}

var _ storage.Receiver = (*staged)(nil)

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

// Receive implements storage.Receiver, when the inner staging does. It is no call to the store, and keeps no place while it waits for a
// client.
func (t *staged) Receive(conn syscall.Conn, n int) (int, error) {
	r, ok := t.inner.(storage.Receiver)
	switch {
	case !ok:
		return 0, errors.ErrUnsupported
	case t.isBroken(): // a call that hangs may still be at the bytes that were received before
		return 0, t.c.silence()
	}
	n, err := r.Receive(conn, n)
	t.received = n
	return n, err
}

// Append implements storage.Receiver.
func (t *staged) Append() error {
	r := t.inner.(storage.Receiver)
	_, err := call(unbound(), &t.held, func() (struct{}, error) { return struct{}{}, r.Append() })
	if err == nil {
		t.size += int64(t.received)
	}
	t.received = 0
	return err
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
