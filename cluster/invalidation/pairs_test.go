package invalidation

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/leases/consul/consultest"
)

// originStore is what all nodes share: a name and the number of its newest version.
type originStore struct {
	mu    sync.Mutex
	names map[asset.Key]int
}

func (o *originStore) read(n asset.Key) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.names[n]
}

func (o *originStore) write(n asset.Key) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.names[n]++
	return o.names[n]
}

// pairCache is a node's cache as it should be: a fill that raced with a forgetting is not kept.
type pairCache struct {
	mu     sync.Mutex
	values map[uint64]int
	age    map[uint64]int // of each mark
	all    int
	hits   int
}

func (c *pairCache) forget(marks []uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range marks {
		delete(c.values, m)
		c.age[m]++
	}
}

func (c *pairCache) forgetAll(string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.values)
	c.all++
}

func (c *pairCache) read(n asset.Key, from *originStore) int {
	mark := n.Mark()
	c.mu.Lock()
	v, ok := c.values[mark]
	age, all := c.age[mark], c.all
	if ok {
		c.hits++
	}
	c.mu.Unlock()
	if ok {
		return v
	}
	v = from.read(n)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.age[mark] == age && c.all == all {
		c.values[mark] = v
	}
	return v
}

// TestIndex_isNeverReadOlder writes on one node and reads on another with the index, 20,000 times, while other readers keep the
// caches full.
func TestIndex_isNeverReadOlder(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	h, shared := newHouse(t), &originStore{names: map[asset.Key]int{}}
	var members []*member
	var caches []*pairCache
	for _, id := range []string{"a", "b", "c"} {
		c := &pairCache{values: map[uint64]int{}, age: map[uint64]int{}}
		caches = append(caches, c)
		members = append(members, h.add(s.Dial(t), id, func(o *Options) { o.Forget, o.ForgetAll = c.forget, c.forgetAll }).run())
	}
	const workers, names = 64, 50
	each := 313
	if testing.Short() {
		each = 50
	}
	var all sync.WaitGroup
	var stale, pairs atomic.Int64
	for range workers {
		all.Go(func() {
			for range each {
				from, to := rand.IntN(3), rand.IntN(3)
				key := name("p/%d", rand.IntN(names))
				end, err := members[from].Begin(h.ctx(20*time.Second), key)
				if err != nil {
					t.Error(err)
					return
				}
				caches[to].read(key, shared)
				want := shared.write(key)
				caches[to].read(key, shared)
				if err := end(h.ctx(20 * time.Second)); err != nil {
					t.Error(err)
				}
				text := members[from].Last().String()
				index, err := ParseIndex(text)
				if err == nil {
					err = members[to].Wait(h.ctx(20*time.Second), index)
				}
				if err != nil {
					t.Error(err)
				}
				if got := caches[to].read(key, shared); got < want {
					stale.Add(1)
				}
				pairs.Add(1)
			}
		})
	}
	all.Wait()
	if stale.Load() > 0 || int(pairs.Load()) != workers*each {
		t.Errorf("%d of %d reads were older than their index", stale.Load(), pairs.Load())
	}
	for i, c := range caches {
		if c.all != 1 || c.hits < 1000 {
			t.Errorf("cache %d: %d hits, forgot everything %d times", i, c.hits, c.all)
		}
	}
}
