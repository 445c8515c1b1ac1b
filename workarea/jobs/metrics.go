package jobs

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// metrics are of what this node's sweeps have seen.
type metrics struct {
	live, bytes prometheus.Gauge
	ended       prometheus.Counter
}

func newMetrics(r prometheus.Registerer) metrics {
	f := promauto.With(r)
	return metrics{
		live:  f.NewGauge(prometheus.GaugeOpts{Name: "hotfolder_jobs", Help: "Batch jobs that live, when this node swept them last; 0 where another node sweeps."}),
		bytes: f.NewGauge(prometheus.GaugeOpts{Name: "hotfolder_jobs_bytes", Help: "Bytes of their files, as their notes have it."}),
		ended: f.NewCounter(prometheus.CounterOpts{Name: "hotfolder_jobs_expired_total", Help: "Batch jobs that this node ended because nobody used them any more."}),
	}
}

func (m metrics) swept(seen map[string]Note, ended int) {
	live, bytes := -ended, int64(0)
	for _, n := range seen {
		if !n.Ended {
			live++
			bytes += n.Used
		}
	}
	m.live.Set(float64(max(0, live)))
	m.bytes.Set(float64(bytes))
	m.ended.Add(float64(ended))
}

// Rest says that another node sweeps: what this one saw last counts no more.
func (j *Jobs) Rest() {
	j.metrics.live.Set(0)
	j.metrics.bytes.Set(0)
}
