package cluster_test

import (
	"testing"
	"time"

	"hotfolderd/leases/consul/consultest"
)

// TestFaults_aNodeCutOffFromConsulStopsBeforeOthersStart cuts one node off from Consul without a word; the others reach it as
// before.
func TestFaults_aNodeCutOffFromConsulStopsBeforeOthersStart(t *testing.T) {
	t.Parallel()
	newWorld(t, nil, 0).cutOff(t)
}

// cutOff cuts the first of three nodes off from Consul, again and again, under a stream of drops.
func (w *world) cutOff(t *testing.T) {
	t.Helper()
	server := consultest.Start(t)
	link := consultest.NewLink(t, server)
	w.consul = []string{link.Addr}
	w.add("a", "", shortLease)
	w.consul = []string{server.Addr}
	w.add("b", "", shortLease)
	w.add("c", "", shortLease)
	w.begin()
	d := w.drops()
	stop := make(chan struct{})
	ended := d.stream(50, stop)
	var offs []off
	for range rounds(t, 2) {
		offs = append(offs, w.cutRound(server, w.nodes[0], link.Cut, link.Mend))
	}
	close(stop)
	<-ended
	d.awaitTaken(patience)
	d.audit(t)
	w.auditOffs(t, offs)
}

// off is one time that a node was cut off.
type off struct {
	node     string
	cut      time.Time
	writable time.Time // when it said so last
	taken    time.Time // when another was seen to hold one of its partitions
	mended   time.Time
}

// cutRound cuts a node off until the others have its partitions, and then for a while.
func (w *world) cutRound(server *consultest.Server, p *process, cut, mend func()) (o off) {
	w.t.Helper()
	within(w.t, 30*time.Second, p.id+" imports", p.importing, w)
	w.awaitHolds(server, p)
	time.Sleep(upTo(500 * time.Millisecond)) // a random moment
	taken := w.handover(server, p)
	o = off{node: p.id, cut: time.Now()}
	cut()
	w.note("cut off %s", p.id)
	for o.taken.IsZero() {
		select {
		case o.taken = <-taken:
		case <-time.After(5 * time.Millisecond):
		}
		if asked := time.Now(); p.writable() {
			o.writable = asked
		}
		if time.Since(o.cut) > 40*time.Second {
			w.t.Fatalf("nobody has taken the partitions of %s\n%v", p.id, w)
		}
	}
	w.note("taken after %v, writable until %v", o.taken.Sub(o.cut), o.writable.Sub(o.cut))
	time.Sleep(upTo(2 * time.Second))
	o.mended = time.Now()
	mend()
	w.note("mended %s", p.id)
	return o
}

// awaitHolds waits until each node has its equal share of the partitions, by Consul's word: one that comes back may still believe
// in those that it had, and a share that is still to move would look like one that was taken.
func (w *world) awaitHolds(server *consultest.Server, p *process) {
	w.t.Helper()
	cl := server.Client(w.t)
	within(w.t, 30*time.Second, p.id+" holds its share of the partitions", func() bool {
		member, _, err := cl.KV().Get(w.root()+"members/"+p.id, nil)
		if err != nil || member == nil {
			return false
		}
		holders, _ := w.holders(cl, nil)
		held := map[string]int{}
		for _, session := range holders {
			held[session]++
		}
		least := len(holders) / len(w.nodes)
		for _, n := range held {
			if n < least || n > least+1 {
				return false
			}
		}
		return len(held) == len(w.nodes) && held[member.Session] > 0
	}, w)
}

// writable reports whether the node says that it may write.
func (p *process) writable() bool {
	var c struct{ Writable bool }
	return p.get("/v1/cluster", &c) && c.Writable
}

// auditOffs wants that a node which was cut off stopped before another began.
func (w *world) auditOffs(t *testing.T, offs []off) {
	t.Helper()
	var stopped, taken times
	ledger := w.ledger()
	for _, o := range offs {
		stopped, taken = append(stopped, o.writable.Sub(o.cut)), append(taken, o.taken.Sub(o.cut))
		if !o.writable.Before(o.taken) {
			t.Errorf("%s said that it may write %v after the cut, and its partitions were taken after %v", o.node, o.writable.Sub(o.cut), o.taken.Sub(o.cut))
		}
		for _, r := range ledger {
			if r.Node == o.node && r.Committed.After(o.taken) && r.Committed.Before(o.mended) {
				t.Errorf("%s imported %s %v after the cut, and its partitions were taken after %v", o.node, r.Key, r.Committed.Sub(o.cut), o.taken.Sub(o.cut))
			}
		}
	}
	t.Logf("writable after the cut until: %v", stopped)
	t.Logf("partitions taken after the cut: %v", taken)
}
