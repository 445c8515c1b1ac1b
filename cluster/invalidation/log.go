package invalidation

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"hotfolderd/asset"
	"hotfolderd/leases/consul"
	"hotfolderd/storage"
)

// finishMost is how long Run goes on after its context ended, to publish what is open and close the log.
const finishMost = 5 * time.Second

// Options of [New].
type Options struct {
	// Conn leads to Consul. nil: the node is alone, nobody is told and nobody is heard.
	Conn *consul.Conn
	// Root is what all keys of the cluster begin with, with a slash at its end.
	Root string
	// Node goes into log lines.
	Node string
	// Instance names this start of the node, unique for ever: "<node>.<random>".
	Instance string
	// Store keeps older events for readers that come late, and notes of isolated writers. nil: such readers forget everything.
	Store storage.Store
	// Prefix is where they lie in the store; empty is [DefaultPrefix].
	Prefix asset.Key
	// Forget is called with the marks of names that have changed, in the order of each writer. It may be called by several
	// goroutines at once, and must be quick: what comes later waits. The slice is not to be kept.
	Forget func(marks []uint64)
	// ForgetAll is called when it is not known what has changed, and at the start. The reason is a part of a sentence, for the
	// log of whoever is called. As Forget.
	ForgetAll func(reason string)
	// PublishOnly reads nothing: for a client that caches nothing. Forget and ForgetAll may be nil then.
	PublishOnly bool
	// Live reports whether the writer of that instance is a live member. Asked where Duty is true.
	Live func(instance string) bool
	// Duty reports whether this node sees to the logs of dead writers now. Any number of nodes may; none is needed all the
	// time. nil: never.
	Duty func() bool
	// Log gets what no caller is told. nil is silent.
	Log *zap.Logger
	// Metrics registers the counters; nil is off.
	Metrics prometheus.Registerer
}

// DefaultPrefix is where segments lie in the store.
const DefaultPrefix asset.Key = "workarea/invalidations"

// Log tells the others what changed here, and this node what changed elsewhere. Make one with [New] and run it. Its methods are
// safe for concurrent use.
type Log struct {
	o    Options
	m    *metrics
	q    *queue
	w    *writer
	r    *reader
	d    *duty
	segs *segments
	note note
	told atomic.Uint64 // events, when the node is alone

	beginMost, finishMost time.Duration // tests have less time
	runs                  atomic.Bool
}

// New makes a log; nothing is sent before Run or Recover. The error is about the options.
func New(o Options) (*Log, error) {
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	if o.Prefix == asset.Root {
		o.Prefix = DefaultPrefix
	}
	if o.Duty == nil || o.Live == nil {
		o.Duty = func() bool { return false }
	}
	if fault := nameFault(o.Instance); o.Conn != nil && (fault != "" || writerOf(o.Instance) != o.Instance) {
		return nil, fmt.Errorf("log of invalidations: the instance %s is no usable name", strconv.Quote(o.Instance))
	}
	if !o.PublishOnly && (o.Forget == nil || o.ForgetAll == nil) {
		return nil, errors.New("log of invalidations: it has nobody to tell what to forget")
	}
	l := &Log{o: o, note: note{turn: make(chan struct{}, 1)}, beginMost: beginMost, finishMost: finishMost}
	l.r = newReader(l)
	var err error
	if l.m, err = newMetrics(o.Metrics, l.lag); err != nil {
		return nil, fmt.Errorf("log of invalidations: %w", err)
	}
	l.q, l.segs = newQueue(), &segments{o: &l.o, kick: make(chan struct{}, 1)}
	l.w = newWriter(&l.o, l.q, l.segs, l.m)
	l.d = newDuty(l)
	return l, nil
}

func headsPrefix(root string) string { return root + "invalidations/" }

// Run writes the own log and reads those of the others until ctx ends. Then it publishes what is still open, closes the log and
// returns, within seconds; the error says that this was not possible, and another node will do it. It runs once, and must end
// after the last end of [Log.Begin].
func (l *Log) Run(ctx context.Context) error {
	if l.runs.Swap(true) {
		return errors.New("the log of invalidations runs already")
	}
	if l.o.Conn == nil {
		<-ctx.Done()
		return nil
	}
	var writing, others sync.WaitGroup
	wctx, stop := context.WithCancel(context.WithoutCancel(ctx)) // ends after finish
	writing.Go(func() { l.w.run(wctx) })
	writing.Go(func() { l.segs.run(wctx) })
	if !l.o.PublishOnly {
		others.Go(func() { l.r.run(ctx) })
		others.Go(func() { l.d.run(ctx) })
	}
	others.Wait()
	<-ctx.Done()
	err := l.finish(ctx)
	stop()
	writing.Wait()
	return err
}

// finish publishes what is open and closes the log.
func (l *Log) finish(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.finishMost)
	defer cancel()
	b := l.q.shut()
	select {
	case <-b.done:
		l.q.isolate(false)
		l.removeNote(ctx)
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the log of invalidations was not closed within %v: consul does not answer", l.finishMost)
	}
}

// Recover returns when everything that was published before the call has been applied here, or everything was forgotten. It
// works before Run too. The error is that of ctx, or says that Consul does not answer.
func (l *Log) Recover(ctx context.Context) error {
	if l.o.Conn == nil || l.o.PublishOnly {
		return nil
	}
	if err := l.r.look(ctx); err != nil {
		return fmt.Errorf("read the logs of invalidations: %w: %w", asset.ErrNotNow, err)
	}
	return nil
}

// Last is the own newest published event.
func (l *Log) Last() Index {
	if l.o.Conn == nil {
		return Index{Instance: l.o.Instance, Seq: l.told.Load()}
	}
	return l.w.newest()
}

// Fresh reports whether the others have been heard within 3 s. When false, what is cached here may be older than it should be,
// and caches must be passed by. A node that is alone is always fresh, one that reads nothing never.
func (l *Log) Fresh() bool {
	switch {
	case l.o.Conn == nil:
		return true
	case l.o.PublishOnly:
		return false
	}
	return l.r.fresh()
}

// lag is the time since the others were heard.
func (l *Log) lag() time.Duration {
	if l.o.Conn == nil || l.o.PublishOnly {
		return 0
	}
	return l.r.silence()
}

func (l *Log) forget(marks ...uint64) {
	if l.o.Forget != nil {
		l.o.Forget(marks)
	}
}

func (l *Log) clear(reason string) {
	if l.o.ForgetAll != nil {
		l.o.ForgetAll(reason)
	}
}
