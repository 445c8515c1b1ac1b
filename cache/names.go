package cache

import (
	"context"

	"hotfolderd/asset"
)

// Names keeps values that names stand for. A value is shared by all who ask for it: what it points to must not be changed.
type Names[V any] struct {
	c    *Cache
	kind Kind
	cost func(V) int
}

// NewNames makes the view of one kind, [Records] or [Files]. cost is about how many bytes of memory a value takes.
func NewNames[V any](c *Cache, kind Kind, cost func(V) int) *Names[V] {
	return &Names[V]{c, kind, cost}
}

// Peek is what is kept of a name. It never blocks.
func (n *Names[V]) Peek(name asset.Key) (v V, ok bool) {
	e, ok := n.c.peek(n.key(name), name)
	if !ok {
		return v, false
	}
	return e.value.(V), true
}

// Load is what is kept of a name, or else what read brings, which is kept then. Several that want the same share one read. An
// error of read is returned, and nothing is kept.
func (n *Names[V]) Load(ctx context.Context, name asset.Key, read func(context.Context) (V, error)) (v V, err error) {
	e, err := n.c.load(ctx, n.key(name), name, func(ctx context.Context) (*entry, error) {
		v, err := read(ctx)
		if err != nil {
			return nil, err
		}
		return &entry{value: v, cost: weight(n.cost(v) + len(name))}, nil
	})
	if err != nil {
		return v, err
	}
	return e.value.(V), nil
}

func (n *Names[V]) key(name asset.Key) key { return key{kind: n.kind, n: name.Mark()} }

// weight is the cost of an entry with so many bytes in it.
func weight(bytes int) uint32 { return uint32(min(bytes+overhead, 1<<30)) }
