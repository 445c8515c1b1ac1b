package cluster_test

import (
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"hotfolderd/leases/consul/consultest"
)

// shortLease makes leases that end, for Consul, 2 s after the last renewal.
const shortLease = "  session_ttl: 1s\n"

// TestChaos_pausedNodesDoNoHarm stops one of three nodes at any moment for longer than its leases last, and lets it go on. While
// it sleeps, some of the drops that it may have in hand are dropped again with other bytes.
func TestChaos_pausedNodesDoNoHarm(t *testing.T) {
	t.Parallel()
	newWorld(t, []string{consultest.Start(t).Addr}, 3, shortLease).stopped(t, 4)
}

// stopped stops nodes under a stream of drops.
func (w *world) stopped(t *testing.T, few int) {
	t.Helper()
	w.begin()
	d := w.drops()
	stop := make(chan struct{})
	ended := d.stream(50, stop)
	var took times
	for range rounds(t, few) {
		took = append(took, w.pauseRound(d))
	}
	close(stop)
	<-ended
	d.awaitTaken(patience)
	d.audit(t)
	t.Logf("take-over, from the stop until what was dropped after it was gone: %v", took)
}

// pauseRound returns how long it took until the others did the work of the stopped node.
func (w *world) pauseRound(d *drops) (took time.Duration) {
	w.t.Helper()
	names := d.some(32)
	time.Sleep(100*time.Millisecond + upTo(300*time.Millisecond)) // a random moment of their walks
	victim := w.nodes[rand.IntN(len(w.nodes))]
	victim.signal(syscall.SIGSTOP)
	w.note("stopped %s", victim.id)
	begin := time.Now()
	later := d.some(takenOver / 2)
	awake := make(chan struct{})
	time.AfterFunc(2*time.Second+upTo(2*time.Second), func() {
		defer close(awake)
		w.note("goes on %s", victim.id)
		victim.signal(syscall.SIGCONT)
	})
	for rand.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] }); len(names) > 8; names = names[1:] {
		time.Sleep(upTo(160 * time.Millisecond))
		w.note("again %s", names[0])
		d.again(names[0])
	}
	within(w.t, patience, "what was dropped after the stop is taken", func() bool { return d.noneLeft(later) }, w)
	took = time.Since(begin)
	<-awake
	victim.awaitReady()
	return took
}
