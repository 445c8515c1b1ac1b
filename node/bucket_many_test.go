package node

import (
	"testing"
	"time"

	"hotfolderd/config"
	"hotfolderd/leases/consul/consultest"
	"hotfolderd/storage/s3/s3test"
)

// BenchmarkBucketMany imports 20,000 small objects that lie in a hotfolder of a bucket before any node starts, by one node and by three, and
// wants each once. It tells the most memory that the process had, with all its nodes, beside what it had before.
func BenchmarkBucketMany(b *testing.B) {
	server := s3test.MinIO(b)
	for name, nodes := range map[string][]string{"one": {"a"}, "three": {"a", "b", "c"}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				many(b, server, nodes)
			}
		})
	}
}

func many(b *testing.B, server *s3test.Server, nodes []string) {
	b.Helper()
	n, bucket := benchN(20_000), server.VersionedBucket(b)
	o, people := inBench(b, server.URL(bucket, ""), func(r *config.Rule) { r.Thumbnails.Sizes = nil })
	if len(nodes) > 1 {
		o.Settings.Cluster.Consul, o.Settings.Cluster.Namespace = []string{consultest.Start(b).Addr}, consultest.Namespace(b)
		o.Settings.HTTP.Listen = "127.0.0.1:0"
	}
	putMany(b, n, 2000, 32, bare(b, server, bucket, "hotfolders/inbox", 32))
	before, begin := fromNowOn(b), time.Now()
	var all []*running
	for _, id := range nodes {
		o.Settings.Node.ID = id
		o.Registry, o.Memory = options(b, "").Registry, b.TempDir()
		all = append(all, start(b, o))
	}
	within(b, 30*time.Minute, "all imported", func() bool { return imports(all) >= uint64(n) })
	b.ReportMetric(float64(n)/time.Since(begin).Seconds(), "imports/s")
	b.ReportMetric(float64(mostMemory(b)), "MiB-peak")
	b.ReportMetric(float64(before), "MiB-before")
	for _, r := range all {
		r.end()
	}
	if got := len(records(b, people)); got != n || imports(all) != uint64(n) {
		b.Errorf("want %d imports and as many records, got %d and %d", n, imports(all), got)
	}
}

// imports are those of all nodes together.
func imports(all []*running) (n uint64) {
	for _, r := range all {
		for _, s := range r.room.Status() {
			n += s.Counts.Imported
		}
		time.Sleep(5 * time.Millisecond)
	}
	return n
}
