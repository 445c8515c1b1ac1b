package node

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

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

// putMany puts n objects of one size, so many at a time, and tells how many that were in a second.
func putMany(b *testing.B, n, size, writers int, put func(name string, data *bytes.Reader) error) float64 {
	b.Helper()
	begin := time.Now()
	var next atomic.Int64
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				if err := put(fmt.Sprintf("%06d.jpg", i), bytes.NewReader(jpeg(size, uint64(i)))); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	return float64(n) / time.Since(begin).Seconds()
}

// bareClient is the library's client as it comes.
func bareClient(b *testing.B, server *s3test.Server, writers int) *minio.Client {
	b.Helper()
	client, err := minio.New(server.Addr, &minio.Options{
		Creds: credentials.NewStaticV4(s3test.AccessKey, s3test.SecretKey, ""), Region: "us-east-1",
		Transport: &http.Transport{MaxIdleConnsPerHost: writers},
	})
	if err != nil {
		b.Fatal(err)
	}
	return client
}

// bare puts by the library's client, and by nothing of ours.
func bare(b *testing.B, server *s3test.Server, bucket, at string, writers int) func(name string, data *bytes.Reader) error {
	client := bareClient(b, server, writers)
	return func(name string, data *bytes.Reader) error {
		_, err := client.PutObject(b.Context(), bucket, at+"/"+name, data, data.Size(), minio.PutObjectOptions{DisableMultipart: true})
		return err
	}
}

// layMany makes n small objects by archives that MinIO takes apart by itself: many times as fast as one PUT for each.
func layMany(b *testing.B, server *s3test.Server, bucket, at string, n int) {
	b.Helper()
	client := bareClient(b, server, 2)
	const most = 5000 // in one archive
	for from := 0; from < n; from += most {
		objects := make(chan minio.SnowballObject)
		go func() {
			defer close(objects)
			for i := from; i < min(from+most, n); i++ {
				data := jpeg(200, uint64(i))
				objects <- minio.SnowballObject{Key: fmt.Sprintf("%s/%06d.jpg", at, i), Size: int64(len(data)), Content: bytes.NewReader(data)}
			}
		}()
		if err := client.PutObjectsSnowball(b.Context(), bucket, minio.SnowballOptions{InMemory: true}, objects); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBucketImports is imports per second of 2,000 objects of 100 KB, beside the floor of the same run: the same PUTs by the bare
// client at the same parallelism.
func BenchmarkBucketImports(b *testing.B) {
	onBuckets(b, func(b *testing.B, server *s3test.Server, bucket string) {
		n, round := benchN(2000), 0
		for b.Loop() {
			round++
			at := fmt.Sprint(round)
			o, _ := inBench(b, server.URL(bucket, at), eager)
			workers := o.Settings.Import.Workers
			low := putMany(b, n, 100_000, workers, bare(b, server, bucket, at+"/hotfolders/inbox", workers))
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
	layMany(b, server, bucket, "hotfolders/inbox/lying", benchN(100_000))
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

// BenchmarkBucketIdle is how many requests an idle node makes in an hour, as counted in some minutes, with hints of new objects and without: for
// its hotfolder, for its look at the work area, and for all else.
func BenchmarkBucketIdle(b *testing.B) {
	const span = 4 * time.Minute
	server := s3test.MinIO(b)
	for _, how := range []string{"auto", "poll"} {
		b.Run(how, func(b *testing.B) {
			for b.Loop() {
				proxy := s3test.NewProxy(b, server)
				o, _ := inBench(b, proxy.URL(server.VersionedBucket(b), ""), func(r *config.Rule) { r.Complete.Watch = how })
				start(b, o)
				time.Sleep(2 * time.Minute) // until nothing is new
				var log requestLog
				log.listen(proxy)
				time.Sleep(span)
				drops, journal, polls, other := sorted(log.take())
				looks := lists(other, "LIST workarea/")
				hour := func(n int) float64 { return float64(n) * float64(time.Hour/span) }
				b.ReportMetric(hour(len(polls)), "polls/h")
				b.ReportMetric(hour(looks), "looks/h")
				b.ReportMetric(hour(len(drops)+len(journal)+len(other)-looks), "others/h")
			}
		})
	}
}

// BenchmarkBucketLarge imports one object of 5,000 MiB, or of HOTFOLDERD_BENCH_MIB, and tells the most memory that the process had
// meanwhile.
func BenchmarkBucketLarge(b *testing.B) {
	mib := 5000
	if v, err := strconv.Atoi(os.Getenv("HOTFOLDERD_BENCH_MIB")); err == nil {
		mib = v
	}
	onBuckets(b, func(b *testing.B, server *s3test.Server, bucket string) {
		o, people := inBench(b, server.URL(bucket, ""), func(r *config.Rule) { r.Match.MaxSize = 0 })
		for b.Loop() {
			noise := io.LimitReader(rand.NewChaCha8([32]byte{byte(b.N)}), int64(mib)<<20)
			if _, err := people.Put(b.Context(), "hotfolders/inbox/large.bin", noise, storage.PutOptions{}); err != nil {
				b.Fatal(err)
			}
			before := fromNowOn(b)
			begin := time.Now()
			o.Registry = options(b, "").Registry
			r := start(b, o)
			within(b, 2*time.Hour, "imported", func() bool { return len(r.room.Status()) == 1 && r.room.Status()[0].Counts.Imported == 1 })
			b.ReportMetric(float64(mib)/time.Since(begin).Seconds(), "MiB/s")
			b.ReportMetric(float64(mostMemory(b)), "MiB-peak")
			b.ReportMetric(float64(before), "MiB-before")
			r.end()
		}
	})
}

// fromNowOn makes the kernel count the most memory of this process anew, and tells what it has now.
func fromNowOn(b *testing.B) (mib int) {
	b.Helper()
	debug.FreeOSMemory()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		b.Fatal(err)
	}
	return mostMemory(b)
}

// mostMemory is the most memory that this process had, as the kernel counts it.
func mostMemory(b *testing.B) (mib int) {
	b.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	var kib int
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		b.Fatal(err)
	}
	return kib >> 10
}
