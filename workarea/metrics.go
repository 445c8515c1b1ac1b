package workarea

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the counters of one work area.
type metrics struct {
	commits        *prometheus.CounterVec
	assetBytes     prometheus.Counter
	journalEvents  prometheus.Counter
	journalDropped prometheus.Counter
	journalBatches *prometheus.CounterVec
	answerHits     prometheus.Counter
	answerMisses   prometheus.Counter
	answerBytes    prometheus.GaugeFunc
}

// newMetrics registers the counters; size is asked how much memory the answers take.
func newMetrics(reg prometheus.Registerer, size func() float64) (*metrics, error) {
	m := &metrics{
		commits: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hotfolder_commits_total",
			Help: "Commits by result: new, found (the drop was committed before), again (its id came back with other bytes).",
		}, []string{"result"}),
		assetBytes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "hotfolder_assets_bytes_total", Help: "Bytes of assets that were not in the work area before.",
		}),
		journalEvents: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "hotfolder_journal_events_total", Help: "Events that were recorded.",
		}),
		journalDropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "hotfolder_journal_dropped_total", Help: "Events that were dropped because the store took none for too long.",
		}),
		journalBatches: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hotfolder_journal_batches_total", Help: "Batches written to the journal, by result: ok, error.",
		}, []string{"result"}),
		answerHits: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "hotfolder_catalog_cache_hits_total", Help: "Times that what a name stands for was known without a look at the store.",
		}),
		answerMisses: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "hotfolder_catalog_cache_misses_total", Help: "Times that the store was read for what a name stands for.",
		}),
		answerBytes: prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "hotfolder_catalog_cache_bytes", Help: "Memory that the known answers take, about.",
		}, size),
	}
	if reg == nil {
		return m, nil
	}
	return m, errors.Join(reg.Register(m.commits), reg.Register(m.assetBytes), reg.Register(m.journalEvents),
		reg.Register(m.journalDropped), reg.Register(m.journalBatches),
		reg.Register(m.answerHits), reg.Register(m.answerMisses), reg.Register(m.answerBytes))
}
