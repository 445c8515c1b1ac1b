package client

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// States of a node in which it is asked.
const (
	active   = "active"
	readOnly = "read-only"
)

const (
	firstHold   = 200 * time.Millisecond // after a failure a node is left alone for so long; doubled each time
	longestHold = 10 * time.Second
)

// node is one address and what is known of it.
type node struct {
	base     string
	instance string // of the start that the members tell of; empty: it is known as an address only
	state    string
	roles    []string
	weight   float64 // what it can do
	waiting  int

	failures int       // in a row
	until    time.Time // it is not asked before
}

// fleet knows the nodes and which one is used.
type fleet struct {
	o     Options
	seeds []string

	mu      sync.Mutex
	nodes   map[string]*node // by base
	current string
	used    time.Time // the last request
	why     error     // what the last request at the current node came to
	asked   time.Time // when the members were asked for last

	asking chan struct{} // one place: who asks for the members
}

func newFleet(seeds []string, o Options) *fleet {
	f := &fleet{o: o, seeds: seeds, nodes: map[string]*node{}, asking: make(chan struct{}, 1)}
	for _, s := range seeds {
		f.nodes[s] = &node{base: s}
	}
	return f
}

// pick is where the next request goes. When all nodes are to be left alone it waits for the first that is not, until the deadline.
func (f *fleet) pick(ctx context.Context, writes bool, deadline time.Time) (string, error) {
	for {
		now := time.Now()
		base, next := f.choose(now, writes)
		if base != "" {
			return base, nil
		}
		if next.After(deadline) {
			return "", errNotBefore
		}
		if err := sleep(ctx, time.Until(next)); err != nil {
			return "", err
		}
	}
}

var errNotBefore = errors.New("no node may be asked before the patience ends")

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// choose is the node to ask now, or when the first may be asked.
func (f *fleet) choose(now time.Time, writes bool) (base string, next time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	tiers := f.tiers(now, writes)
	if c, ok := f.nodes[f.current]; ok && now.Sub(f.used) < f.o.Idle && slices.Contains(tiers[0], c) {
		f.used = now
		return c.base, time.Time{}
	}
	for _, tier := range tiers {
		if len(tier) > 0 {
			n := lighter(tier)
			f.move(n, now)
			return n.base, time.Time{}
		}
	}
	next = now.Add(longestHold)
	for _, n := range f.nodes {
		if n.until.After(now) && n.until.Before(next) {
			next = n.until
		}
	}
	return "", next
}

// move makes a node the current one. The caller holds the lock.
func (f *fleet) move(n *node, now time.Time) {
	f.used = now
	if f.current == n.base {
		return
	}
	m := Move{From: f.current, To: n.base, Why: f.why}
	f.current, f.why = n.base, nil
	if f.o.Moved != nil {
		f.o.Moved(m)
	}
}

// tiers are the nodes that may be asked, the best first: members that are fit for it, the addresses that were given, and members that
// are on their way out or in, which may serve it yet or say why not.
func (f *fleet) tiers(now time.Time, writes bool) [3][]*node {
	var t [3][]*node
	for _, n := range f.nodes {
		switch {
		case now.Before(n.until):
		case n.instance == "":
			t[1] = append(t[1], n)
		case !slices.Contains(n.roles, f.o.Role):
		case n.state == active, n.state == readOnly && !writes:
			t[0] = append(t[0], n)
		default:
			t[2] = append(t[2], n)
		}
	}
	if len(t[0]) == 0 { // nobody has told of members: then an address is as good as one
		t[0], t[1] = t[1], nil
	}
	return t
}

// lighter draws two nodes by their weight and takes the one that has less to do for what it can.
func lighter(of []*node) *node {
	a, b := draw(of), draw(of)
	if b.load() < a.load() {
		return b
	}
	return a
}

func draw(of []*node) *node {
	total := 0.0
	for _, n := range of {
		total += n.capacity()
	}
	at := rand.Float64() * total
	for _, n := range of {
		if at -= n.capacity(); at < 0 {
			return n
		}
	}
	return of[len(of)-1]
}

// capacity is what a node can do; of one that is only an address nothing is known.
func (n *node) capacity() float64 { return max(n.weight, 0.01) }

func (n *node) load() float64 { return float64(n.waiting) / n.capacity() }

// failed has a node left alone for a while: longer each time, for at least as long as it asks for.
func (f *fleet) failed(base string, why error, after time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.current == base {
		f.why = why
	}
	n, ok := f.nodes[base]
	if !ok {
		return
	}
	pause := min(longestHold, firstHold<<min(n.failures, 10))
	n.failures++
	pause = pause/2 + rand.N(pause/2+1)
	n.until = time.Now().Add(max(pause, after+rand.N(firstHold)))
}

func (f *fleet) served(base string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n, ok := f.nodes[base]; ok {
		n.failures = 0
	}
}

// noNode is the error of a request that nobody served.
func noNode(last error) error {
	if last == nil {
		return ErrNoNode
	}
	return fmt.Errorf("%w: %w", ErrNoNode, last)
}
