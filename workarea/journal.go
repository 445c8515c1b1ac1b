package workarea

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"go.uber.org/zap"

	"hotfolderd/asset"
)

// Bounds of the journal.
const (
	maxBufferedEvents = 64 << 10
	maxBufferedBytes  = 32 << 20
	maxReason         = 4 << 10 // bytes of the words in one event
)

// Journal writes the events of this node, in batches, for `why` and the web page. It is no part of the import: it may lose
// events in a crash, and when the store takes none for long it drops the least telling ones, counted.
type Journal struct {
	a     *Area
	start int64         // with the node it makes the names of the batches unique
	some  chan struct{} // holds a token when there may be events
	full  chan struct{} // holds a token when there is a batch's worth of them

	writing sync.Mutex // held by a Flush
	seq     int        // of the next batch

	mu      sync.Mutex
	queue   []queued
	bytes   int
	dropped bool // events were dropped since the last batch that was written
}

// queued is one encoded event. A minor one tells of a state, not of an end, and is dropped first.
type queued struct {
	line  []byte
	minor bool
}

func newJournal(a *Area) *Journal {
	return &Journal{a: a, start: a.now().UnixNano(), some: make(chan struct{}, 1), full: make(chan struct{}, 1)}
}

// Record buffers an event. It never blocks on the store and never fails the caller. Time and Node are filled in where they
// are empty.
func (j *Journal) Record(e asset.Event) {
	if e.Time.IsZero() {
		e.Time = j.a.now().UTC()
	}
	if e.Node == "" {
		e.Node = j.a.node
	}
	e.Reason, e.Settled = cut(e.Reason, maxReason), cut(e.Settled, maxReason)
	line, err := json.Marshal(e)
	if err != nil {
		j.a.log.Error("an event was not recorded", zap.String("key", e.Key.Shown()), zap.Error(err))
		return
	}
	j.a.count.journalEvents.Inc()
	minor := e.Result == asset.Seen || e.Result == asset.Waiting || e.Result == asset.Ignored
	j.push(queued{append(line, '\n'), minor})
}

func (j *Journal) push(q queued) {
	j.mu.Lock()
	j.queue = append(j.queue, q)
	j.bytes += len(q.line)
	j.shed()
	full := j.bytes >= batchBytes
	j.mu.Unlock()
	signal(j.some)
	if full {
		signal(j.full)
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// shed makes room when the buffer is over its bounds: an eighth of the events goes, the oldest minor ones first. Taking
// many at once keeps the cost of one event small. mu is held.
func (j *Journal) shed() {
	before := len(j.queue)
	if before <= maxBufferedEvents && j.bytes <= maxBufferedBytes {
		return
	}
	left := j.drop(before/8+1, func(q queued) bool { return q.minor })
	j.drop(left, func(queued) bool { return true })
	j.a.count.journalDropped.Add(float64(before - len(j.queue)))
	if !j.dropped {
		j.dropped = true
		j.a.log.Warn("the journal drops events: the store takes none, or too slowly")
	}
}

// drop takes the first n events away that which chooses, and returns how many it lacked. mu is held.
func (j *Journal) drop(n int, which func(queued) bool) int {
	kept := make([]queued, 0, len(j.queue))
	for _, q := range j.queue {
		if n > 0 && which(q) {
			n--
			j.bytes -= len(q.line)
			continue
		}
		kept = append(kept, q)
	}
	j.queue = kept
	return n
}

// batch takes the oldest events out of the buffer, up to maxBatch bytes.
func (j *Journal) batch() []queued {
	j.mu.Lock()
	defer j.mu.Unlock()
	n, size := 0, 0
	for n < len(j.queue) && (n == 0 || size+len(j.queue[n].line) <= maxBatch) {
		size += len(j.queue[n].line)
		n++
	}
	b := j.queue[:n:n]
	j.queue = j.queue[n:]
	j.bytes -= size
	return b
}

// putBack returns a batch that could not be written to the front of the buffer.
func (j *Journal) putBack(b []queued) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.queue = append(b, j.queue...)
	for _, q := range b {
		j.bytes += len(q.line)
	}
	j.shed()
}

// wrote notes that the store takes events again.
func (j *Journal) wrote() (left bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.dropped = false
	return len(j.queue) > 0
}

// dayOf is the journal folder of a time.
func dayOf(t time.Time) string { return t.UTC().Format(time.DateOnly) }

func (a *Area) journalDay(day string) asset.Key { return a.at("journal", asset.Key(day)) }

// Run writes what is recorded until ctx ends, then the rest, for which it takes a few seconds at most. It must run for
// anything to be written; two at a time are of no use. The error is that of the last batch.
func (j *Journal) Run(ctx context.Context) error {
	pace := newPace()
	for {
		select {
		case <-ctx.Done():
			return j.finish(ctx)
		case <-j.some:
		}
		if !j.collect(ctx, pace.wait()) {
			return j.finish(ctx)
		}
		err := j.Flush(ctx)
		pace.done(err)
		if err != nil && ctx.Err() == nil {
			j.a.log.Warn("the journal could not be written; trying again", zap.Error(err))
		}
	}
}
