package cluster_test

import (
	"net/http"
	"path/filepath"
	"testing"

	"hotfolderd/leases/consul/consultest"
)

// mustAdopt gives the store to the nodes of p's settings.
func (p *process) mustAdopt(words ...string) {
	p.t.Helper()
	out, err := p.hotfolderd("cluster", "adopt")
	if err != nil {
		p.t.Fatalf("adopt: %v\n%s", err, out)
	}
	says(p.t, out, words...)
}

// Nodes of two clusters know nothing of each other, so a store serves one of them until people say otherwise.
func TestStart_aStoreBelongsToOneCluster(t *testing.T) {
	t.Parallel()
	servers := []*consultest.Server{consultest.Start(t), consultest.Start(t)}
	w := newWorld(t, []string{servers[0].Addr}, 1)
	a := w.nodes[0]
	namespace := "namespace: " + consultest.Namespace(t)
	elsewhere := w.twin(a, namespace, namespace+"-2")
	other := w.twin(a, servers[0].Addr, servers[1].Addr)
	a.start()
	a.awaitReady()
	says(t, elsewhere.refused(exitSettings), "belongs to another cluster", consultest.Namespace(t), "-2", "hotfolderd cluster adopt")
	says(t, other.refused(exitSettings), "belongs to another cluster", "its data were lost", "hotfolderd cluster adopt")
	write(t, filepath.Join(w.dir, "file"), "bytes")
	if out, err := elsewhere.hotfolderd("put", filepath.Join(w.dir, "file"), "name"); err == nil {
		t.Errorf("a command with the settings of another cluster changed the store: %s", out)
	}
	if out, err := other.hotfolderd("cluster", "adopt"); err == nil {
		t.Errorf("the store was taken from under a running node: %s", out)
	}
	a.stop()

	other.mustAdopt("belongs to the cluster", "now")
	other.mustAdopt("already")
	other.start()
	other.awaitReady()
	says(t, a.refused(exitSettings), "belongs to another cluster")
	if out, err := other.hotfolderd("put", filepath.Join(w.dir, "file"), "name"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	other.stop()
}

// A Consul that forgot all has to be told which store is its own; the epoch of the tokens lives on the store, and grows.
func TestStart_afterConsulsDataWereLost(t *testing.T) {
	t.Parallel()
	server := consultest.Start(t)
	w := newWorld(t, []string{server.Addr}, 2)
	a, b := w.nodes[0], w.nodes[1]
	lose := func() {
		t.Helper()
		if _, err := server.Client(t).KV().DeleteTree(w.root(), nil); err != nil {
			t.Fatal(err)
		}
	}
	a.start()
	a.awaitReady()
	lose()
	b.start() // while a puts back what was lost
	b.awaitReady()
	w.awaitWhole(a, b)
	a.stop()
	b.stop()
	lose()
	says(t, a.refused(exitSettings), "its data were lost", "hotfolderd cluster adopt")
	a.mustAdopt("now")
	a.start()
	b.start()
	w.awaitWhole(a, b)
}

// A cluster takes the store of a node that was alone; back again it must be said. On a bucket no lock keeps them apart.
func TestStart_aloneAndTogetherOnABucket(t *testing.T) {
	t.Parallel()
	onBuckets(t, func(t *testing.T, w *world) {
		w.consul = []string{consultest.Start(t).Addr}
		a := w.add("a", "")
		alone := w.twin(a, "consul: ["+w.consul[0]+"]", "consul: []")
		alone.start()
		alone.awaitReady()
		alone.stop()
		a.start()
		a.awaitReady()
		says(t, alone.refused(exitSettings), "belongs to another cluster", "alone")
		if out, err := alone.hotfolderd("cluster", "adopt"); err == nil || !has(out, "stop all nodes") {
			t.Errorf("the store was taken from under a running node: %s", out)
		}
		a.stop()
		alone.mustAdopt("nodes that are alone", "now")
		alone.start()
		alone.awaitReady()
		if r, err := alone.do(http.MethodGet, "/v1/cluster", "", ""); err != nil || r.status != http.StatusNotImplemented {
			t.Errorf("a node that is alone about its cluster: %v, %v", r, err)
		}
	})
}
