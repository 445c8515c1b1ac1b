package node

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"hotfolderd/asset"
	"hotfolderd/config"
)

// eager takes every drop at the first look that proves it; the benchmarks' files are proven.
func eager(r *config.Rule) { r.Complete.Settle = config.Duration(time.Minute) }

func benchFiles(b *testing.B, dir string, n, size int) {
	b.Helper()
	if err := os.MkdirAll(dir, 0o777); err != nil {
		b.Fatal(err)
	}
	for i := range n {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%06d.jpg", i)), jpeg(size, uint64(i)), 0o666); err != nil {
			b.Fatal(err)
		}
	}
	unix.Sync()
}

// floor is what the disk gives: the same bytes created, written and fsynced by many at once, nothing else.
func floor(b *testing.B, dir string, n, size, writers int) float64 {
	b.Helper()
	if err := os.MkdirAll(dir, 0o777); err != nil {
		b.Fatal(err)
	}
	data := jpeg(size, 0)
	begin := time.Now()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				f, err := os.Create(filepath.Join(dir, fmt.Sprint(i)))
				if err == nil {
					_, err = f.Write(data)
				}
				if err == nil {
					err = f.Sync()
				}
				if err != nil {
					b.Error(err)
					return
				}
				f.Close()
			}
		})
	}
	wg.Wait()
	return float64(n) / time.Since(begin).Seconds()
}

// BenchmarkImports is imports per second of 10,000 files of 100 KB, fully durable, beside the floor of the same run.
func BenchmarkImports(b *testing.B) {
	const size = 100_000
	n := benchN(10_000)
	for b.Loop() {
		dir := b.TempDir()
		benchFiles(b, filepath.Join(dir, "hotfolders", "inbox"), n, size)
		begin := time.Now()
		r := start(b, options(b, dir, rule("inbox", eager)))
		within(b, 5*time.Minute, "all imported", func() bool { return r.room.Status() != nil && r.room.Status()[0].Counts.Imported == uint64(n) })
		got := float64(n) / time.Since(begin).Seconds()
		r.end()
		unix.Sync()
		low := max(floor(b, filepath.Join(b.TempDir(), "f8"), n, size, 8), floor(b, filepath.Join(b.TempDir(), "f64"), n, size, 64))
		b.ReportMetric(got, "imports/s")
		b.ReportMetric(low, "floor/s")
		b.ReportMetric(100*got/low, "%of-floor")
	}
}

// BenchmarkLatency is the time from the rename into the hotfolder to the catalog entry being durable, at 200 files a second.
func BenchmarkLatency(b *testing.B) {
	const n, every = 2000, 5 * time.Millisecond
	for b.Loop() {
		dir := b.TempDir()
		o := options(b, dir, rule("inbox", eager))
		var mu sync.Mutex
		sent, took := map[asset.Key]time.Time{}, []time.Duration{}
		r := start(b, o)
		within(b, time.Minute, "watching", func() bool { return len(r.room.Status()) == 1 && r.room.Status()[0].Watching == "events" })
		ctx := b.Context()
		events := r.feed.Subscribe(ctx, 0)
		go func() {
			tick := time.NewTicker(every)
			defer tick.Stop()
			for i := range n {
				<-tick.C
				name := fmt.Sprintf("%06d.jpg", i)
				tmp := filepath.Join(dir, name)
				if err := os.WriteFile(tmp, jpeg(100_000, uint64(i)), 0o666); err != nil {
					b.Error(err)
				}
				mu.Lock()
				sent[asset.Key(name)] = time.Now()
				mu.Unlock()
				if err := os.Rename(tmp, r.inbox(name)); err != nil {
					b.Error(err)
				}
			}
		}()
		for len(took) < n {
			e, ok := <-events
			if !ok {
				b.Fatal("the feed ended")
			}
			if e.Result == asset.Imported {
				mu.Lock()
				took = append(took, e.Time.Sub(sent[e.Key]))
				mu.Unlock()
			}
		}
		slices.Sort(took)
		b.ReportMetric(float64(took[n/2].Microseconds())/1000, "p50-ms")
		b.ReportMetric(float64(took[n*99/100].Microseconds())/1000, "p99-ms")
		r.end()
	}
}

// benchN is n, or what HOTFOLDERD_BENCH_FILES says for a quick look.
func benchN(n int) int {
	if v, err := strconv.Atoi(os.Getenv("HOTFOLDERD_BENCH_FILES")); err == nil {
		return v
	}
	return n
}
