package node

import (
	"context"

	"hotfolderd/admin"
	"hotfolderd/asset"
	"hotfolderd/cache"
	"hotfolderd/storage"
	"hotfolderd/thumbnails"
)

// known are the views of what this node has in memory.
type known struct {
	records    *cache.Names[*version]
	assets     *cache.Blobs
	thumbnails *cache.Blobs
}

// version is what a name stands for.
type version struct {
	rec    asset.Record
	number int
}

func (n *Node) buildMemory() (err error) {
	o := cache.Options{Bytes: int64(n.o.Settings.Cache.Memory), Fresh: n.fresh, Metrics: n.o.Registry}
	if n.memory, err = cache.New(o); err != nil {
		return err
	}
	n.known = known{
		records:    cache.NewNames(n.memory, cache.Records, (*version).cost),
		assets:     cache.NewBlobs(n.memory, cache.Assets),
		thumbnails: cache.NewBlobs(n.memory, cache.Thumbnails),
	}
	return nil
}

// current is for admin.Backend.
func (n *Node) current(ctx context.Context, name asset.Key) (asset.Record, int, error) {
	v, err := n.known.records.Load(ctx, name, func(ctx context.Context) (*version, error) {
		rec, number, err := n.area.Current(ctx, name)
		return &version{rec, number}, err
	})
	if err != nil {
		return asset.Record{}, 0, err
	}
	return v.rec, v.number, nil
}

// peek is for admin.Backend.
func (n *Node) peek(name asset.Key) (asset.Record, int, bool) {
	v, ok := n.known.records.Peek(name)
	if !ok {
		return asset.Record{}, 0, false
	}
	return v.rec, v.number, true
}

// openAsset is for admin.Backend.
func (n *Node) openAsset(ctx context.Context, h asset.Hash) (storage.Reader, error) {
	return n.known.assets.Open(ctx, h, 0, func(ctx context.Context) (storage.Reader, error) { return n.area.OpenAsset(ctx, h) })
}

// openThumbnail is for admin.Backend.
func (n *Node) openThumbnail(ctx context.Context, h asset.Hash, size int, format string) (storage.Reader, error) {
	return n.known.thumbnails.Open(ctx, h, variant(size, format), func(ctx context.Context) (storage.Reader, error) {
		return n.thumbs.Open(ctx, h, size, format)
	})
}

// variant tells one thumbnail of an asset from the others.
func variant(size int, format string) uint64 {
	v := uint64(size) << 2
	switch format {
	case thumbnails.PNG:
		v |= 1
	case thumbnails.Auto:
		v |= 2
	case thumbnails.WebP:
		v |= 3
	}
	return v
}

const (
	recordCost = 500 // what a record takes beside the text in it
	pairCost   = 64  // the same for a pair of its metadata
)

// cost is about how much memory a version takes.
func (v *version) cost() int {
	r := &v.rec
	n := recordCost + len(r.Drop) + len(r.Hotfolder) + len(r.Key) + len(r.Version) + len(r.Name) + len(r.Content.Type) + len(r.Node) + len(r.Token)
	for k, v := range r.Content.Meta {
		n += pairCost + len(k) + len(v)
	}
	if t := r.Thumbnails; t != nil {
		n += pairCost + 8*len(t.Sizes) + len(t.Error)
	}
	return n
}

func (n *Node) memoryView() admin.Memory {
	s := n.memory.Status()
	m := admin.Memory{Limit: s.Limit, Bytes: s.Bytes, Resident: resident(), Goal: memoryGoal()}
	for _, f := range s.Kinds {
		m.Kinds = append(m.Kinds, admin.Kept(f))
	}
	return m
}
