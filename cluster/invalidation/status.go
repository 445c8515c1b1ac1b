package invalidation

import (
	"cmp"
	"slices"
	"time"
)

// Status is what people are shown of a log.
type Status struct {
	// Last is the own newest published event.
	Last Index
	// Open changes were begun and not ended; Waiting events are not published yet.
	Open, Waiting int
	// Isolated: nobody waits for Consul, and events are kept.
	Isolated bool
	// Fresh is [Log.Fresh]. Lag: what others published longer ago than this has been applied here.
	Fresh bool
	Lag   time.Duration
	// Published and Applied count events since the start: told by this node, and heard of others.
	Published, Applied uint64
	// Clears counts how often everything was forgotten since the start, but for the start itself and [Log.ClearAll] here; Why says
	// the last reason.
	Clears uint64
	Why    string
	// Origins are the logs of all writers, by name.
	Origins []Origin
}

// Origin is one log as this node knows it.
type Origin struct {
	Log     string
	Seq     uint64 // its newest event
	Applied uint64 // the newest event that this node has applied
	Open    int    // changes under way
	Closed  bool
	Own     bool
}

// Status tells how things are now.
func (l *Log) Status() Status {
	s := Status{Last: l.Last(), Fresh: l.Fresh(), Lag: l.lag()}
	s.Open, s.Waiting, s.Isolated = l.q.state()
	if l.o.Conn == nil {
		s.Published = l.told.Load()
		return s
	}
	s.Published = l.w.told.Load()
	l.r.mu.Lock()
	defer l.r.mu.Unlock()
	s.Applied = l.r.heardOf
	s.Clears, s.Why = l.r.clears, l.r.why
	for name, o := range l.r.origins {
		s.Origins = append(s.Origins, Origin{
			Log: name, Seq: o.head.seq, Applied: o.applied, Open: len(o.head.intents), Closed: o.head.closed, Own: l.r.own(name),
		})
	}
	slices.SortFunc(s.Origins, func(a, b Origin) int { return cmp.Compare(a.Log, b.Log) })
	return s
}

// snapshot is the newest look.
func (r *reader) snapshot() (heads map[string]origin, removed counter) {
	r.mu.Lock()
	defer r.mu.Unlock()
	heads = make(map[string]origin, len(r.origins))
	for name, o := range r.origins {
		heads[name] = *o
	}
	return heads, r.counter
}
