package shares

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"hotfolderd/leases"
)

// The numbers of partitions when the options say none. All nodes of a namespace must use the same.
const (
	DefaultPartitions       = 256
	DefaultPinnedPartitions = 16
)

// Options of [New].
type Options struct {
	// Self is this node's id, as Set names it.
	Self string
	// Leaser gives the leases. It stays the caller's, who closes it after Run has returned. Many are released side by side, so
	// that it can put them into one write.
	Leaser leases.Leaser
	// Watch calls its function with all held names, at the start and after each change, until the context ends; nobody changes
	// a map that was handed over. Names that it shows as held are not tried. nil: nobody else takes names, all are tried.
	Watch func(ctx context.Context, seen func(held map[string]string))
	// Gained is called by the loop after partitions came, or came to hold other hotfolders, once for all of them: what a scan
	// passed over may be this node's now. It must not wait for long. nil is allowed.
	Gained func()
	// Log gets what was taken, given back and lost. nil is silent.
	Log *zap.Logger
	// Partitions of the namespace, and of each pinned hotfolder. 0: the defaults.
	Partitions, PinnedPartitions int
}

// Shares is the partitions of one node. All methods are safe for concurrent use. Make one with [New].
type Shares struct {
	o     Options
	table atomic.Pointer[table]
	wake  chan struct{} // of the loop; a signal may stand for several

	mu       sync.Mutex
	in       input
	fresh    bool            // in has changed since the loop looked
	changed  bool            // and in a way that asks for a new plan
	sets     map[string]*set // by hotfolder: pinned, or not yet given back
	running  bool
	draining bool
	empty    chan struct{} // closed when all is given back; nil: nobody waits for it

	loop loop
}

// input is what decides, as the loop takes it: nothing of it is changed in place.
type input struct {
	nodes []Node
	pins  map[string]Pin
	held  map[string]string // by Watch
	seen  bool              // Watch has spoken, or there is none
}

// New prepares the shares of a node. It takes nothing before Run, and before Set has named this node.
func New(o Options) *Shares {
	if o.Partitions <= 0 {
		o.Partitions = DefaultPartitions
	}
	if o.PinnedPartitions <= 0 {
		o.PinnedPartitions = DefaultPinnedPartitions
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	if o.Gained == nil {
		o.Gained = func() {}
	}
	s := &Shares{o: o, wake: make(chan struct{}, 1), sets: map[string]*set{}}
	s.in.seen = o.Watch == nil
	s.table.Store(&table{common: newSet(commonPrefix, "", o.Partitions)})
	return s
}

// Set says who the live importers are and which hotfolders are pinned. It may be called at any time, as often as wanted: the same
// again costs nothing. From its return on, Claim goes by these pins. This node takes part when it is among the nodes, with a
// weight. The arguments are copied.
func (s *Shares) Set(nodes []Node, pins map[string]Pin) {
	nodes, pins = eligible(nodes), binding(pins)
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.Equal(nodes, s.in.nodes) && samePins(pins, s.in.pins) {
		return
	}
	s.in.nodes, s.in.pins = nodes, pins
	s.pin()
	s.replan()
}

// pin makes the table of the present pins; mu is held.
func (s *Shares) pin() {
	t := &table{common: s.table.Load().common, pinned: make(map[string]*set, len(s.in.pins))}
	for hotfolder := range s.in.pins {
		if s.sets[hotfolder] == nil {
			s.sets[hotfolder] = newSet(commonPrefix+hotfolder+"/", hotfolder, s.o.PinnedPartitions)
		}
		t.pinned[hotfolder] = s.sets[hotfolder]
	}
	s.table.Store(t)
}

// replan asks the loop for a new plan; mu is held.
func (s *Shares) replan() {
	s.fresh, s.changed = true, true
	s.signal()
}

// saw takes what the watch sees.
func (s *Shares) saw(held map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.in.held, s.in.seen, s.fresh = held, true, true
	s.signal()
}

// signal wakes the loop. It never waits.
func (s *Shares) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Common reports whether a name is of a partition of the namespace, and not of a pinned hotfolder.
func Common(name string) bool {
	number, ok := strings.CutPrefix(name, commonPrefix)
	return ok && !strings.Contains(number, "/")
}

const commonPrefix = "p/"

// Held is one partition in this node's hands.
type Held struct {
	Name     string
	Token    leases.Token
	InHand   int  // walks that have not ended
	Draining bool // no walk begins in it; it is given back when InHand is 0
	Since    time.Time
}

// Status lists what is held: the partitions of the namespace, then those of the hotfolders by name.
func (s *Shares) Status() []Held {
	s.mu.Lock()
	sets := s.all()
	s.mu.Unlock()
	var all []Held
	for _, set := range sets {
		for _, p := range set.parts {
			if g := p.grip.Load(); g != nil && !g.ended() {
				all = append(all, Held{Name: p.name, Token: g.lease.Token(), InHand: g.inHand(), Draining: !g.open(), Since: g.since})
			}
		}
	}
	return all
}

// all are the sets that may hold something, in a steady order; mu is held.
func (s *Shares) all() []*set {
	sets := []*set{s.table.Load().common}
	for _, hotfolder := range slices.Sorted(maps.Keys(s.sets)) {
		sets = append(sets, s.sets[hotfolder])
	}
	return sets
}
