package s3

import (
	"cmp"
	"context"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"syscall"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

const copyBuffer = 256 << 10

// staged is bytes on this machine: in memory, or in a file without a name. The server hears of them when they are published.
type staged struct {
	s      *Store
	most   int64 // in memory
	memory []byte
	file   *os.File // nil: all is in memory
	size   int64
	sum    hash.Hash
	broken error
	done   error // why nothing can be published any more
}

var (
	errPublished = errors.New("these bytes have a name already")
	errDiscarded = errors.New("these bytes were discarded")
)

// Stage implements storage.Store. It asks the server nothing.
func (s *Store) Stage(ctx context.Context) (storage.Staged, error) {
	if err := ended(ctx, "stage", asset.Root); err != nil {
		return nil, err
	}
	if s.readOnly {
		return nil, errReadOnly
	}
	return s.stage(), nil
}

func (s *Store) stage() *staged { return &staged{s: s, most: s.limits.memory, sum: md5.New()} }

func (t *staged) Write(p []byte) (int, error) {
	if t.broken != nil {
		return 0, t.broken
	}
	n, err := t.keep(p)
	t.sum.Write(p[:n])
	t.size += int64(n)
	if err != nil {
		t.broken = fmt.Errorf("spool: %w", err)
	}
	return n, t.broken
}

func (t *staged) keep(p []byte) (int, error) {
	if t.file == nil && t.size+int64(len(p)) <= t.most {
		t.memory = append(t.memory, p...)
		return len(p), nil
	}
	if t.file == nil {
		if err := t.spill(); err != nil {
			return 0, spoolFull(err)
		}
	}
	n, err := t.file.Write(p)
	return n, spoolFull(err)
}

// spill moves what is in memory into a file that nobody can find.
func (t *staged) spill() error {
	f, err := os.CreateTemp(t.s.spool, "hotfolderd-*")
	if err != nil {
		return err
	}
	if err := errors.Join(os.Remove(f.Name()), write(f, t.memory)); err != nil {
		return errors.Join(err, f.Close())
	}
	t.file, t.memory = f, nil
	return nil
}

func write(f *os.File, b []byte) error {
	_, err := f.Write(b)
	return err
}

// spoolFull says that there is no space for the spool in the word for no space.
func spoolFull(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", storage.ErrFull, err)
	}
	return err
}

// ReadFrom lets io.Copy use one large buffer.
func (t *staged) ReadFrom(r io.Reader) (int64, error) {
	return io.CopyBuffer(struct{ io.Writer }{t}, r, make([]byte, copyBuffer))
}

func (t *staged) Size() int64 { return t.size }

func (t *staged) ReadAt(p []byte, off int64) (int, error) {
	if t.file != nil {
		return t.file.ReadAt(p, off)
	}
	if off >= int64(len(t.memory)) {
		return 0, io.EOF
	}
	n := copy(p, t.memory[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Flush does nothing: bytes without a name can be lost only together with the process. Publish makes bytes and name durable in one.
func (t *staged) Flush(ctx context.Context) error {
	if t.broken != nil {
		return t.broken
	}
	return ended(ctx, "flush", asset.Root)
}

func (t *staged) Publish(ctx context.Context, key asset.Key, o storage.PutOptions) (storage.Object, error) {
	if err := errors.Join(t.done, t.Flush(ctx)); err != nil {
		return storage.Object{}, fail(ctx, "publish", key, err)
	}
	obj, err := t.s.publish(ctx, key, t.body(), o)
	if err != nil {
		return storage.Object{}, fail(ctx, "publish", key, err)
	}
	t.done = errPublished
	return obj, nil
}

func (t *staged) body() body {
	return body{t, t.size, base64.StdEncoding.EncodeToString(t.sum.Sum(nil))}
}

// Discard lets go of the memory or the file; what was published stays.
func (t *staged) Discard() error {
	var err error
	if t.file != nil {
		err = t.file.Close()
	}
	t.file, t.memory = nil, nil
	t.broken = cmp.Or(t.broken, errDiscarded)
	return err
}
