package cluster_test

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/leases/consul/consultest"
)

// BenchmarkNodes is how many files of 100 KB are imported in a second by one, two and three nodes, put there all at once. Nothing is
// rendered. Near, with all settings as they are, the processors of this machine are the limit, which all nodes share. Far, each
// sync of the store takes 10 ms longer and each node has 8 workers: then it is the store's time that limits each node, as it does on a
// network, and the figures tell what the cluster adds.
func BenchmarkNodes(b *testing.B) {
	for _, store := range []string{"far", "near"} {
		for nodes := 1; nodes <= 3; nodes++ {
			b.Run(fmt.Sprintf("%s/nodes-%d", store, nodes), func(b *testing.B) { benchmarkNodes(b, nodes, store == "far") })
		}
	}
}

// slowly runs a node so that each sync takes longer.
var slowly = []string{
	"strace", "-D", "-f", "--seccomp-bpf", "-o", "/dev/null", "-e", "trace=fsync,fdatasync,syncfs",
	"-e", "inject=fsync,fdatasync,syncfs:delay_exit=10000",
}

func benchmarkNodes(b *testing.B, nodes int, far bool) {
	w := newWorld(b, []string{consultest.Start(b).Addr}, nodes)
	for _, p := range w.nodes {
		if far {
			p.inside = slowly
			p.set("import: { workers: 8, per_hotfolder: 8 }")
		}
	}
	w.begin()
	w.awaitWhole(w.nodes...)
	n := env(b, "HOTFOLDERD_DROPS", 2000)
	var took time.Duration
	for i := range b.N {
		folder := w.prepareMany(i, n, 100_000)
		begin := time.Now()
		w.dropMany(folder)
		within(b, 10*time.Minute, "all drops are taken", w.inboxEmpty, w)
		took += time.Since(begin)
	}
	if got := len(w.ledger()); got != n*b.N {
		b.Errorf("want %d records, got %d", n*b.N, got)
	}
	b.ReportMetric(float64(n*b.N)/took.Seconds(), "imports/s")
	b.ReportMetric(0, "ns/op")
}

// inboxEmpty looks no further than it must, since it looks again and again while others are measured.
func (w *world) inboxEmpty() bool {
	w.t.Helper()
	dir, err := os.Open(w.inbox(""))
	if err != nil {
		w.t.Fatal(err)
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(2)
	return len(names) == 0 || len(names) == 1 && names[0] == ".keep"
}

// set adds a block to the settings.
func (p *process) set(block string) {
	p.t.Helper()
	old, err := os.ReadFile(p.settings)
	if err != nil {
		p.t.Fatal(err)
	}
	write(p.t, p.settings, string(old)+block+"\n")
}

// prepareMany writes n files of different bytes beside the hotfolder.
func (w *world) prepareMany(round, n, size int) (folder string) {
	w.t.Helper()
	folder = filepath.Join(w.store, fmt.Sprintf("incoming-%d", round))
	b := make([]byte, size)
	rand.Read(b)
	for i := range n {
		copy(b, fmt.Sprintf("%d %d ", round, i))
		write(w.t, filepath.Join(folder, fmt.Sprintf("%d-%06d.dat", round, i)), string(b))
	}
	return folder
}

// dropMany moves them into the hotfolder.
func (w *world) dropMany(folder string) {
	w.t.Helper()
	for _, path := range files(folder) {
		if err := os.Rename(path, w.inbox(filepath.Base(path))); err != nil {
			w.t.Fatal(err)
		}
	}
}

// BenchmarkTakeover kills a node and drops files that fall into its partitions. It tells from the kill until another has
// imported the first and the last of them. The settings are the defaults.
func BenchmarkTakeover(b *testing.B) {
	server := consultest.Start(b)
	cl := server.Client(b)
	w := newWorld(b, []string{server.Addr}, 3)
	w.begin()
	var first, last times
	for n := range b.N {
		for i := range rounds(b, 10) {
			w.awaitWhole(w.nodes...)
			victim := w.nodes[i%len(w.nodes)]
			paths := w.prepareEach(fmt.Sprintf("%d-%d", n, i))
			time.Sleep(upTo(500 * time.Millisecond))
			session := w.session(cl, victim)
			victim.kill()
			begin := time.Now()
			holders, _ := w.holders(cl, nil)
			f, l := w.takeOver(paths, begin, func(partition string) bool { return holders[w.root()+"leases/"+partition] == session })
			first, last = append(first, f), append(last, l)
			victim.start()
		}
	}
	b.Logf("from the kill to the first import: %v", first)
	b.Logf("from the kill to the last: %v", last)
	first.report(b, "first")
	last.report(b, "last")
}

// takeOver drops the files of some partitions and returns when the first and the last of them were gone.
func (w *world) takeOver(paths map[string]string, begin time.Time, dead func(partition string) bool) (first, last time.Duration) {
	w.t.Helper()
	var names []string
	for partition, path := range paths {
		if !dead(partition) {
			continue
		}
		names = append(names, filepath.Base(path))
		if err := rename(path, w.inbox(filepath.Base(path))); err != nil {
			w.t.Fatal(err)
		}
	}
	if len(names) == 0 {
		w.t.Fatal("the dead node had no partitions")
	}
	within(w.t, time.Minute, "what was the dead node's is taken", func() bool {
		left := w.waiting(names)
		if first == 0 && left < len(names) {
			first = time.Since(begin)
		}
		return left == 0
	}, w)
	return first, time.Since(begin)
}

func (ts times) report(b *testing.B, what string) {
	b.ReportMetric(float64(ts.at(50).Milliseconds()), what+"-p50-ms")
	b.ReportMetric(float64(ts.at(99).Milliseconds()), what+"-p99-ms")
	b.ReportMetric(0, "ns/op")
}

// prepareEach writes a small file for each partition.
func (w *world) prepareEach(round string) (paths map[string]string) {
	w.t.Helper()
	paths = map[string]string{}
	for n := 0; len(paths) < 256; n++ {
		name := fmt.Sprintf("%s-%06d.dat", round, n)
		partition := "p/" + strconv.Itoa(asset.Partition("inbox", asset.Key(name), 256))
		if paths[partition] == "" {
			paths[partition] = filepath.Join(w.store, "incoming", name)
			write(w.t, paths[partition], name)
		}
	}
	return paths
}

// waiting is how many of them lie in the hotfolder.
func (w *world) waiting(names []string) (n int) {
	for _, name := range names {
		if !missing(w.inbox(name)) {
			n++
		}
	}
	return n
}

// BenchmarkLeaderGap stops the leader of three servers of Consul and tells the longest time in which nothing was imported, under
// a stream of new names and of names that get other bytes, which must be told to all nodes first.
func BenchmarkLeaderGap(b *testing.B) {
	servers := consultest.StartCluster(b)
	w := newWorld(b, addresses(servers), 3)
	w.begin()
	w.awaitWhole(w.nodes...)
	d := w.drops()
	stop := make(chan struct{})
	ended := []<-chan struct{}{d.stream(50, stop), w.overwrite(50, stop)}
	var spans []span
	for range b.N {
		for range rounds(b, 3) {
			spans = append(spans, w.leaderRound(servers, false))
			time.Sleep(2 * time.Second)
		}
	}
	close(stop)
	for _, e := range ended {
		<-e
	}
	d.awaitTaken(time.Minute)
	fresh, changed := w.ends(false), w.ends(true)
	newNames, others := gaps(fresh, spans), gaps(changed, spans)
	b.Logf("longest time without an import of a new name: %v", newNames)
	b.Logf("longest time without an import of other bytes for a name: %v", others)
	newNames.report(b, "new")
	others.report(b, "changed")
}

// overwrite drops other bytes for a few names again and again.
func (w *world) overwrite(perSecond int, stop <-chan struct{}) <-chan struct{} {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(time.Second / time.Duration(perSecond))
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			name := nameOf(i % 200)
			if !missing(w.inbox(name)) {
				continue
			}
			tmp := filepath.Join(w.store, "incoming-"+name)
			write(w.t, tmp, text(name))
			if err := rename(tmp, w.inbox(name)); err != nil {
				w.t.Error(err)
			}
		}
	}()
	return ended
}

// ends are the times at which versions entered the catalog: those that followed another one, or all first ones.
func (w *world) ends(later bool) (all []time.Time) {
	for _, versions := range w.catalog() {
		for n, r := range versions {
			if later == (n > 1) {
				all = append(all, r.changed)
			}
		}
	}
	sortTimes(all)
	return all
}

// BenchmarkRaftBurst tells how much is written in Consul while many new files are imported, and while nothing happens, beside what
// Consul writes by itself.
func BenchmarkRaftBurst(b *testing.B) {
	server := consultest.Start(b)
	n := env(b, "HOTFOLDERD_DROPS", 10_000)
	idle := time.Duration(env(b, "HOTFOLDERD_IDLE_SECONDS", 60)) * time.Second
	first := server.QuietIndex(b)
	time.Sleep(idle)
	floor := server.RaftIndex(b) - first
	w := newWorld(b, []string{server.Addr}, 3)
	w.begin()
	w.awaitWhole(w.nodes...)
	for i := range b.N {
		folder := w.prepareMany(i, n, 1000)
		before := server.QuietIndex(b)
		begin := time.Now()
		w.dropMany(folder)
		within(b, time.Hour, "all drops are taken", w.inboxEmpty, w)
		took := time.Since(begin)
		after := server.QuietIndex(b)
		time.Sleep(idle)
		last := server.RaftIndex(b)
		b.Logf("raft index %d before %d drops, %d after them (%v), %d after %v of nothing; a Consul without nodes wrote %d in that time",
			before, n, after, took.Round(time.Second), last, idle, floor)
		b.ReportMetric(float64(after-before), "writes/burst")
		b.ReportMetric(float64(last-after), "writes/idle")
		b.ReportMetric(float64(floor), "writes/idle-floor")
	}
	b.ReportMetric(0, "ns/op")
}
