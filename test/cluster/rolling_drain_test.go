package cluster_test

import (
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"hotfolderd/leases/consul/consultest"
)

// TestRolling_aNodeLeavesUnderLoad drains one node by command and stops another by SIGTERM, under a stream of drops.
func TestRolling_aNodeLeavesUnderLoad(t *testing.T) {
	t.Parallel()
	w := newWorld(t, []string{consultest.Start(t).Addr}, 3)
	w.begin()
	w.awaitWhole(w.nodes...)
	a, b, c := w.nodes[0], w.nodes[1], w.nodes[2]
	d, stop := w.drops(), make(chan struct{})
	ended, waits := d.stream(100, stop), w.watchWaits()

	drain := func(p *process) (took time.Duration) {
		begin := time.Now()
		out, err := p.hotfolderd("drain", "--deadline", "20s")
		took = time.Since(begin)
		if err != nil {
			t.Errorf("drain: %v\n%s\n%s", err, out, p.log)
		}
		says(t, out, "node "+p.id+" has left")
		if err := p.wait(); err != nil {
			t.Errorf("%s: want an orderly end, got %v\n%s", p.id, err, p.log)
		}
		return took
	}
	took := drain(b)
	held := w.awaitWhole(a, c)
	t.Logf("drained in %v, the others hold %v; longest wait of a drop %v", took.Round(time.Millisecond), held, waits.longest())
	b.start()
	w.awaitWhole(a, b, c)
	t.Logf("and back: longest wait of a drop %v", waits.longest())

	begin := time.Now()
	c.signal(syscall.SIGTERM)
	if err := c.wait(); err != nil {
		t.Errorf("c: want an orderly end, got %v\n%s", err, c.log)
	}
	took = time.Since(begin)
	held = w.awaitWhole(a, b)
	t.Logf("stopped in %v, the others hold %v; longest wait of a drop %v", took.Round(time.Millisecond), held, waits.longest())

	drain(b) // and the last one has everything
	w.awaitWhole(a)
	close(stop)
	<-ended
	d.awaitGone(time.Minute)
	waits.end()
	d.audit(t)
	t.Logf("to the end: longest wait of a drop %v", waits.longest())
	for _, p := range w.nodes {
		if p.log.has(`"level":"error"`) || p.log.has("partitions lost") {
			t.Errorf("%s:\n%s", p.id, p.log)
		}
	}
}

// waits watches how long drops lie in the hotfolder.
type waits struct {
	mu      sync.Mutex
	most    time.Duration
	stop    chan struct{}
	ended   sync.WaitGroup
	stopped sync.Once
}

func (w *world) watchWaits() *waits {
	all := &waits{stop: make(chan struct{})}
	all.ended.Go(func() {
		for tick := time.NewTicker(20 * time.Millisecond); ; {
			select {
			case <-all.stop:
				tick.Stop()
				return
			case <-tick.C:
				all.look(filepath.Dir(w.inbox("x")))
			}
		}
	})
	w.t.Cleanup(all.end)
	return all
}

func (w *waits) end() {
	w.stopped.Do(func() { close(w.stop) })
	w.ended.Wait()
}

func (w *waits) look(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if st, err := e.Info(); err == nil && e.Name() != ".keep" {
			w.mu.Lock()
			w.most = max(w.most, time.Since(st.ModTime()))
			w.mu.Unlock()
		}
	}
}

// longest is how long any drop lay there since this was asked last.
func (w *waits) longest() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	most := w.most
	w.most = 0
	return most.Round(time.Millisecond)
}
