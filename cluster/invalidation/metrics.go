package invalidation

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the counters of one log.
type metrics struct {
	published prometheus.Counter
	applied   prometheus.Counter
	gaps      *prometheus.CounterVec
	clears    prometheus.Counter
	renewed   prometheus.Counter
	commits   prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer, lag func() time.Duration) (*metrics, error) {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	m := &metrics{
		published: counter("hotfolder_invalidations_published_total", "Invalidations that this node published."),
		applied:   counter("hotfolder_invalidations_applied_total", "Invalidations of other nodes that this node applied."),
		gaps: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hotfolder_invalidations_gaps_total",
			Help: "Invalidations that came too late for the head: filled from the store, or lost (everything cached is forgotten then).",
		}, []string{"result"}),
		clears: counter("hotfolder_cache_clears_total",
			"How often everything cached was forgotten: somebody asked, or it was not known what had changed."),
		renewed: counter("hotfolder_invalidations_new_logs_total",
			"How often this node went on in a new log because its own was closed by another node or lost."),
		commits: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "hotfolder_invalidations_commit_duration_seconds", Help: "Time of one write of the log to Consul.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14),
		}),
	}
	if reg == nil {
		return m, nil
	}
	silence := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "hotfolder_invalidations_lag_seconds", Help: "What others published longer ago than this has been applied here.",
	}, func() float64 { return lag().Seconds() })
	return m, errors.Join(reg.Register(m.published), reg.Register(m.applied), reg.Register(m.gaps), reg.Register(m.clears),
		reg.Register(m.renewed), reg.Register(m.commits), reg.Register(silence))
}
