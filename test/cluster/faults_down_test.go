package cluster_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"hotfolderd/leases/consul/consultest"
)

// TestFaults_withoutConsulImportsWaitAndReadsGoOn kills all servers of Consul for a while.
func TestFaults_withoutConsulImportsWaitAndReadsGoOn(t *testing.T) {
	t.Parallel()
	servers := consultest.StartCluster(t)
	w := newWorld(t, addresses(servers), 3, shortLease)
	w.begin()
	d := w.drops()
	first := d.drop()
	d.awaitTaken(20 * time.Second)
	stop := make(chan struct{})
	ended := d.stream(30, stop)
	reads := w.readAll("inbox/"+first, stop)
	away := 5 * time.Second
	if chaos() {
		away = time.Minute
	}
	down := span{from: time.Now()}
	for _, s := range servers {
		s.Kill()
	}
	time.Sleep(away)
	down.to = time.Now()
	restart(t, servers)
	for _, p := range w.nodes {
		within(t, 30*time.Second, p.id+" imports again", p.importing, w)
	}
	close(stop)
	<-ended
	<-reads
	d.awaitTaken(time.Minute)
	d.audit(t)
	commits := w.commits()
	for _, c := range commits {
		if at := c.Sub(down.from); at > 3*time.Second && c.Before(down.to) {
			t.Errorf("something was imported %v after Consul went", at)
		}
	}
	t.Logf("Consul was away for %v; longest time without an import %v", down.to.Sub(down.from), longestGap(commits, down.from.Add(-time.Second), down.to))
}

// restart starts killed servers side by side: none has a leader before the others are there.
func restart(t *testing.T, servers []*consultest.Server) {
	var all sync.WaitGroup
	for _, s := range servers {
		all.Go(func() { s.Restart(t) })
	}
	all.Wait()
}

// importing reports whether the node says that it imports.
func (p *process) importing() bool {
	var c struct{ Importing bool }
	return p.get("/v1/cluster", &c) && c.Importing
}

// readAll reads a name from every node until stop is closed, and wants it every time.
func (w *world) readAll(name string, stop <-chan struct{}) (ended chan struct{}) {
	ended = make(chan struct{})
	go func() {
		defer close(ended)
		n := 0
		for ; ; n++ {
			select {
			case <-stop:
				w.t.Logf("%d reads of each node", n)
				return
			case <-time.After(50 * time.Millisecond):
			}
			for _, p := range w.nodes {
				if r, err := p.do(http.MethodGet, "/v1/assets/"+name, "", ""); err != nil || r.status != http.StatusOK {
					w.t.Errorf("%s: want %s read all the time, got %v, %v", p.id, name, r, err)
				}
			}
		}
	}()
	return ended
}
