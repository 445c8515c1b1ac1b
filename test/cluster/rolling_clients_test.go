package cluster_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hotfolderd/leases/consul/consultest"
)

// TestRolling_clientsSeeNoErrorWhenNodesJoinAndLeave goes from two nodes to three and back, while clients write and read through
// one after the other, as a balancer does that knows nothing: what fails is tried once more at the next node.
func TestRolling_clientsSeeNoErrorWhenNodesJoinAndLeave(t *testing.T) {
	t.Parallel()
	w := newWorld(t, []string{consultest.Start(t).Addr}, 3)
	a, b, c := w.nodes[0], w.nodes[1], w.nodes[2]
	for _, p := range []*process{a, b} {
		p.start()
	}
	w.awaitWhole(a, b)
	d, stop := w.drops(), make(chan struct{})
	ended := d.stream(30, stop)
	var load sync.WaitGroup
	clients := make([]*roundRobin, 3)
	for n := range clients {
		clients[n] = &roundRobin{w: w, name: fmt.Sprintf("robin/%d.txt", n), n: n}
		load.Go(func() { clients[n].run(stop) })
	}
	t.Cleanup(load.Wait) // also when the test fails
	for range 2 {
		c.start()
		w.awaitWhole(a, b, c)
		if _, err := c.hotfolderd("drain", "--deadline", "20s"); err != nil {
			t.Errorf("drain: %v", err)
		}
		if err := c.wait(); err != nil {
			t.Errorf("c: want an orderly end, got %v\n%s", err, c.log)
		}
		w.awaitWhole(a, b)
	}
	c.start()
	w.awaitWhole(a, b, c)
	a.stop() // the one that has the duties
	w.awaitWhole(b, c)
	close(stop)
	<-ended
	load.Wait()
	d.awaitGone(time.Minute)
	d.audit(t)
	for _, r := range clients {
		t.Logf("%s: %d requests, %d tried again, %d failed, %d while Consul was slow", r.name, r.asked.Load(), r.again.Load(), r.failed.Load(), r.noise.Load())
		if r.asked.Load() < 5 || r.failed.Load() > 0 {
			t.Errorf("%s: %d of %d requests failed", r.name, r.failed.Load(), r.asked.Load())
		}
	}
}

// roundRobin is a client that takes one node after the other.
type roundRobin struct {
	w                           *world
	name                        string
	n                           int
	asked, again, failed, noise atomic.Int64
}

// run writes, and reads that back elsewhere, until stop.
func (r *roundRobin) run(stop chan struct{}) {
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		case <-r.w.t.Context().Done():
			return
		default:
		}
		body := fmt.Sprint("version ", n)
		put, ok := r.ask(http.MethodPut, "", body, http.StatusCreated)
		if !ok {
			continue
		}
		if got, ok := r.ask(http.MethodGet, put.index, "", http.StatusOK); ok && got.body != body {
			r.failed.Add(1)
			r.w.t.Errorf("%s: want %s, got %v", r.name, body, got)
		}
	}
}

// ask tries two nodes.
func (r *roundRobin) ask(method, index, body string, want int) (got reply, ok bool) {
	r.asked.Add(1)
	r.n++
	var told []string
	for try := range 2 {
		p := r.w.nodes[(r.n+try)%len(r.w.nodes)]
		got, err := p.do(method, "/v1/assets/"+r.name, index, body)
		if err == nil && got.status == want {
			return got, true
		}
		r.again.Add(1)
		told = append(told, fmt.Sprintf("%s %s: %v, %v", time.Now().Format("05.000"), p.id, got, err))
	}
	if strings.Contains(fmt.Sprint(told), "Consul does not answer") {
		r.noise.Add(1) // the machine was busy for more than 3 s
		return reply{}, false
	}
	r.failed.Add(1)
	r.w.t.Errorf("%s %s with index %q failed at two nodes:\n%v", method, r.name, index, told)
	return reply{}, false
}
