package node

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/config"
)

// rss is the process's resident memory in MiB.
func rss(b *testing.B) float64 {
	b.Helper()
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, _ := strconv.Atoi(strings.Fields(rest)[0])
			return float64(kb) / 1024
		}
	}
	b.Fatal("no VmRSS")
	return 0
}

// peak samples the resident memory until it is stopped, and tells the highest above where it began.
func peak(b *testing.B) (stop func() float64) {
	runtime.GC()
	base := rss(b)
	var most atomic.Int64
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-done:
				return
			case <-time.After(20 * time.Millisecond):
				most.Store(max(most.Load(), int64((rss(b)-base)*1024)))
			}
		}
	}()
	return func() float64 { close(done); <-ended; return float64(most.Load()) / 1024 }
}

// rawScan is the floor of a scan: readdir in pieces and an lstat for each name, as the standard library does them.
func rawScan(b *testing.B, dir string) time.Duration {
	b.Helper()
	begin := time.Now()
	f, err := os.Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	for {
		names, err := f.Readdirnames(1024)
		for _, name := range names {
			if _, err := os.Lstat(dir + "/" + name); err != nil {
				b.Fatal(err)
			}
		}
		if err == io.EOF {
			return time.Since(begin)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkMillion is a hotfolder with a million files: time to the first import, memory, and an unchanged scan beside the floor.
// The files are empty and ignored by rule but for a few, so that the scan itself is measured; then all are remembered as done,
// which is what a folder with "after: keep" costs.
func BenchmarkMillion(b *testing.B) {
	for b.Loop() {
		n := benchN(1_000_000)
		dir := b.TempDir()
		inbox := filepath.Join(dir, "hotfolders", "inbox")
		if err := os.MkdirAll(inbox, 0o777); err != nil {
			b.Fatal(err)
		}
		for i := range n {
			f, err := os.Create(inbox + "/" + fmt.Sprintf("file-%07d.jpg", i))
			if err != nil {
				b.Fatal(err)
			}
			if i%1000 == 0 {
				if _, err := f.Write(jpeg(2000, uint64(i))); err != nil {
					b.Fatal(err)
				}
			}
			f.Close()
		}
		memory := peak(b)
		begin := time.Now()
		r := start(b, options(b, dir, rule("inbox", kept, func(r *config.Rule) {
			r.Match.Empty = "ignore"
			r.Complete.Settle = config.Duration(time.Millisecond)
			r.Complete.Poll = config.Duration(time.Second)
		})))
		within(b, time.Minute, "first import", func() bool { return r.status("inbox").Counts.Imported > 0 })
		b.ReportMetric(float64(time.Since(begin).Milliseconds()), "ms-to-first-import")
		within(b, 30*time.Minute, "all done", func() bool {
			s := r.status("inbox")
			return s.Counts.Imported == uint64((n+999)/1000) && s.Ready+s.Settling+s.InHand == 0 && !s.More
		})
		b.ReportMetric(time.Since(begin).Seconds(), "s-until-all-were-looked-at")
		raw := min(rawScan(b, inbox), rawScan(b, inbox))
		scan := min(r.scanOnce(b), r.scanOnce(b))
		b.ReportMetric(memory(), "MiB-more")
		b.ReportMetric(scan.Seconds(), "s-scan")
		b.ReportMetric(raw.Seconds(), "s-raw-scan")
		b.ReportMetric(scan.Seconds()/raw.Seconds(), "x-raw")
		r.end()
	}
}

// scanOnce asks for a scan and tells how long it took.
func (r *running) scanOnce(b *testing.B) time.Duration {
	last := r.status("inbox").LastScan
	if err := r.room.Scan("inbox"); err != nil {
		b.Fatal(err)
	}
	within(b, 10*time.Minute, "a scan", func() bool { return r.status("inbox").LastScan.After(last) })
	return r.status("inbox").ScanTook
}

// BenchmarkHuge is one file of many gigabytes: its import beside one read with hashing plus one copy, and the memory it takes. The
// floor is the better one of two, before and after: a shared disk gives many times more in one minute than in the next.
func BenchmarkHuge(b *testing.B) {
	size := int64(20 << 30)
	if v, err := strconv.Atoi(os.Getenv("HOTFOLDERD_BENCH_GIB")); err == nil {
		size = int64(v) << 30
	}
	for b.Loop() {
		dir := b.TempDir()
		src := filepath.Join(dir, "huge.bin")
		fillFile(b, src, size)
		copied := copyFloor(b, src, filepath.Join(dir, "copy.bin"))
		memory := peak(b)
		r := start(b, options(b, dir, rule("inbox", func(r *config.Rule) { r.Complete.Settle = config.Duration(50 * time.Millisecond) })))
		within(b, 5*time.Second, "watching", func() bool { return r.status("inbox").Watching == "events" })
		begin := time.Now()
		if err := os.Rename(src, r.inbox("huge.bin")); err != nil {
			b.Fatal(err)
		}
		within(b, time.Hour, "imported", func() bool { return r.number(asset.Key("inbox/huge.bin")) == 1 })
		took := time.Since(begin)
		b.ReportMetric(memory(), "MiB-more")
		path := r.assetPath("inbox/huge.bin")
		r.end()
		copied = min(copied, copyFloor(b, path, filepath.Join(dir, "copy.bin")))
		b.ReportMetric(took.Seconds(), "s-import")
		b.ReportMetric(copied.Seconds(), "s-read-hash-copy-fsync")
		b.ReportMetric(took.Seconds()/copied.Seconds(), "x-floor")
	}
}

// assetPath is where the bytes of a name's current version lie.
func (r *running) assetPath(name asset.Key) string {
	rec, _, err := r.Area().Current(context.Background(), name)
	if err != nil {
		r.t.Fatal(err)
	}
	return filepath.Join(r.dir, "workarea", "assets", string(rec.Content.Hash.Shard()))
}
