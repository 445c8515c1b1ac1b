//go:build nfslab

package cluster_test

import (
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"hotfolderd/leases/consul/consultest"
	"hotfolderd/test/nfslab"
	"hotfolderd/test/nfslab/guest"
)

// TestNFS_nodesAndServersThatEndLoseNothing kills and stops one of two nodes, cuts it off from Consul, and starts the NFS server anew, in
// turn, under a stream of drops by a third client.
func TestNFS_nodesAndServersThatEndLoseNothing(t *testing.T) {
	l := nfslab.Start(t, 3, 4096)
	for _, version := range []string{"3", "4.1", "4.2"} {
		t.Run(version, func(t *testing.T) {
			w := nfsWorld(t, l, version)
			server := consultest.Start(t)
			links := map[*process]*consultest.Link{}
			for _, c := range l.Clients[:2] {
				link := consultest.NewLink(t, server)
				w.consul = []string{l.Relay(link.Addr)}
				links[w.addIn(c, longLease)] = link
			}
			w.beginInGuests()
			d := w.drops()
			stop := make(chan struct{})
			ended := d.stream(1, stop) // guests import a few in a second
			faults := []func(victim *process){
				func(p *process) { p.kill(); time.Sleep(upTo(time.Second)); p.start() },
				func(p *process) {
					p.signal(syscall.SIGSTOP)
					time.Sleep(upTo(4 * time.Second))
					p.signal(syscall.SIGCONT)
				},
				func(p *process) { links[p].Cut(); time.Sleep(upTo(6 * time.Second)); links[p].Mend() },
				func(*process) { restartServer(l) },
			}
			for i := range rounds(t, len(faults)) {
				w.nfsRound(d, i, faults[i%len(faults)])
			}
			close(stop)
			<-ended
			d.awaitTaken(patience)
			d.audit(t)
			for _, p := range w.nodes {
				p.stop()
			}
		})
	}
}

// nfsRound does one fault to a node at a random moment, and waits until what was dropped then is taken.
func (w *world) nfsRound(d *drops, i int, fault func(*process)) {
	w.t.Helper()
	time.Sleep(upTo(700 * time.Millisecond))
	victim := w.nodes[rand.IntN(len(w.nodes))]
	names := d.some(takenOver / 4)
	begin := time.Now()
	fault(victim)
	within(w.t, 2*patience, "what was dropped before the fault is taken", func() bool { time.Sleep(100 * time.Millisecond); return d.noneLeft(names) }, w)
	w.note("round %d, %s: taken after %v", i, victim.id, time.Since(begin))
	within(w.t, patience, victim.id+" is ready", victim.ready, victim.log)
}

// restartServer starts the server's threads anew; then it waits for the clients that it knew.
func restartServer(l *nfslab.Lab) {
	l.Server.Call("StopServer", guest.None{}, &guest.None{})
	time.Sleep(upTo(3 * time.Second))
	l.Server.Call("StartServer", true, &guest.None{})
}
