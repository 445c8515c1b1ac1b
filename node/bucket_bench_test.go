package node

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/config"
	"hotfolderd/storage"
	"hotfolderd/storage/s3/s3test"
)

// onBuckets runs a benchmark on both servers, each with the kind of bucket that one would choose there.
func onBuckets(b *testing.B, bench func(b *testing.B, server *s3test.Server, bucket string)) {
	b.Run("minio", func(b *testing.B) {
		s := s3test.MinIO(b)
		bench(b, s, s.VersionedBucket(b))
	})
	b.Run("versitygw", func(b *testing.B) {
		s := s3test.VersityGW(b)
		bench(b, s, s.Bucket(b))
	})
}

// inBench is a node on a bucket, and the store as people have it.
func inBench(b *testing.B, url string, change func(*config.Rule)) (Options, *OpenedStore) {
	b.Helper()
	o := bucketOptions(b, url)
	o.Settings.Storage.AcceptRisk = true
	o.Rules = fixedRules{rule("inbox", change)}
	people, err := OpenStore(b.Context(), o.Settings.Storage, url, false)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { people.Close() })
	return o, people
}

// putMany puts n objects, so many at a time, and tells how many that were in a second. It is the bare client's PUT and nothing else.
func putMany(b *testing.B, s storage.Store, at string, n, size, writers int) float64 {
	b.Helper()
	begin := time.Now()
	var next atomic.Int64
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				data := bytes.NewReader(jpeg(size, uint64(i)))
				if _, err := s.Put(b.Context(), asset.Key(fmt.Sprintf("%s/%06d.jpg", at, i)), data, storage.PutOptions{Brief: true}); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	return float64(n) / time.Since(begin).Seconds()
}

// BenchmarkBucketImports is imports per second of 2,000 objects of 100 KB, beside the floor of the same run: the same PUTs at the same
// parallelism.
func BenchmarkBucketImports(b *testing.B) {
	onBuckets(b, func(b *testing.B, server *s3test.Server, bucket string) {
		n, round := benchN(2000), 0
		for b.Loop() {
			round++
			o, people := inBench(b, server.URL(bucket, fmt.Sprint(round)), eager)
			workers := o.Settings.Import.Workers
			low := putMany(b, people, "hotfolders/inbox", n, 100_000, workers)
			begin := time.Now()
			r := start(b, o)
			within(b, 10*time.Minute, "all imported", func() bool { return len(r.room.Status()) == 1 && r.room.Status()[0].Counts.Imported == uint64(n) })
			got := float64(n) / time.Since(begin).Seconds()
			r.end()
			b.ReportMetric(got, "imports/s")
			b.ReportMetric(low, "floor/s")
			b.ReportMetric(100*got/low, "%of-floor")
		}
	})
}

// BenchmarkBucketLatency is the time from a PUT's answer to imported, with 100,000 keys beside the drops that stay there, with
// notifications and without.
func BenchmarkBucketLatency(b *testing.B) {
	server := s3test.MinIO(b)
	bucket := server.VersionedBucket(b)
	lying := func(r *config.Rule) { r.Match.Exclude = []string{"lying/**"} }
	_, people := inBench(b, server.URL(bucket, ""), lying)
	putMany(b, people, "hotfolders/inbox/lying", benchN(100_000), 200, 32)
	for _, how := range []string{"auto", "poll"} {
		b.Run(how, func(b *testing.B) {
			for b.Loop() {
				o, people := inBench(b, server.URL(bucket, ""), func(r *config.Rule) { lying(r); r.Complete.Watch = how })
				r := start(b, o)
				within(b, 5*time.Minute, "watching", func() bool {
					s := r.room.Status()
					return len(s) == 1 && s[0].Watching != "" && !s[0].LastScan.IsZero()
				})
				took := latencies(b, r, people, how)
				r.end()
				slices.Sort(took)
				b.ReportMetric(float64(took[len(took)/2].Milliseconds()), "p50-ms")
				b.ReportMetric(float64(took[len(took)*99/100].Milliseconds()), "p99-ms")
			}
		})
	}
}

// latencies drops one object after the other, each with a later name.
func latencies(b *testing.B, r *running, people storage.Store, run string) (took []time.Duration) {
	b.Helper()
	events := r.feed.Subscribe(b.Context(), 0)
	for i := range 20 {
		key := asset.Key(fmt.Sprintf("z-%s-%d-%06d.jpg", run, time.Now().UnixNano(), i))
		if _, err := people.Put(b.Context(), "hotfolders/inbox/"+key, bytes.NewReader(jpeg(100_000, rand.Uint64())), storage.PutOptions{}); err != nil {
			b.Fatal(err)
		}
		begin := time.Now()
		for e := range events {
			if e.Key == key && e.Result == asset.Imported {
				break
			}
		}
		took = append(took, time.Since(begin))
		time.Sleep(rand.N(200 * time.Millisecond))
	}
	return took
}

// BenchmarkBucketIdle is how many requests an idle node makes in an hour, as counted in a minute.
func BenchmarkBucketIdle(b *testing.B) {
	const span = time.Minute
	server := s3test.MinIO(b)
	bucket := server.VersionedBucket(b)
	for b.Loop() {
		proxy := s3test.NewProxy(b, server)
		o, _ := inBench(b, proxy.URL(bucket, ""), func(*config.Rule) {})
		start(b, o)
		time.Sleep(20 * time.Second) // until nothing is new
		proxy.Reset()
		time.Sleep(span)
		b.ReportMetric(float64(proxy.Count(""))*float64(time.Hour/span), "requests/h")
	}
}

// BenchmarkBucketLarge imports one object of 5 GB and tells the most memory that was in use meanwhile.
func BenchmarkBucketLarge(b *testing.B) {
	onBuckets(b, func(b *testing.B, server *s3test.Server, bucket string) {
		size := int64(benchN(5000)) << 20
		o, people := inBench(b, server.URL(bucket, ""), func(r *config.Rule) { r.Match.MaxSize = 0 })
		for b.Loop() {
			noise := io.LimitReader(rand.NewChaCha8([32]byte{byte(b.N)}), size)
			if _, err := people.Put(b.Context(), "hotfolders/inbox/large.bin", noise, storage.PutOptions{}); err != nil {
				b.Fatal(err)
			}
			ctx, end := context.WithCancel(b.Context())
			most := mostMemory(ctx)
			begin := time.Now()
			o.Registry = options(b, "").Registry
			r := start(b, o)
			within(b, 30*time.Minute, "imported", func() bool { return len(r.room.Status()) == 1 && r.room.Status()[0].Counts.Imported == 1 })
			took := time.Since(begin)
			end()
			b.ReportMetric(float64(<-most)/(1<<20), "MiB-memory")
			b.ReportMetric(float64(size)/(1<<20)/took.Seconds(), "MiB/s")
			r.end()
		}
	})
}

// mostMemory sends the most that the heap held until ctx ended.
func mostMemory(ctx context.Context) <-chan uint64 {
	out := make(chan uint64, 1)
	go func() {
		var most uint64
		for tick := time.NewTicker(50 * time.Millisecond); ; {
			select {
			case <-ctx.Done():
				tick.Stop()
				out <- most
				return
			case <-tick.C:
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapInuse)
			}
		}
	}()
	return out
}
