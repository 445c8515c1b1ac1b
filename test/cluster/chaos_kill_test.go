package cluster_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"hotfolderd/leases/consul/consultest"
)

// takenOver is how many drops are put after a kill, to see when the dead node's share of them is taken.
const takenOver = 64

// TestChaos_killedNodesLoseNothing kills one of three nodes at any moment, also while it starts, and starts it again.
func TestChaos_killedNodesLoseNothing(t *testing.T) {
	t.Parallel()
	newWorld(t, []string{consultest.Start(t).Addr}, 3).killed(t, 6, 100)
}

// killed kills nodes under a stream of drops.
func (w *world) killed(t *testing.T, few, perSecond int) {
	t.Helper()
	w.begin()
	d := w.drops()
	stop := make(chan struct{})
	ended := d.stream(perSecond, stop)
	var took times
	for range rounds(t, few) {
		if n, known := w.killRound(d); known {
			took = append(took, n)
		}
	}
	close(stop)
	<-ended
	d.awaitTaken(patience)
	d.audit(t)
	t.Logf("take-over, from the kill until all of %d drops were gone: %v", takenOver, took)
}

// TestChaos_killedNodesAndNamesDroppedAgain has files dropped again and again under a few names, with other bytes, while nodes are
// killed: what a dead node was removing just then must not come back beside what was dropped after it.
func TestChaos_killedNodesAndNamesDroppedAgain(t *testing.T) {
	t.Parallel()
	newWorld(t, []string{consultest.Start(t).Addr}, 3).killedAgain(t, 6, 150)
}

// killedAgain kills nodes under a stream of other bytes for names that were dropped before.
func (w *world) killedAgain(t *testing.T, few, perSecond int) {
	t.Helper()
	w.begin()
	d := w.drops()
	names := d.some(60)
	stop := make(chan struct{})
	ended := d.streamAgain(names, perSecond, stop)
	for range rounds(t, few) {
		w.killRound(d)
	}
	close(stop)
	<-ended
	d.awaitTaken(patience)
	d.audit(t)
}

// killRound returns how long the others took to do the work of the killed node, when they were ready for it.
func (w *world) killRound(d *drops) (took time.Duration, known bool) {
	w.t.Helper()
	time.Sleep(upTo(700 * time.Millisecond)) // a random moment
	victim := w.nodes[rand.IntN(len(w.nodes))]
	known = w.readyWithout(victim)
	victim.kill()
	begin := time.Now()
	w.note("killed %s", victim.id)
	started := make(chan struct{})
	time.AfterFunc(upTo(1500*time.Millisecond), func() {
		defer close(started)
		w.note("start %s", victim.id)
		victim.start()
	})
	names := d.some(takenOver)
	within(w.t, patience, "what was dropped after the kill is taken", func() bool { return d.noneLeft(names) }, w)
	took = time.Since(begin)
	w.note("taken after %v: %v", took, names)
	<-started
	if rand.IntN(4) > 0 { // else the next may be killed while this one still starts
		victim.awaitReady()
	}
	return took, known
}

// readyWithout reports whether all nodes but one are ready.
func (w *world) readyWithout(one *process) bool {
	for _, p := range w.nodes {
		if p != one && !p.ready() {
			return false
		}
	}
	return true
}
