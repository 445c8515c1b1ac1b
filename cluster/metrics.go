package cluster

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	members    prometheus.Gauge
	contact    prometheus.Gauge
	writes     prometheus.Counter
	suspicions prometheus.Counter
	removed    prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		members: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "hotfolder_cluster_members", Help: "Live members that this node knows of, itself among them.",
		}),
		contact: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "hotfolder_cluster_contact", Help: "1 while this node has contact with the cluster.",
		}),
		writes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "hotfolder_cluster_writes_total", Help: "Writes of the own entry.",
		}),
		suspicions: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "hotfolder_cluster_suspicions_total", Help: "Times that this node could not reach another member and said so.",
		}),
		removed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "hotfolder_cluster_removed_total", Help: "Dead members whose session this node destroyed.",
		}),
	}
	if reg == nil {
		return m, nil
	}
	err := errors.Join(reg.Register(m.members), reg.Register(m.contact), reg.Register(m.writes), reg.Register(m.suspicions), reg.Register(m.removed))
	if err != nil {
		return nil, fmt.Errorf("metrics of the cluster: %w", err)
	}
	return m, nil
}

func (m *metrics) setContact(on bool) {
	m.contact.Set(0)
	if on {
		m.contact.Set(1)
	}
}
