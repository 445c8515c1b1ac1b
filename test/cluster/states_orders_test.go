package cluster_test

import (
	"fmt"
	"testing"

	"hotfolderd/leases/consul/consultest"
)

// orders are all ways to put three nodes in a row.
var orders = [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}

// TestOrders_allEndInTheSameCluster starts and stops three nodes in every order, with drops coming all the time.
func TestOrders_allEndInTheSameCluster(t *testing.T) {
	t.Parallel()
	w := newWorld(t, []string{consultest.Start(t).Addr}, 0)
	for n, priority := range []int{30, 70, 50} {
		w.add(string(rune('a'+n)), fmt.Sprint(", priority: ", priority))
	}
	d, stop := w.drops(), make(chan struct{})
	ended := d.stream(20, stop)
	for n, order := range orders {
		for i, node := range order {
			w.nodes[node].start()
			if i == n%3 { // some come together, some one after the other
				w.nodes[node].awaitReady()
			}
		}
		w.awaitFair(w.nodes...)
		for _, p := range w.nodes {
			v := p.view()
			if v.states() != "a:active b:active c:active" || v.Main != "b" || !v.Writable || !v.Importing || len(v.Drift) > 0 {
				t.Errorf("order %v, node %s: %+v", order, p.id, v)
			}
		}
		for _, node := range orders[len(orders)-1-n] {
			w.nodes[node].stop()
		}
	}
	close(stop)
	<-ended
	w.begin()
	d.awaitTaken(awaitDrops)
	d.audit(t)
}
