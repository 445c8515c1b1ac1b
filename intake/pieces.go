package intake

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"hotfolderd/storage"
)

// Pieces are what is kept of an upload that is not complete: objects that each begin at an offset of it.
type Pieces struct {
	// Size is of what is there without a gap; see Measure.
	Size int64
	// Changed is when the newest piece came, by the store's clock.
	Changed time.Time

	all []piece
}

type piece struct {
	storage.Object
	start int64
}

// Add adds a piece; Measure must follow.
func (p *Pieces) Add(o storage.Object, start int64) {
	p.all = append(p.all, piece{o, start})
	if o.Changed.After(p.Changed) {
		p.Changed = o.Changed
	}
}

// Measure finds out how far the pieces go on without a gap from where something else ends; 0 is the beginning. A piece may begin inside the
// one before.
func (p *Pieces) Measure(from int64) {
	slices.SortFunc(p.all, func(a, b piece) int { return cmp.Compare(a.start, b.start) })
	p.Size = p.Reach(from)
}

// Reach is how far the pieces go on without a gap from an offset; Measure must have been called.
func (p *Pieces) Reach(from int64) int64 {
	for _, x := range p.all {
		if x.start <= from {
			from = max(from, x.start+x.Object.Size)
		}
	}
	return from
}

// CopyTo writes the bytes from one offset to another.
func (p *Pieces) CopyTo(ctx context.Context, w io.Writer, s storage.Store, from, to int64) error {
	at := from
	for _, x := range p.all {
		end := min(to, x.start+x.Object.Size)
		if x.start > at || end <= at {
			continue
		}
		if err := CopyPart(ctx, w, s, x.Object, at-x.start, end-at); err != nil {
			return err
		}
		at = end
	}
	if at < to {
		return fmt.Errorf("what is kept of the upload ends at %d instead of %d", at, to)
	}
	return nil
}

// CopyPart writes n bytes of an object from an offset.
func CopyPart(ctx context.Context, w io.Writer, s storage.Store, o storage.Object, offset, n int64) error {
	r, err := s.Open(ctx, o.Key, o.Version)
	if err != nil {
		return err
	}
	defer r.Close()
	got, err := io.Copy(w, untilDone{ctx, io.NewSectionReader(r, offset, n)})
	if err == nil && got < n {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// untilDone ends a long copy soon after its context ends.
type untilDone struct {
	ctx context.Context //nolint:containedctx // lives as long as one copy
	r   io.Reader
}

func (u untilDone) Read(p []byte) (int, error) {
	if u.ctx.Err() != nil {
		return 0, context.Cause(u.ctx)
	}
	return u.r.Read(p)
}
