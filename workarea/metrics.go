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
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
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
	}
	if reg == nil {
		return m, nil
	}
	return m, errors.Join(reg.Register(m.commits), reg.Register(m.assetBytes), reg.Register(m.journalEvents),
		reg.Register(m.journalDropped), reg.Register(m.journalBatches))
}
