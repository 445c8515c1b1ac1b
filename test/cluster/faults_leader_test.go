package cluster_test

import (
	"testing"
	"time"

	"hotfolderd/leases/consul/consultest"
)

// TestFaults_theLossOfConsulsLeaderLosesNothing kills or stops the leader of three servers, again and again.
func TestFaults_theLossOfConsulsLeaderLosesNothing(t *testing.T) {
	t.Parallel()
	newWorld(t, nil, 0).leaderless(t)
}

// leaderless takes Consul's leader from three nodes, again and again, under a stream of drops.
func (w *world) leaderless(t *testing.T) {
	t.Helper()
	servers := consultest.StartCluster(t)
	w.consul = addresses(servers)
	for _, id := range []string{"a", "b", "c"} {
		w.add(id, "")
	}
	w.begin()
	d := w.drops()
	stop := make(chan struct{})
	ended := d.stream(50, stop)
	var spans []span
	for i := range rounds(t, 2) {
		spans = append(spans, w.leaderRound(servers, i%2 == 0))
	}
	close(stop)
	<-ended
	d.awaitTaken(patience)
	d.audit(t)
	var killed, stopped times
	for i, gap := range gaps(w.commits(), spans) {
		if i%2 == 0 {
			killed = append(killed, gap)
		} else {
			stopped = append(stopped, gap)
		}
	}
	t.Logf("longest time without an import, leader killed: %v", killed)
	t.Logf("longest time without an import, leader stopped: %v", stopped)
}

// span is from when to when something was broken.
type span struct{ from, to time.Time }

// gaps are the longest times without an import in each.
func gaps(commits []time.Time, spans []span) (all times) {
	for _, s := range spans {
		all = append(all, longestGap(commits, s.from.Add(-time.Second), s.to))
	}
	return all
}

// leaderRound takes the leader away for a while.
func (w *world) leaderRound(servers []*consultest.Server, kill bool) span {
	w.t.Helper()
	consultest.Heal(w.t, servers)
	time.Sleep(upTo(500 * time.Millisecond)) // a random moment
	leader := consultest.Leader(w.t, servers)
	s := span{from: time.Now()}
	w.note("the leader goes, killed: %v", kill)
	away := 2*time.Second + upTo(4*time.Second)
	if kill {
		leader.Kill()
		time.Sleep(away)
		leader.Restart(w.t)
	} else {
		leader.Pause(w.t)
		time.Sleep(away)
		leader.Resume(w.t)
	}
	w.note("the leader is back")
	s.to = time.Now()
	return s
}

func addresses(servers []*consultest.Server) (all []string) {
	for _, s := range servers {
		all = append(all, s.Addr)
	}
	return all
}
