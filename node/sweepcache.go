package node

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"go.uber.org/zap"

	"hotfolderd/thumbnails"
)

// imageCache is where thumbnails are in the store.
const imageCache = thumbnails.DefaultPrefix

const (
	cacheSweepFirst = 10 * time.Minute // after the start
	cacheSweepEvery = time.Hour
	// bucketCacheSweepEvery: each thousand files that a sweep lists are paid for.
	bucketCacheSweepEvery = 24 * time.Hour
	// cacheSweepRest is how many times longer than a sweep the pause after it is at least, where the cache is large or the store slow.
	cacheSweepRest = 20
	// renewPart of the age that thumbnails may have they are marked as used again.
	renewPart = 4
)

var errOffDuty = errors.New("another node has the duty now")

// sweepMetrics are of the sweeps of the image cache by this node.
type sweepMetrics struct {
	bytes, files prometheus.Gauge
	gone, freed  prometheus.Counter
}

func newSweepMetrics(r prometheus.Registerer) sweepMetrics {
	f := promauto.With(r)
	return sweepMetrics{
		bytes: f.NewGauge(prometheus.GaugeOpts{Name: "hotfolder_image_cache_bytes", Help: "Bytes of thumbnails in the image cache when this node swept it last."}),
		files: f.NewGauge(prometheus.GaugeOpts{Name: "hotfolder_image_cache_files", Help: "Files in the image cache when this node swept it last."}),
		gone:  f.NewCounter(prometheus.CounterOpts{Name: "hotfolder_image_cache_swept_total", Help: "Files that this node removed from the image cache to keep it small."}),
		freed: f.NewCounter(prometheus.CounterOpts{Name: "hotfolder_image_cache_swept_bytes_total", Help: "Their bytes."}),
	}
}

func (m sweepMetrics) swept(s thumbnails.Swept) {
	m.bytes.Set(float64(s.Bytes))
	m.files.Set(float64(s.Files))
	m.gone.Add(float64(s.Gone))
	m.freed.Add(float64(s.Freed))
}

// boundsCache reports whether the settings bound the image cache. Without bounds it costs nothing.
func (n *Node) boundsCache() bool {
	t := n.o.Settings.Thumbnails
	return t.CacheSize > 0 || t.CacheAge > 0
}

// renewAfter is after which time a thumbnail that is read is marked as used.
func (n *Node) renewAfter() time.Duration {
	age := n.o.Settings.Thumbnails.CacheAge.D()
	switch {
	case !n.boundsCache():
		return 0
	case age > 0:
		return min(age/renewPart, thumbnails.RenewAfter)
	}
	return thumbnails.RenewAfter
}

// sweepCache keeps the image cache within its bounds, until ctx ends. Of several nodes the one on duty does it.
func (n *Node) sweepCache(ctx context.Context) {
	if !n.boundsCache() {
		return
	}
	m := newSweepMetrics(n.o.Registry)
	pause := time.Duration(cacheSweepFirst)
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		began := time.Now()
		n.sweepCacheOnce(ctx, m)
		pause = max(n.cacheSweepPause(), cacheSweepRest*time.Since(began))
	}
}

func (n *Node) cacheSweepPause() time.Duration {
	if n.properties.Flat {
		return bucketCacheSweepEvery
	}
	return cacheSweepEvery
}

// sweepCacheOnce ends early when another node got the duty, or this one may not write any more; the next turn goes on.
func (n *Node) sweepCacheOnce(ctx context.Context, m sweepMetrics) {
	if !n.onDuty() || n.mayWrite() != nil || n.area.CheckIdentity(ctx) != nil {
		return
	}
	t := n.o.Settings.Thumbnails
	got, err := thumbnails.Sweep(ctx, n.main, imageCache, thumbnails.SweepOptions{
		Size: int64(t.CacheSize), Age: t.CacheAge.D(), May: n.maySweepCache,
	})
	m.swept(got)
	if got.Gone > 0 {
		n.log.Info("swept the image cache", zap.Int64("files", got.Gone), zap.Int64("bytes", got.Freed), zap.Int64("left", got.Bytes))
	}
	if err != nil && ctx.Err() == nil && n.maySweepCache() == nil {
		n.log.Warn("the image cache was not swept to the end; tried again later", zap.Error(err))
	}
}

func (n *Node) maySweepCache() error {
	if !n.onDuty() {
		return errOffDuty
	}
	return n.mayWrite()
}
