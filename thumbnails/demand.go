package thumbnails

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

const (
	// DefaultDemands is how many thumbnails may be waited for at a time.
	DefaultDemands = 64
	// elsewherePause is the time between two looks while another node makes it.
	elsewherePause = 100 * time.Millisecond
)

// ErrBusy: as many thumbnails are asked for as may be waited for at a time. Later is worth another try.
var ErrBusy = errors.New("too many thumbnails are being made just now")

// Once asks for the right to make what name stands for, so that of all nodes one does. got false: another one has it now. release
// gives it back. The right saves work and no more: two that make the same write the same.
type Once func(ctx context.Context, name string) (release func(), got bool)

// Demand opens one rendition, of the first size of spec, and makes it when there is none. Of all who ask for it, here and on other
// nodes, one makes it; the others wait until it is there, or until ctx ends. When the one dies another does it. [ErrBusy] when too many
// wait. What is wrong with the original is an [*Error]; it is remembered as by [Room.Generate]. open is called when the original
// must be read.
func (r *Room) Demand(ctx context.Context, c asset.Content, spec Spec, open func(context.Context) (storage.Reader, error)) (storage.Reader, error) {
	spec, err := spec.checked()
	if err != nil {
		return nil, err
	}
	if rd, err := r.Open(ctx, c.Hash, spec.Sizes[0], spec.Format); !errors.Is(err, fs.ErrNotExist) {
		return rd, err
	}
	if !r.renders(c.Type) {
		return nil, &Error{Kind: Unsupported, Reason: noPreview(c.Type)}
	}
	select {
	case r.demands <- struct{}{}:
		defer func() { <-r.demands }()
	default:
		return nil, ErrBusy
	}
	done, err := r.turns.take(ctx, c.Hash)
	if err != nil {
		return nil, err
	}
	defer done()
	return r.demand(ctx, c, spec, open)
}

// demand has this node's turn, and waits for that of the cluster.
func (r *Room) demand(ctx context.Context, c asset.Content, spec Spec, open func(context.Context) (storage.Reader, error)) (storage.Reader, error) {
	for {
		if rd, err := r.Open(ctx, c.Hash, spec.Sizes[0], spec.Format); !errors.Is(err, fs.ErrNotExist) {
			return rd, err
		}
		release, got := r.once(ctx, "thumbnails/"+c.Hash.String())
		if got {
			defer release()
			return r.make(ctx, c, spec, open)
		}
		select {
		case <-time.After(elsewherePause):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// make has the turn of the cluster. Another node may have made it just before that.
func (r *Room) make(ctx context.Context, c asset.Content, spec Spec, open func(context.Context) (storage.Reader, error)) (storage.Reader, error) {
	src := &original{open: func() (storage.Reader, error) { return open(ctx) }}
	t, err := r.generate(ctx, c, src, spec)
	err = errors.Join(err, src.close())
	switch {
	case err != nil:
		return nil, fmt.Errorf("make a thumbnail of %s: %w", c.Hash, err)
	case t.Error != "":
		return nil, &Error{Kind: Unsupported, Reason: t.Error}
	}
	return r.Open(ctx, c.Hash, spec.Sizes[0], t.Format)
}

// original is opened when its first byte is wanted.
type original struct {
	open func() (storage.Reader, error)
	rd   storage.Reader
}

var _ io.ReaderAt = (*original)(nil)

// ReadAt implements io.ReaderAt, for one goroutine.
func (o *original) ReadAt(p []byte, off int64) (int, error) {
	if o.rd == nil {
		rd, err := o.open()
		if err != nil {
			return 0, err
		}
		o.rd = rd
	}
	return o.rd.ReadAt(p, off)
}

func (o *original) close() error {
	if o.rd == nil {
		return nil
	}
	return o.rd.Close()
}
