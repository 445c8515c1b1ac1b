package cache

import (
	"sync/atomic"

	"github.com/maypok86/otter/v2"
	"github.com/prometheus/client_golang/prometheus"
)

// counts of one kind.
type counts struct {
	hits, misses, joined, evicted atomic.Uint64
	bytes, entries                atomic.Int64
}

func (n *counts) added(e *entry) {
	n.bytes.Add(int64(e.cost))
	n.entries.Add(1)
}

func (n *counts) missed(joined bool) {
	if joined {
		n.joined.Add(1)
		return
	}
	n.misses.Add(1)
}

// deleted is told of every entry that goes, whatever the reason.
func (c *Cache) deleted(d otter.DeletionEvent[key, *entry]) {
	n := &c.counts[d.Key.kind]
	n.bytes.Add(-int64(d.Value.cost))
	n.entries.Add(-1)
	if d.Cause == otter.CauseOverflow {
		n.evicted.Add(1)
	}
}

// Status is how the cache does, for people.
type Status struct {
	Limit int64 // bytes; 0: nothing is kept
	Bytes int64 // about
	Kinds []Figure
}

// Figure is one kind of what is kept.
type Figure struct {
	Kind      string
	Bytes     int64
	Entries   int64
	Hits      uint64 // answered from memory
	Joined    uint64 // answered by a read that was under way
	Misses    uint64 // read from the store
	Evictions uint64 // entries that went for want of room
}

// Status tells how things are now.
func (c *Cache) Status() Status {
	s := Status{Limit: c.limit}
	for k := range kinds {
		n := &c.counts[k]
		f := Figure{
			Kind: k.String(), Bytes: n.bytes.Load(), Entries: n.entries.Load(), Hits: n.hits.Load(), Joined: n.joined.Load(),
			Misses: n.misses.Load(), Evictions: n.evicted.Load(),
		}
		s.Bytes += f.Bytes
		s.Kinds = append(s.Kinds, f)
	}
	return s
}

// The metrics. They are made of the counts when somebody asks.
var (
	limitDesc   = prometheus.NewDesc("hotfolder_memory_limit_bytes", "Memory that what was read may take: cache.memory.", nil, nil)
	bytesDesc   = desc("hotfolder_memory_bytes", "Memory that what was read takes, about, by kind.")
	entriesDesc = desc("hotfolder_memory_entries", "Things that are kept in memory, by kind.")
	hitsDesc    = desc("hotfolder_memory_hits_total", "Answers from memory, by kind.")
	joinedDesc  = desc("hotfolder_memory_joined_total", "Answers by a read of the store that was under way for another, by kind.")
	missesDesc  = desc("hotfolder_memory_misses_total", "Reads of the store for what was not in memory, by kind.")
	evictedDesc = desc("hotfolder_memory_evictions_total", "Things that left the memory for want of room, by kind.")
)

func desc(name, help string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, []string{"kind"}, nil)
}

// collector shows a cache to Prometheus.
type collector struct{ c *Cache }

// Describe implements prometheus.Collector.
func (c collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{limitDesc, bytesDesc, entriesDesc, hitsDesc, joinedDesc, missesDesc, evictedDesc} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (c collector) Collect(to chan<- prometheus.Metric) {
	s := c.c.Status()
	to <- prometheus.MustNewConstMetric(limitDesc, prometheus.GaugeValue, float64(s.Limit))
	for _, f := range s.Kinds {
		gauge := func(d *prometheus.Desc, n int64) {
			to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(n), f.Kind)
		}
		counter := func(d *prometheus.Desc, n uint64) {
			to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), f.Kind)
		}
		gauge(bytesDesc, f.Bytes)
		gauge(entriesDesc, f.Entries)
		counter(hitsDesc, f.Hits)
		counter(joinedDesc, f.Joined)
		counter(missesDesc, f.Misses)
		counter(evictedDesc, f.Evictions)
	}
}
