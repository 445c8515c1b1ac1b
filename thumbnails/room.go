package thumbnails

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// DefaultPrefix is where the image cache is in the store of a work area.
const DefaultPrefix asset.Key = "workarea/image-cache"

// Options of [New]. The zero value works.
type Options struct {
	Limits  Limits
	Log     *zap.Logger           // nil is silent
	Metrics prometheus.Registerer // nil is off
	// Demands bounds the calls of [Room.Demand] that make something or wait for it; 0 is [DefaultDemands].
	Demands int
	// Once lets one node at a time make what is asked for; nil: this node is alone.
	Once Once
	// Renew is how long after it was written a thumbnail that is read is written again, so that [Sweep] sees that it is used; 0: never.
	Renew time.Duration
	// May is asked before a thumbnail is written again: an error leaves it as it is. Nil: always.
	May func() error
}

// Room is the image cache: the renditions of all assets below one prefix of a store. It is safe for concurrent use, by
// any number of nodes on one store.
type Room struct {
	store   storage.Store
	prefix  asset.Key
	engine  Engine
	limits  Limits
	log     *zap.Logger
	metrics metrics
	turns   turns
	demands chan struct{}
	once    Once
	renew   renewal
}

// New takes the engine over: [Room.Close] closes it.
func New(store storage.Store, prefix asset.Key, e Engine, o Options) *Room {
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	if o.Demands <= 0 {
		o.Demands = DefaultDemands
	}
	if o.Once == nil {
		o.Once = func(context.Context, string) (func(), bool) { return func() {}, true }
	}
	return &Room{
		store: store, prefix: prefix, engine: e, limits: o.Limits.orDefaults(), log: o.Log, metrics: newMetrics(o.Metrics),
		demands: make(chan struct{}, o.Demands), once: o.Once, renew: renewal{o.Renew, o.May},
	}
}

// Close closes the engine. Nothing else of the room works afterwards but Open and Forget.
func (r *Room) Close() error { return r.engine.Close() }

// checkSize is a size to decode for when nothing is kept; a JPEG is decoded as a whole all the same.
const checkSize = 16

// Check reports whether the bytes are an image that can be decoded within the limits; nothing is kept. What is wrong with it is an
// [*Error].
func (r *Room) Check(ctx context.Context, src io.ReaderAt, size int64) error {
	spec, err := Spec{Sizes: []int{checkSize}, Format: "jpeg"}.checked()
	if err == nil {
		_, err = r.engine.Render(ctx, src, size, spec, r.limits)
	}
	return err
}

// Generate makes the renditions that spec asks for and that are not there yet; src is read only when one is missing.
// It may be repeated and raced. An image that cannot be rendered, and a file that is none, is no error: the result says
// why, and the image is not tried again before the engine or the limits are other ones; what may have been bad luck (the
// time, a crash) gets three tries in all. An error is a canceled ctx, a source that cannot be read, or the store.
//
// A rendition's key has its size and format only: when two rules ask for other qualities, backgrounds or words of the
// metadata of the same bytes, the first one's stays.
func (r *Room) Generate(ctx context.Context, c asset.Content, src io.ReaderAt, spec Spec) (asset.Thumbnails, error) {
	spec, err := spec.checked()
	if err != nil || len(spec.Sizes) == 0 {
		return asset.Thumbnails{}, err
	}
	if !r.renders(c.Type) {
		return asset.Thumbnails{Error: noPreview(c.Type)}, nil
	}
	done, err := r.turns.take(ctx, c.Hash)
	if err != nil {
		return asset.Thumbnails{}, err
	}
	defer done()
	t, err := r.generate(ctx, c, src, spec)
	if err != nil {
		return asset.Thumbnails{}, fmt.Errorf("thumbnails of %s: %w", c.Hash, err)
	}
	return t, nil
}

// renders reports whether there is somebody for the type.
func (r *Room) renders(mime string) bool {
	more, ok := r.engine.(interface{ renders(mime string) bool })
	return Renders(mime) || ok && more.renders(mime)
}

func noPreview(mime string) string {
	if mime == "" {
		return "no preview for a file of unknown type"
	}
	return "no preview for " + mime
}

func (r *Room) generate(ctx context.Context, c asset.Content, src io.ReaderAt, spec Spec) (asset.Thumbnails, error) {
	known, err := r.readInfo(ctx, c.Hash)
	if err != nil {
		return asset.Thumbnails{}, err
	}
	if known.final(r.engine.Name(), r.limits) {
		return asset.Thumbnails{Error: known.Failure.Reason}, nil
	}
	if there, err := r.complete(ctx, c.Hash, known, spec); err != nil || there {
		r.metrics.hit(there)
		return known.thumbnails(spec), err
	}
	res, err := r.render(ctx, c, src, spec)
	if fault := (*Error)(nil); errors.As(err, &fault) {
		r.log.Info("an image cannot be rendered", zap.Stringer("asset", c.Hash), zap.Stringer("result", fault.Kind), zap.Error(fault))
		known = known.failed(fault, r.engine.Name(), r.limits)
		return asset.Thumbnails{Error: fault.Reason}, r.writeInfo(ctx, c.Hash, known)
	}
	if err != nil {
		return asset.Thumbnails{}, err
	}
	return r.keep(ctx, c.Hash, spec, res)
}

func (r *Room) render(ctx context.Context, c asset.Content, src io.ReaderAt, spec Spec) (Result, error) {
	began := time.Now()
	res, err := r.engine.Render(ctx, src, c.Size, spec, r.limits)
	r.metrics.rendered(c.Type, time.Since(began), err)
	return res, err
}

// complete reports whether all that spec asks for is there, known's measures included.
func (r *Room) complete(ctx context.Context, h asset.Hash, known info, spec Spec) (bool, error) {
	if known.Width == 0 {
		return false, nil
	}
	for _, size := range spec.Sizes {
		_, err := r.store.Stat(ctx, r.rendition(h, size, known.format(spec)))
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
	}
	return true, nil
}

// keep puts the renditions and then what is known of the original; one Sync makes all of it durable.
func (r *Room) keep(ctx context.Context, h asset.Hash, spec Spec, res Result) (asset.Thumbnails, error) {
	keys := make([]asset.Key, 0, len(res.Renditions)+1)
	for _, made := range res.Renditions {
		key := r.rendition(h, made.Size, made.Format)
		_, err := r.store.Put(ctx, key, bytes.NewReader(made.Data), storage.PutOptions{IfAbsent: true, Deferred: true, Brief: true})
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return asset.Thumbnails{}, err
		}
		keys = append(keys, key)
	}
	known := info{Width: res.Width, Height: res.Height, Transparent: res.Transparent, Animated: res.Animated, ThumbHash: res.ThumbHash}
	if err := r.writeInfo(ctx, h, known); err != nil {
		return asset.Thumbnails{}, err
	}
	return known.thumbnails(spec), r.store.Sync(ctx, append(keys, r.infoKey(h))...)
}

// Open opens one rendition; fs.ErrNotExist when it was not made. An empty format or auto is whatever there is, PNG
// first.
func (r *Room) Open(ctx context.Context, h asset.Hash, size int, format string) (storage.Reader, error) {
	rd, err := r.open(ctx, h, size, format)
	if err != nil {
		return nil, fmt.Errorf("open the thumbnail of %s at %d: %w", h, size, err)
	}
	r.used(ctx, rd)
	return rd, nil
}

func (r *Room) open(ctx context.Context, h asset.Hash, size int, format string) (rd storage.Reader, err error) {
	err = fmt.Errorf("a thumbnail as %q: %w", format, fs.ErrNotExist)
	for _, f := range formatsFor(format) {
		if rd, err = r.store.Open(ctx, r.rendition(h, size, f), ""); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return rd, err
}

// formatsFor are those that a rendition may have which is asked for as format.
func formatsFor(format string) []string {
	switch format {
	case "", Auto:
		return []string{PNG, JPEG, WebP}
	case JPEG, PNG, WebP:
		return []string{format}
	}
	return nil
}

// Forget removes all that is kept of an asset, a remembered failure included. It may be repeated. A rendition that is
// made meanwhile may stay.
func (r *Room) Forget(ctx context.Context, h asset.Hash) error {
	for o, err := range r.store.List(ctx, r.folder(h), storage.ListOptions{NamesOnly: true}) {
		if err == nil {
			err = r.store.Remove(ctx, o.Key, "")
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("forget the thumbnails of %s: %w", h, err)
		}
	}
	return nil
}

// FormatOf is the format of the rendition with this key.
func FormatOf(key asset.Key) string {
	for format, ext := range extensions {
		if strings.HasSuffix(string(key), ext) {
			return format
		}
	}
	return JPEG
}

// extensions of the names of renditions, by their formats.
var extensions = map[string]string{JPEG: ".jpg", PNG: ".png", WebP: ".webp"}

func (r *Room) folder(h asset.Hash) asset.Key { return r.prefix.Join(h.Shard()) }

func (r *Room) rendition(h asset.Hash, size int, format string) asset.Key {
	return r.folder(h).Join(asset.Key(strconv.Itoa(size) + extensions[format]))
}
