package cluster_test

import (
	"testing"
	"time"

	"hotfolderd/leases/consul/consultest"
)

// TestIdle_writesNothingToConsul has three nodes that have worked before, so that they have what they would tell. Consul itself
// writes a little of its own in an hour, which the index counts.
func TestIdle_writesNothingToConsul(t *testing.T) {
	t.Parallel()
	server := consultest.Start(t)
	w := newWorld(t, []string{server.Addr}, 3)
	w.begin()
	w.awaitWhole(w.nodes...)
	d := w.drops()
	d.some(300)
	d.awaitTaken(time.Minute)
	w.awaitNoLoad()
	before, spy := server.QuietIndex(t), server.Spy(t)
	time.Sleep(time.Duration(env(t, "HOTFOLDERD_IDLE_SECONDS", 5)) * time.Second)
	wrote := server.RaftIndex(t) - before
	n, keys := spy.Seen()
	t.Logf("the raft index moved by %d; %s", wrote, keys)
	if n > 0 {
		t.Errorf("want no key written, got %d writes:\n%s", n, keys)
	}
}

// awaitNoLoad waits until every node has told the others that nothing waits: that may be half a minute later.
func (w *world) awaitNoLoad() {
	w.t.Helper()
	within(w.t, time.Minute, "nobody sees load", func() bool {
		for _, p := range w.nodes {
			for _, m := range p.view().Members {
				if m.Waiting > 0 || m.Lag > 0 {
					return false
				}
			}
		}
		return true
	}, w)
}
