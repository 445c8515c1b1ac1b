//go:build chaos

package cluster_test

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"hotfolderd/leases/consul/consultest"
)

// TestChaos_aNodeThatMissedManyChanges has a node cache names, takes it away while others change them thousands of times, and
// looks whether it ever serves what was before: by an index as soon as it answers, without one as soon as it is ready.
// HOTFOLDERD_AWAY is for how many seconds at least, HOTFOLDERD_CHANGES how many changes it misses.
func TestChaos_aNodeThatMissedManyChanges(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"stopped", "cut off"} {
		t.Run(how, func(t *testing.T) {
			server := consultest.Start(t)
			link := consultest.NewLink(t, server)
			w := newWorld(t, []string{server.Addr}, 2, shortTTL)
			w.consul = []string{link.Addr}
			w.add("c", "", shortTTL)
			w.begin()
			w.awaitWhole(w.nodes...)
			m := &missed{w: w, names: 50}
			m.change(m.names, w.nodes[0])
			m.change(m.names, w.nodes[1]) // a second version: only names with a past are announced
			c := w.nodes[2]
			for n := range m.names {
				c.fetch(m.name(n), m.index[n]) // it is cached now
			}
			gone := time.Now()
			leave, back := link.Cut, link.Mend
			if how == "stopped" {
				leave, back = func() { c.signal(syscall.SIGSTOP) }, func() { c.signal(syscall.SIGCONT) }
			}
			leave()
			w.awaitWhole(w.nodes[:2]...)
			m.change(env(t, "HOTFOLDERD_CHANGES", 1000), w.nodes[:2]...)
			time.Sleep(time.Until(gone.Add(time.Duration(env(t, "HOTFOLDERD_AWAY", 5)) * time.Second)))
			back()
			away := time.Since(gone)
			m.neverOlder(c)
			w.awaitWhole(w.nodes...)
			for n := range m.names {
				if r := c.fetch(m.name(n), ""); r.body != m.body(n) {
					t.Errorf("%s: it is ready and serves %v; want %q", m.name(n), r, m.body(n))
				}
			}
			t.Logf("%d changes in %v; then %d reads with an index were refused", m.made, away.Round(time.Millisecond), m.refused)
		})
	}
}

// missed are names and what they stand for.
type missed struct {
	w       *world
	names   int
	made    int
	version []int
	index   []string
	refused int
}

func (m *missed) name(n int) string { return "away/" + strconv.Itoa(n) + ".txt" }

func (m *missed) body(n int) string { return fmt.Sprintf("%d version %d", n, m.version[n]) }

// change writes the names in turn, each in its order, many side by side.
func (m *missed) change(times int, at ...*process) {
	m.w.t.Helper()
	if m.version == nil {
		m.version, m.index = make([]int, m.names), make([]string, m.names)
	}
	var wg sync.WaitGroup
	var failed atomic.Int64
	for n := range m.names {
		wg.Go(func() {
			for i := n; i < times && failed.Load() == 0; i += m.names {
				m.version[n]++
				r, err := at[i%len(at)].do(http.MethodPut, "/v1/assets/"+m.name(n), "", m.body(n))
				if err != nil || r.status != http.StatusCreated {
					m.w.t.Errorf("put %s: %v, %v", m.name(n), r, err)
					failed.Add(1)
				}
				m.index[n] = r.index
			}
		})
	}
	wg.Wait()
	m.made += times
}

// neverOlder reads every name with the index of its last write, as soon as the node answers. It may refuse.
func (m *missed) neverOlder(p *process) {
	m.w.t.Helper()
	for n := range m.names {
		within(m.w.t, awaitDrops, p.id+" answers for "+m.name(n), func() bool {
			r, err := p.do(http.MethodGet, "/v1/assets/"+m.name(n), m.index[n], "")
			switch {
			case err == nil && r.status == http.StatusOK:
				if r.body != m.body(n) {
					m.w.t.Errorf("%s with the index %s: want %q, got %v", m.name(n), m.index[n], m.body(n), r)
				}
				return true
			case err == nil && r.status != http.StatusServiceUnavailable:
				m.w.t.Errorf("%s: %v", m.name(n), r)
				return true
			}
			m.refused++
			return false
		}, m.w)
	}
}
