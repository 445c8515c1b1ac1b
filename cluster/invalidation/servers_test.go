package invalidation

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/leases/consul/consultest"
)

// TestLog_survivesTheLossOfConsulsLeader kills the leader under a stream of changes: those that could be made are all told.
func TestLog_survivesTheLossOfConsulsLeader(t *testing.T) {
	t.Parallel()
	servers := consultest.StartCluster(t)
	h := newHouse(t)
	h.nobody.Store(true)
	members := []*member{
		h.add(consultest.Dial(t, servers...), "a").run(), h.add(consultest.Dial(t, servers...), "b").run(),
	}
	var all sync.WaitGroup
	told, stop := make([]int, len(members)), time.Now().Add(6*time.Second)
	for i, m := range members {
		all.Go(func() {
			for time.Now().Before(stop) {
				if m.change(t, name("%s/%d", m.o.Node, told[i])) {
					told[i]++
				}
			}
		})
	}
	<-h.ctx(500 * time.Millisecond).Done()
	consultest.Leader(t, servers).Kill()
	all.Wait()
	for i, m := range members {
		other := members[1-i]
		m.must(m.Wait(h.ctx(20*time.Second), other.Last()))
		if missing := m.missing(other.o.Node, told[1-i]); missing > 0 || told[1-i] < 10 {
			t.Errorf("%s has not heard of %d of %d names", m.o.Node, missing, told[1-i])
		}
		m.neverCleared()
	}
	t.Logf("%v changes", told)
}

// change makes a change if it can be announced.
func (m *member) change(t *testing.T, key asset.Key) bool {
	end, err := m.Begin(m.h.ctx(20*time.Second), key)
	if errors.Is(err, asset.ErrNotNow) {
		return false
	}
	m.must(err)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	m.must(end(ctx))
	return true
}
