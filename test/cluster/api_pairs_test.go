package cluster_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hotfolderd/leases/consul/consultest"
)

func TestAPI_aReadWithTheIndexIsNeverOlder(t *testing.T) {
	t.Parallel()
	readPairs(t, env(t, "HOTFOLDERD_PAIRS", 2000))
}

// readPairs writes names through one node and reads each at once through the two others, which have in memory what was there before.
func readPairs(t *testing.T, pairs int) {
	w := newWorld(t, []string{consultest.Start(t).Addr}, 3)
	for _, p := range w.nodes {
		p.logsAll()
	}
	w.begin()
	w.awaitWhole(w.nodes...)
	const writers = 10
	var stale, busy atomic.Int64
	var plain looks
	var waited latencies
	var wg sync.WaitGroup
	begin := time.Now()
	for n := range writers {
		wg.Go(func() {
			o := owner{w: w, plain: &plain, waited: &waited, there: map[string]bool{}, name: fmt.Sprintf("pairs/%d", n)}
			for range pairs / writers {
				if !o.pair() {
					stale.Add(1)
				}
			}
			busy.Add(o.busy)
		})
	}
	wg.Wait()
	t.Logf("%d writes, each read on both other nodes, in %v; %d times a node was not up to it; of half as many reads with the index, sent at once, the answer came %s",
		pairs, time.Since(begin).Round(time.Millisecond), busy.Load(), waited.told("after"))
	plain.judge(t)
	for _, p := range w.nodes {
		m := p.memory()
		t.Logf("%s: %s", p.id, m)
		if r := m.of("records"); r.Hits == 0 || r.Misses == 0 || m.of("assets").Hits == 0 {
			t.Errorf("%s: want some of that from memory and some not", p.id)
		}
	}
	if stale.Load() > 0 || busy.Load() > int64(pairs/10) {
		t.Errorf("%d of %d reads were older than the write whose index they sent", stale.Load(), pairs)
	}
}

// owner is the only writer of a few names, so it knows what each stands for.
type owner struct {
	w      *world
	name   string
	n      int
	there  map[string]bool // names that stand for something
	plain  *looks          // reads without an index
	waited *latencies      // of reads with one, which is the time that the invalidation takes, and no less
	busy   int64           // answers 503, as of a node that has not heard from Consul for a while: no promise is broken
}

// pair writes and reads once; now and then it removes. false: the read was older.
func (o *owner) pair() bool {
	o.n++
	order := rand.Perm(len(o.w.nodes))
	at, other, third := o.w.nodes[order[0]], o.w.nodes[order[1]], o.w.nodes[order[2]]
	name, body := fmt.Sprintf("%s/%d.txt", o.name, o.n%7), fmt.Sprintf("%s version %d", o.name, o.n)
	index, err := at.do(http.MethodPut, "/v1/assets/"+name, "", body)
	answered := time.Now()
	if o.isBusy(index) || o.isUnknown(index, err) {
		return true
	}
	if err != nil || index.status != http.StatusCreated || index.index == "" {
		o.w.t.Errorf("%s: put %s: %v, %v", at.id, name, index, err)
		return true
	}
	ok, replaced := true, o.there[name]
	if o.there[name] = true; o.n%2 == 0 && replaced {
		o.plain.add(o.look(third, name, body, index.index, answered))
	} else {
		begin := time.Now()
		ok = o.reads(third, name, index.index, http.StatusOK, body)
		o.waited.add(time.Since(begin))
	}
	ok = o.reads(other, name, index.index, http.StatusOK, body) && o.reads(third, name, index.index, http.StatusOK, body) && ok
	if o.n%10 == 0 {
		gone, err := other.do(http.MethodDelete, "/v1/assets/"+name, "", "")
		if o.isBusy(gone) || o.isUnknown(gone, err) {
			return ok
		}
		delete(o.there, name)
		if err != nil || gone.status != http.StatusNoContent {
			o.w.t.Errorf("%s: delete %s: %v, %v", other.id, name, gone, err)
		}
		ok = o.reads(third, name, gone.index, http.StatusNotFound, "") && ok
	}
	return ok
}

func (o *owner) isBusy(r reply) bool {
	if r.status == http.StatusServiceUnavailable {
		o.busy++
		time.Sleep(100 * time.Millisecond) // not to ask in a tight circle
	}
	return r.status == http.StatusServiceUnavailable
}

// isUnknown reports whether nobody said in time what became of a change, as on a machine that is too busy. There is no index, so
// nothing was promised; whether it happens later is told by no answer, so this name is not written again.
func (o *owner) isUnknown(r reply, err error) bool {
	var late net.Error
	unknown := r.status == http.StatusGatewayTimeout || errors.As(err, &late) && late.Timeout()
	if unknown {
		o.busy++
		o.name += "'"
	}
	return unknown
}

// reads reports whether the node answers with the status and the body that were written.
func (o *owner) reads(p *process, name, index string, status int, body string) bool {
	r, err := p.do(http.MethodGet, "/v1/assets/"+name, index, "")
	if o.isBusy(r) {
		return true
	}
	ok := err == nil && r.status == status && (body == "" || r.body == body)
	if !ok {
		o.w.t.Errorf("%s: get %s with index %s: want %d %q, got %v, %v", p.id, name, index, status, body, r, err)
	}
	return ok
}

func TestAPI_aReadWithoutTheIndexComesSoon(t *testing.T) {
	t.Parallel()
	w := newWorld(t, []string{consultest.Start(t).Addr}, 3)
	w.begin()
	w.awaitWhole(w.nodes...)
	a, b := w.nodes[0], w.nodes[1]
	var longest time.Duration
	for n := range 50 {
		body := fmt.Sprint("version ", n)
		a.put("soon/one.txt", body)
		begin := time.Now()
		within(t, 5*time.Second, "b has "+body, func() bool {
			r, err := b.do(http.MethodGet, "/v1/assets/soon/one.txt", "", "")
			return err == nil && r.body == body
		}, w)
		longest = max(longest, time.Since(begin))
	}
	t.Logf("the longest of 50 took %v", longest.Round(time.Millisecond))
	a.remove("soon/one.txt")
	within(t, 5*time.Second, "b has it no more", func() bool {
		r, err := b.do(http.MethodGet, "/v1/assets/soon/one.txt", "", "")
		return err == nil && r.status == http.StatusNotFound
	}, w)
}

// An index of a start that is long gone, or none at all, must not make a reader wait for ever.
func TestAPI_oddIndexes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, []string{consultest.Start(t).Addr}, 2)
	w.begin()
	w.awaitWhole(w.nodes...)
	a, b := w.nodes[0], w.nodes[1]
	a.put("odd.txt", "one")
	index := a.put("odd.txt", "two").index
	if r := b.fetch("odd.txt", index); r.body != "two" {
		t.Errorf("want two, got %v", r)
	}
	if r := a.fetch("odd.txt", index); r.body != "two" {
		t.Errorf("want two from its own node, got %v", r)
	}
	for _, bad := range []string{"rubbish", "a:b:c", "7"} {
		r := b.must(http.StatusBadRequest, http.MethodGet, "/v1/assets/odd.txt", bad, "")
		says(t, r.body, "X-Hotfolder-Index")
	}
	a.stop()
	a.start()
	a.awaitReady()
	w.awaitWhole(a, b)
	for _, p := range w.nodes { // the log of the earlier start is closed; it was followed to its end
		if r := p.fetch("odd.txt", index); r.body != "two" {
			t.Errorf("%s: want two, got %v", p.id, r)
		}
	}
}
