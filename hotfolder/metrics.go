package hotfolder

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hotfolderd/asset"
)

// Metrics of a room. No label is ever a file's name: hotfolders, steps and results are few.
type Metrics struct {
	drops *prometheus.CounterVec
	bytes *prometheus.CounterVec
	steps *prometheus.HistogramVec
	total *prometheus.HistogramVec
	scans *prometheus.HistogramVec
}

// NewMetrics registers the metrics with reg; nil counts in silence.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	buckets := prometheus.ExponentialBuckets(0.0005, 3, 12)
	m := &Metrics{
		drops: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hotfolder_drops_total", Help: "Drops by how their walk ended.",
		}, []string{"hotfolder", "result"}),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hotfolder_imported_bytes_total", Help: "Bytes of imported drops.",
		}, []string{"hotfolder"}),
		steps: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "hotfolder_step_duration_seconds", Help: "Time of each step of the walk.", Buckets: buckets,
		}, []string{"hotfolder", "step"}),
		total: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "hotfolder_import_duration_seconds", Help: "Time from first sight of a drop to its end.", Buckets: buckets,
		}, []string{"hotfolder"}),
		scans: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "hotfolder_scan_duration_seconds", Help: "Time of a full scan.", Buckets: buckets,
		}, []string{"hotfolder"}),
	}
	if reg != nil {
		reg.MustRegister(m.drops, m.bytes, m.steps, m.total, m.scans)
	}
	return m
}

func (m *Metrics) step(hotfolder, step string, took time.Duration) {
	m.steps.WithLabelValues(hotfolder, step).Observe(took.Seconds())
}

func (m *Metrics) scan(hotfolder string, took time.Duration) {
	m.scans.WithLabelValues(hotfolder).Observe(took.Seconds())
}

func (m *Metrics) end(e asset.Event) {
	m.drops.WithLabelValues(e.Hotfolder, string(e.Result)).Inc()
	if e.Result == asset.Imported {
		m.bytes.WithLabelValues(e.Hotfolder).Add(float64(e.Size))
		m.total.WithLabelValues(e.Hotfolder).Observe(e.Took.Seconds())
	}
}
