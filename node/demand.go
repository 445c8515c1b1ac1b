package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"hotfolderd/admin"
	"hotfolderd/asset"
	"hotfolderd/config"
	"hotfolderd/leases"
	"hotfolderd/storage"
	"hotfolderd/thumbnails"
)

// releaseTime bounds giving back the right to make a thumbnail.
const releaseTime = 2 * time.Second

// makeThumbnail is for admin.Backend.
func (n *Node) makeThumbnail(ctx context.Context, rec asset.Record, size int, format string) (admin.Thumbnail, error) {
	c := rec.Content
	c.Type, _, _ = strings.Cut(c.Type, ";")
	s := ThumbnailSpec(n.thumbnailsOf(rec, format))
	s.Sizes = []int{size}
	rd, err := n.known.thumbnails.Open(ctx, c.Hash, variant(size, s.Format), func(ctx context.Context) (storage.Reader, error) {
		if err := n.mayWrite(); err != nil {
			return n.thumbnailThatIs(ctx, c.Hash, s, err)
		}
		return n.thumbs.Demand(ctx, c, s, func(ctx context.Context) (storage.Reader, error) { return n.area.OpenAsset(ctx, c.Hash) })
	})
	if err != nil {
		return admin.Thumbnail{}, noThumbnail(err)
	}
	return admin.Thumbnail{Reader: rd, Format: thumbnails.FormatOf(rd.Object().Key)}, nil
}

// knownThumbnail is for admin.Backend. What auto came to is known by who has read it.
func (n *Node) knownThumbnail(rec asset.Record, size int, format string) (t admin.KnownThumbnail, ok bool) {
	t.Format = n.thumbnailsOf(rec, format).Format
	if t.Format == thumbnails.Auto {
		return t, false
	}
	t.Data, t.Sum, ok = n.known.thumbnails.Peek(rec.Content.Hash, variant(size, t.Format))
	return t, ok
}

// thumbnailThatIs opens a thumbnail without making one; missing is the error when there is none.
func (n *Node) thumbnailThatIs(ctx context.Context, h asset.Hash, s thumbnails.Spec, missing error) (storage.Reader, error) {
	rd, err := n.thumbs.Open(ctx, h, s.Sizes[0], s.Format)
	if errors.Is(err, fs.ErrNotExist) {
		err = missing
	}
	return rd, err
}

// noThumbnail says in admin's words why there is none.
func noThumbnail(err error) error {
	fault := (*thumbnails.Error)(nil)
	switch {
	case errors.As(err, &fault):
		return fmt.Errorf("%w: %s", admin.ErrNoThumbnail, fault.Reason)
	case errors.Is(err, thumbnails.ErrBusy):
		return fmt.Errorf("%w: %w", asset.ErrNotNow, err)
	}
	return err
}

// thumbnailsOf is what the rule of an asset's hotfolder says, as far as there is one. The format is the one that is asked for, or what
// was made at import.
func (n *Node) thumbnailsOf(rec asset.Record, format string) config.Thumbnails {
	n.mu.Lock()
	t := n.specs[rec.Hotfolder].Rule.Thumbnails
	n.mu.Unlock()
	if made := rec.Thumbnails; made != nil {
		format = cmp.Or(format, made.Format)
	}
	t.Format = cmp.Or(format, t.Format, thumbnails.JPEG)
	return t
}

// onceInTheCluster is a lease on the name. Without Consul's answer everybody may: that costs work and nothing else.
func (n *Node) onceInTheCluster(ctx context.Context, name string) (release func(), got bool) {
	nothing := func() {}
	if n.together == nil || n.together.leaser == nil {
		return nothing, true
	}
	grants, err := n.together.leaser.Acquire(ctx, name)
	switch {
	case err != nil:
		return nothing, true
	case grants[0].Err != nil:
		return nothing, !errors.Is(grants[0].Err, leases.ErrHeld)
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTime)
		defer cancel()
		_ = grants[0].Lease.Release(ctx) // else it ends with the session
	}, true
}
