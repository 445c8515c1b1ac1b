package invalidation

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"

	"hotfolderd/asset"
	"hotfolderd/leases/consul/consultest"
)

const benchTime = 3 * time.Second

// BenchmarkInvalidation measures from the end of a change until both other nodes have forgotten the name, with three nodes that
// write at the given rate together. Its floor is the same Consul's put until a bare blocking query has it.
func BenchmarkInvalidation(b *testing.B) {
	s := consultest.Start(b)
	b.Run("floor", func(b *testing.B) {
		for range b.N {
			report(b, floor(b, s))
		}
	})
	for _, rate := range []int{10, 100, 1000, 10_000} {
		b.Run(fmt.Sprintf("rate=%d", rate), func(b *testing.B) {
			for range b.N {
				lags := overwrite(b, s, rate, benchTime)
				report(b, lags)
				b.ReportMetric(float64(len(lags))/benchTime.Seconds(), "events/s")
			}
		})
	}
}

func report(b *testing.B, lags []time.Duration) {
	slices.Sort(lags)
	b.ReportMetric(float64(at(lags, 0.5))/1e6, "p50-ms")
	b.ReportMetric(float64(at(lags, 0.99))/1e6, "p99-ms")
	b.ReportMetric(0, "ns/op")
}

func at(sorted []time.Duration, part float64) time.Duration {
	return sorted[min(len(sorted)-1, int(part*float64(len(sorted))))]
}

// stopwatch measures from the end of a change to the last of the nodes that hear of it.
type stopwatch struct {
	mu    sync.Mutex
	start map[uint64]time.Time
	left  map[uint64]int
	lags  []time.Duration
}

func newStopwatch() *stopwatch {
	return &stopwatch{start: map[uint64]time.Time{}, left: map[uint64]int{}}
}

func (w *stopwatch) begin(mark uint64, readers int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.start[mark], w.left[mark] = time.Now(), readers
}

func (w *stopwatch) heard(mark uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.left[mark]--; w.left[mark] == 0 {
		w.lags = append(w.lags, time.Since(w.start[mark]))
		delete(w.start, mark)
		delete(w.left, mark)
	}
}

func (w *stopwatch) open() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.start)
}

// overwrite changes names on three nodes for a while and returns how long each took to be forgotten by all.
func overwrite(t testing.TB, s *consultest.Server, rate int, d time.Duration) []time.Duration {
	t.Helper()
	h, w := newHouse(t), newStopwatch()
	h.root += fmt.Sprintf("%d/", rate)
	var members []*member
	for _, id := range []string{"a", "b", "c"} {
		m := h.add(s.Dial(t), id)
		m.onMark = w.heard
		members = append(members, m.run())
	}
	var writers sync.WaitGroup
	const tick = 2 * time.Millisecond
	begin, count := time.Now(), 0
	for ticker := time.NewTicker(tick); time.Since(begin) < d; <-ticker.C {
		for due := int(time.Since(begin).Seconds() * float64(rate)); count < due; count++ {
			m, key := members[count%len(members)], name("bench/%d/%d", rate, count)
			writers.Go(func() { m.overwrite(t, w, key, len(members)) })
		}
	}
	writers.Wait()
	consultest.Eventually(t, "all nodes have heard of all changes", func() bool { return w.open() == 0 })
	if len(w.lags) != count {
		t.Errorf("%d changes, %d heard by all", count, len(w.lags))
	}
	for _, m := range members {
		m.neverCleared()
		m.leave()
	}
	return w.lags
}

func (m *member) overwrite(t testing.TB, w *stopwatch, key asset.Key, readers int) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	end, err := m.Begin(ctx, key)
	if err != nil {
		t.Error(err)
		return
	}
	w.begin(key.Mark(), readers)
	if err := end(ctx); err != nil {
		t.Error(err)
	}
}

// floor measures a bare put until three blocking queries have it.
func floor(b *testing.B, s *consultest.Server) []time.Duration {
	w, prefix := newStopwatch(), "floor/"
	ctx, stop := context.WithCancel(context.Background())
	var readers sync.WaitGroup
	defer readers.Wait()
	defer stop()
	for range 3 {
		kv := s.Client(b).KV()
		readers.Go(func() { follow(ctx, kv, prefix, w) })
	}
	kv := s.Client(b).KV()
	for i := range 200 {
		w.begin(uint64(i), 3)
		if _, err := kv.Put(&api.KVPair{Key: prefix + "key", Flags: uint64(i), Value: make([]byte, 64)}, nil); err != nil {
			b.Fatal(err)
		}
		consultest.Eventually(b, "the put was seen", func() bool { return w.open() == 0 })
	}
	return w.lags
}

func follow(ctx context.Context, kv *api.KV, prefix string, w *stopwatch) {
	for index := uint64(0); ctx.Err() == nil; {
		pairs, meta, err := kv.List(prefix, (&api.QueryOptions{WaitIndex: index, WaitTime: time.Second}).WithContext(ctx))
		if err != nil {
			continue
		}
		if meta.LastIndex != index && len(pairs) > 0 {
			w.heard(pairs[0].Flags)
		}
		index = meta.LastIndex
	}
}
