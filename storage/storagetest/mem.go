package storagetest

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// Mem is a store in memory that can lose power. It keeps the contract to the letter and no more: a removal or a Deferred
// name that was not synced is undone by [Mem.PowerCut], where a real disk might have kept it. The zero value is not usable.
type Mem struct {
	mu      sync.Mutex
	seen    map[asset.Key]*memObject // what readers see
	durable map[asset.Key]*memObject // what outlives a power cut
	count   int                      // of contents ever stored; makes versions
	lives   int                      // grows with each power cut; a staging dies with its life
	parts   map[string]*memParts     // of streams, by token
}

// memObject never changes, so that readers need no lock.
type memObject struct {
	version asset.Version
	data    []byte
	made    time.Time
}

var _ storage.Store = (*Mem)(nil)

// NewMem makes an empty store.
func NewMem() *Mem {
	return &Mem{seen: map[asset.Key]*memObject{}, durable: map[asset.Key]*memObject{}, parts: map[string]*memParts{}}
}

// PowerCut forgets what was not durable: names are as they were at their last Sync, stagings are gone.
func (m *Mem) PowerCut() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seen = maps.Clone(m.durable)
	m.lives++
}

// Properties say that Mem is local, that its objects are whole at once, and that copies share their bytes.
func (m *Mem) Properties() storage.Properties {
	return storage.Properties{URL: "mem:", Kind: "memory", WholeObjects: true, Links: true}
}

// Stat finds directories too: a prefix with something below it.
func (m *Mem) Stat(ctx context.Context, key asset.Key) (storage.Object, error) {
	if err := ctx.Err(); err != nil {
		return storage.Object{}, refused("stat", key, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if o, ok := m.seen[key]; ok {
		return o.object(key), nil
	}
	if key == asset.Root || m.holds(key) {
		return storage.Object{Key: key, Kind: storage.Directory}, nil
	}
	if dir := key.Dir(); dir != asset.Root && !m.holds(dir) {
		return storage.Object{}, refused("stat", key, storage.ErrNoFolder)
	}
	return storage.Object{}, refused("stat", key, fs.ErrNotExist)
}

func (o *memObject) object(key asset.Key) storage.Object {
	return storage.Object{Key: key, Version: o.version, Size: int64(len(o.data)), ModTime: o.made, Changed: o.made}
}

func refused(op string, key asset.Key, err error) error {
	return fmt.Errorf("%s %s: %w", op, key.Quoted(), err)
}

// holds reports whether anything lies below prefix; mu is held.
func (m *Mem) holds(prefix asset.Key) bool {
	for k := range m.seen {
		if _, below := k.Below(prefix); below {
			return true
		}
	}
	return false
}

// List takes one look and walks it in order of the names; what vanishes meanwhile is left out.
func (m *Mem) List(ctx context.Context, prefix asset.Key, o storage.ListOptions) iter.Seq2[storage.Object, error] {
	return func(yield func(storage.Object, error) bool) {
		if obj, err := m.Stat(ctx, prefix); err != nil || obj.Kind != storage.Directory {
			if err == nil {
				err = refused("list", prefix, fs.ErrNotExist)
			}
			yield(storage.Object{Key: prefix}, err)
			return
		}
		m.walk(ctx, prefix, o, yield)
	}
}

// walk yields the children of prefix, and theirs; false when the caller had enough.
func (m *Mem) walk(ctx context.Context, prefix asset.Key, o storage.ListOptions, yield func(storage.Object, error) bool) bool {
	for _, key := range m.children(prefix) {
		obj, err := m.Stat(ctx, key)
		switch {
		case ctx.Err() != nil:
			yield(storage.Object{Key: prefix}, refused("list", prefix, ctx.Err()))
			return false
		case err != nil:
			continue
		case !yield(obj, nil):
			return false
		}
		enter := o.Recursive && obj.Kind == storage.Directory && (o.Enter == nil || o.Enter(key))
		if enter && !m.walk(ctx, key, o, yield) {
			return false
		}
	}
	return true
}

func (m *Mem) children(prefix asset.Key) []asset.Key {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := map[asset.Key]bool{}
	for k := range m.seen {
		if rest, below := k.Below(prefix); below {
			first, _, _ := strings.Cut(string(rest), "/")
			found[prefix.Join(asset.Key(first))] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// at is the object of that version; mu is held.
func (m *Mem) at(op string, key asset.Key, v asset.Version) (*memObject, error) {
	o, ok := m.seen[key]
	switch {
	case !ok && key != asset.Root && !m.holds(key):
		return nil, refused(op, key, fs.ErrNotExist)
	case !ok:
		return nil, refused(op, key, fmt.Errorf("%w: it is %v", storage.ErrNotRegular, storage.Directory))
	case v != "" && v != o.version:
		return nil, refused(op, key, storage.ErrChanged)
	}
	return o, nil
}

// set gives the bytes their name; mu is held.
func (m *Mem) set(op string, key asset.Key, data *memObject, o storage.PutOptions) (storage.Object, error) {
	was, taken := m.seen[key]
	switch {
	case key == asset.Root:
		return storage.Object{}, refused(op, key, asset.ErrKey)
	case taken && o.IfAbsent:
		return storage.Object{}, refused(op, key, fs.ErrExist)
	case o.IfVersion != "" && (!taken || was.version != o.IfVersion):
		return storage.Object{}, refused(op, key, storage.ErrChanged)
	}
	m.seen[key] = data
	if !o.Deferred {
		m.durable[key] = data
	}
	return data.object(key), nil
}

func (m *Mem) content(data []byte) *memObject {
	m.count++
	return &memObject{version: asset.Version(fmt.Sprintf("m%d", m.count)), data: data, made: time.Now()}
}

// Put reads r before it looks at the key, so that a slow reader holds nobody up.
func (m *Mem) Put(ctx context.Context, key asset.Key, r io.Reader, o storage.PutOptions) (storage.Object, error) {
	if err := ctx.Err(); err != nil {
		return storage.Object{}, refused("put", key, err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		return storage.Object{}, refused("put", key, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.set("put", key, m.content(data), o)
}

// Copy gives both keys the same bytes, Shared or not: bytes never change here.
func (m *Mem) Copy(ctx context.Context, src storage.Object, dst asset.Key, o storage.PutOptions) (storage.Object, error) {
	if err := ctx.Err(); err != nil {
		return storage.Object{}, refused("copy", src.Key, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	from, err := m.at("copy", src.Key, src.Version)
	if err != nil {
		return storage.Object{}, err
	}
	return m.set("copy", dst, m.content(from.data), o)
}

// Move is Copy and Remove under one lock.
func (m *Mem) Move(ctx context.Context, src storage.Object, dst asset.Key, o storage.PutOptions) (storage.Object, error) {
	if err := ctx.Err(); err != nil {
		return storage.Object{}, refused("move", src.Key, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	from, err := m.at("move", src.Key, src.Version)
	if err != nil {
		return storage.Object{}, err
	}
	moved, err := m.set("move", dst, m.content(from.data), o)
	if err == nil && src.Key != dst {
		delete(m.seen, src.Key)
	}
	return moved, err
}

// Sync makes what is seen of these keys durable.
func (m *Mem) Sync(ctx context.Context, keys ...asset.Key) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range keys {
		delete(m.durable, k)
		if o, ok := m.seen[k]; ok {
			m.durable[k] = o
		}
	}
	return nil
}

// Remove is undone by a power cut before the next Sync of the key.
func (m *Mem) Remove(ctx context.Context, key asset.Key, v asset.Version) error {
	if err := ctx.Err(); err != nil {
		return refused("remove", key, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := m.at("remove", key, v); err != nil {
		return err
	}
	delete(m.seen, key)
	return nil
}

// Writers are not known: whoever writes to Mem does it whole.
func (m *Mem) Writers(ctx context.Context, key asset.Key, v asset.Version) (open, known bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return false, false, refused("writers", key, err)
	}
	_, err = m.at("writers", key, v)
	return false, false, err
}

// Space has no limit.
func (m *Mem) Space(ctx context.Context) (free, total int64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, 0, fmt.Errorf("space: %w", err)
	}
	return 1 << 62, 0, nil
}
