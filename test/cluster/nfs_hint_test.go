//go:build nfslab

package cluster_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/test/nfslab"
	"hotfolderd/test/nfslab/guest"
)

// BenchmarkNFSHinted tells how soon a drop by HTTP is imported by the node that took it, and by others, step by step; how many calls one costs; and
// what the same machine takes for bare calls.
func BenchmarkNFSHinted(b *testing.B) {
	l := nfslab.Start(b, 3, 1024)
	w := idleWorld(b, l, 3, 100)
	w.awaitIdle()
	w.matured()
	before, ops, begin := sum(w.callsEach()), w.ops(), time.Now()
	n := env(b, "HOTFOLDERD_DROPS", 50)
	var bare guest.BareTimes
	own, elsewhere := w.hinted(n, func() { w.bare(l.Clients[1], &bare) })
	b.Logf("bare calls in between on a client: a look p50 %v, a durable file p50 %v, p90 %v", part(bare.Looks, 50), part(bare.Files, 50), part(bare.Files, 90))
	b.ReportMetric(float64(part(bare.Files, 50).Milliseconds()), "ms-bare-p50")
	b.Logf("by its own node:%v", own)
	b.Logf("by another node:%v", elsewhere)
	b.Logf("%.0f calls for each drop, with %v of all else:%s", float64(sum(w.callsEach())-before)/float64(n), time.Since(begin).Round(time.Second), w.since(ops))
	b.ReportMetric(float64(elsewhere.all.at(50).Milliseconds()), "ms-p50")
	b.ReportMetric(float64(elsewhere.all.at(99).Milliseconds()), "ms-p99")
}

// matured makes the folders that a store has after its first thousand imports, most of which made two.
func (w *world) matured() {
	w.t.Helper()
	w.onServer("for a in 0 1 2 3 4 5 6 7 8 9 a b c d e f; do for b in 0 1 2 3 4 5 6 7 8 9 a b c d e f; do mkdir -p workarea/assets/$a$b workarea/ledger/$a$b; done; done")
}

// bare adds what bare calls take on a client now.
func (w *world) bare(c *nfslab.Guest, all *guest.BareTimes) {
	w.t.Helper()
	var r guest.BareTimes
	c.Call("Bare", guest.Bare{Dir: w.tree.(nfsTree).root, Times: 1, Size: 30_000}, &r)
	all.Looks, all.Files = append(all.Looks, r.Looks...), append(all.Files, r.Files...)
}

// part is the time that so many in a hundred do not exceed.
func part(all []int64, percent int) time.Duration {
	slices.Sort(all)
	return time.Duration(all[len(all)*percent/100]).Round(10 * time.Microsecond)
}

// imported is how long it took from the answer to the word of the import, and how long each step of that.
type timed struct {
	all, way times
	steps    map[string]times
	order    []string
}

func (h *timed) add(e asset.Event, took time.Duration) {
	h.all = append(h.all, took)
	for _, s := range e.Steps {
		if !slices.Contains(h.order, s.Step) {
			h.order = append(h.order, s.Step)
		}
		h.steps[s.Step] = append(h.steps[s.Step], s.Took)
		took -= s.Took
	}
	h.way = append(h.way, took)
}

func (h *timed) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, " %v\n  beside the steps %v", h.all, h.way)
	for _, step := range h.order {
		fmt.Fprintf(&b, "\n  %s %v", step, h.steps[step])
	}
	return b.String()
}

// hinted puts drops by HTTP through the first node, of which the others import most; something else is done before each.
func (w *world) hinted(n int, before func()) (own, elsewhere *timed) {
	w.t.Helper()
	own, elsewhere = &timed{steps: map[string]times{}}, &timed{steps: map[string]times{}}
	s := w.seen(w.nodes...)
	time.Sleep(2 * time.Second) // the streams are open
	var mu sync.Mutex
	s.heard = func(e asset.Event, took time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		if e.Node == w.nodes[0].id {
			own.add(e, took)
		} else {
			elsewhere.add(e, took)
		}
	}
	for i := range n {
		before()
		name := fmt.Sprintf("by-http-%d.png", i)
		s.begin(name, picture(), func(data []byte) {
			w.nodes[0].must(http.StatusCreated, http.MethodPut, "/v1/hotfolders/inbox/"+name, "", string(data))
		})
		time.Sleep(upTo(300 * time.Millisecond))
	}
	s.await("all drops by HTTP are imported")
	mu.Lock()
	defer mu.Unlock()
	return own, elsewhere
}
