//go:build powercut

package powercut

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"hotfolderd/asset"
	"hotfolderd/config"
	"hotfolderd/node"
)

const (
	roundTime = 8 * time.Second       // a round whose moment does not come is cut then
	lieTime   = 10 * time.Millisecond // how long a node goes on without its disk before it is killed
)

// round is one power cut and what came of it.
type round struct {
	t   *testing.T
	d   *disk
	m   moment
	sum *tally
	w   *writers
	// again is when the power goes a second time, while a node repairs what the first cut left; 0 is never.
	again time.Duration
	now   chan struct{} // the moment, or everything is imported

	mu        sync.Mutex
	announced map[string]bool
	seen      int // reports of the step that is waited for
}

func newRound(t *testing.T, d *disk, m moment, i int, seed uint64, sum *tally) *round {
	r := &round{t: t, d: d, m: m, sum: sum, now: make(chan struct{}, 1), announced: map[string]bool{}}
	r.m.Dir, r.m.Rule = filepath.Join(d.dir, "store"), rules[i%len(rules)]()
	var err error
	if r.w, err = newWriters(r.m.Dir, seed, d.isCut); err != nil {
		t.Fatal(err)
	}
	r.w.paced = i%2 == 0
	if i%3 == 0 {
		r.again = time.Duration(seed % uint64(150*time.Millisecond))
	}
	return r
}

// rules are taken in turn.
var rules = []func() config.Rule{
	func() config.Rule { return rule(config.AfterRemove, true, 64) },
	func() config.Rule { return rule(config.AfterArchive, false) },
	func() config.Rule { return rule(config.AfterRemove, false) },
	func() config.Rule { return rule(config.AfterKeep, true, 64) },
}

func rule(after config.After, library bool, thumbnails ...int) config.Rule {
	r := config.DefaultRule("inbox")
	r.Complete.Settle = config.Duration(20 * time.Millisecond)
	r.After, r.Library, r.Thumbnails.Sizes = after, library, thumbnails
	return r
}

// run is the round, top to bottom.
func (r *round) run() {
	if r.m.backlog {
		r.w.start()
		r.w.wg.Wait()
	}
	r.cut(r.w.start)
	after := r.powerUp()
	if r.again > 0 {
		r.m = moment{plan: plan{Dir: r.m.Dir, Rule: r.m.Rule}, delay: r.again}
		r.sum.again++
		r.cut(func() {})
		after = r.powerUp()
	}
	r.heal()
	r.exactlyOnce(after, look(r.t, r.m.Dir))
	if err := os.RemoveAll(r.m.Dir); err != nil {
		r.t.Fatal(err)
	}
}

// cut lets a node work on what is dropped until the moment comes.
func (r *round) cut(drop func()) {
	select {
	case <-r.now: // of the cut before
	default:
	}
	c := startChild(r.t, r.m.plan, r.hear)
	if !r.m.backlog {
		drop()
	}
	limit := roundTime
	if r.m.report == "" && r.m.Step == "" && r.m.Op == 0 {
		limit = r.m.delay
	}
	select {
	case <-r.now:
	case <-time.After(limit):
	}
	if err := r.d.powerCut(); err != nil {
		r.t.Error(err)
	}
	time.Sleep(lieTime) // nothing to wait for: whatever the node says in this time must be true
	c.kill(r.t)
	r.w.wg.Wait()
}

// hear takes what the child says. A report that is the moment leads to the cut at once, or after the moment's delay.
func (r *round) hear(said report) {
	r.mu.Lock()
	defer r.mu.Unlock()
	due := false
	switch said.Msg {
	case saidHold:
		due = true
	case saidImported:
		r.announced[said.Key] = true
		due = len(r.announced) == len(r.w.all)
	case saidStep:
		if said.Step == r.m.report {
			r.seen++
			due = r.seen == r.m.Nth
		}
	}
	if !due {
		return
	}
	if said.Msg == saidStep {
		time.Sleep(r.m.delay) // the moment itself: the node goes on meanwhile
	}
	select {
	case r.now <- struct{}{}:
	default:
	}
}

// powerUp looks at what is there after the cut.
func (r *round) powerUp() *state {
	r.d.powerUp(r.t)
	s := look(r.t, r.m.Dir)
	r.compare(s)
	return s
}

// compare holds what is there after the cut against what was known before it.
func (r *round) compare(s *state) {
	r.sum.cuts++
	if len(r.announced) < len(r.w.all) {
		r.sum.midway++
	}
	r.sum.announced += len(r.announced)
	r.sum.thumbs += s.thumbs
	for _, d := range r.w.all {
		left, isLeft := s.dropped[d.key]
		imported, there := s.imported(d), left == d.hash
		if imported && isLeft && !there {
			r.sum.half++
		}
		if d.durable {
			r.sum.durable++
			if there {
				r.sum.there++
			} else if imported {
				r.sum.imported++
			}
		}
		if d.durable && !there && !imported {
			r.t.Errorf("lost: %s was durable and is neither in its hotfolder nor imported", d.key)
		}
		if r.announced[d.key] && !imported {
			r.t.Errorf("a lie: %s was announced as imported and is not", d.key)
		}
	}
}

// heal lets a healthy node finish the work.
func (r *round) heal() {
	log := zap.NewNop()
	n, err := node.New(r.t.Context(), nodeOptions(r.m.Dir, r.m.Rule, log))
	if err != nil {
		r.t.Fatalf("after the cut: %v", err)
	}
	ctx, stop := context.WithCancel(r.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			r.t.Errorf("after the cut: %v", err)
		}
	}()
	for _, d := range r.w.all {
		if d.durable {
			within(r.t, 20*time.Second, d.key+" imported after the cut", func() bool { return r.through(ctx, n, d) })
		} else if r.m.Rule.After != config.AfterKeep {
			within(r.t, 20*time.Second, "what is left of "+d.key+" taken", func() bool { return r.gone(d) })
		}
	}
}

// through reports whether a drop's name stands for its bytes and the drop went where the rule says.
func (r *round) through(ctx context.Context, n *node.Node, d *drop) bool {
	rec, number, err := n.Area().Current(ctx, asset.Key("inbox/"+d.key))
	if err != nil || number != 1 || rec.Content.Hash != d.hash {
		return false
	}
	return r.gone(d) == (r.m.Rule.After != config.AfterKeep)
}

func (r *round) gone(d *drop) bool {
	_, err := os.Lstat(filepath.Join(r.w.inbox, d.key))
	return errors.Is(err, fs.ErrNotExist)
}

// exactlyOnce holds what is there in the end against the drops: each that was durable, or imported before, is imported and has one
// record and one version.
func (r *round) exactlyOnce(before, s *state) {
	for _, d := range r.w.all {
		if d.durable && !s.imported(d) {
			r.t.Errorf("lost: %s was durable and is not imported", d.key)
		}
		if d.durable && (s.ledger[d.key] != 1 || len(s.catalog[d.key]) != 1) {
			r.t.Errorf("%s: want one record and one version, got %d and %d", d.key, s.ledger[d.key], len(s.catalog[d.key]))
		}
		if before.imported(d) && !s.imported(d) {
			r.t.Errorf("%s was imported and is not any more", d.key)
		}
	}
	files(r.t, filepath.Join(r.m.Dir, ".hotfolderd"), func(path string, _ []byte) {
		if strings.Contains(path, "/tmp/") || strings.Contains(path, "/aside/") {
			r.t.Errorf("left behind: %s", path)
		}
	})
}
