package ftp_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	streamSize = 1 << 30
	smallFiles = 2000
	smallSize  = 10 << 10
	benchConns = 8
)

// storesOnly is a rule by which nothing is imported: the other servers store files, and nothing more.
const storesOnly = "match: { include: [\"*.never\"] }\n"

// BenchmarkServers uploads to this gate and to the servers of Debian in turn: 1 GiB in one stream, and 2,000 files of 10 KiB over 8
// connections. durable is on a disk, where this gate alone has synced what it answers with 226; the others promise nothing.
// not-durable is in memory, where a sync costs nothing. What counts is the ratio to vsftpd in the same run.
func BenchmarkServers(b *testing.B) {
	for _, where := range []struct{ name, dir string }{{"durable", ""}, {"not-durable", "/dev/shm"}} {
		for _, what := range []struct {
			name, unit string
			run        func(b *testing.B, s server, round int) float64
		}{{"stream", "MiB/s", stream}, {"files", "files/s", small}} {
			b.Run(where.name+"/"+what.name, func(b *testing.B) {
				servers := benchServers(b, where.dir)
				rates, cpu := map[string][]float64{}, map[string]time.Duration{}
				for round := range max(b.N, number(b, "HOTFOLDERD_ROUNDS", 3)) {
					for _, s := range servers {
						before := s.cpu(b)
						rates[s.name] = append(rates[s.name], what.run(b, s, round))
						time.Sleep(200 * time.Millisecond) // its processes end
						cpu[s.name] += s.cpu(b) - before
					}
				}
				compare(b, servers, rates, cpu, what.unit)
			})
		}
	}
}

// benchServers are ours and the others, below a folder.
func benchServers(b *testing.B, below string) []server {
	b.Helper()
	dir, err := os.MkdirTemp(below, "ftp-bench-")
	check(b, err)
	check(b, os.Chmod(dir, 0o755))
	b.Cleanup(func() { os.RemoveAll(dir) })
	n := begin(b, options{root: filepath.Join(dir, "ours"), rule: storesOnly})
	check(b, os.MkdirAll(filepath.Join(n.store, "hotfolders", "inbox", "in"), 0o777))
	return append([]server{{"hotfolderd", n.addr, user, n.cmd.Process.Pid}}, others(b, dir)...)
}

// compare reports the middle of each server's rates, and ours by vsftpd's. What they took of the processors says more on a busy machine.
func compare(b *testing.B, servers []server, rates map[string][]float64, cpu map[string]time.Duration, unit string) {
	b.Helper()
	middle := map[string]float64{}
	for _, s := range servers {
		all := rates[s.name]
		slices.Sort(all)
		middle[s.name] = all[len(all)/2]
	}
	for _, s := range servers {
		all := rates[s.name]
		b.Logf("%-10s %8.0f %s (%.0f to %.0f), %.2f x vsftpd; %s of CPU a round", s.name, middle[s.name], unit, all[0], all[len(all)-1],
			middle[s.name]/middle["vsftpd"], cpu[s.name]/time.Duration(len(all)))
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(middle["hotfolderd"], unit)
	b.ReportMetric(middle["hotfolderd"]/middle["vsftpd"], "x-vsftpd")
}

// stream uploads one large file.
func stream(b *testing.B, s server, _ int) float64 {
	b.Helper()
	c, err := login(s.addr, "127.0.0.1", s.user, false)
	check(b, err)
	defer c.tcp.Close()
	const name = "in/large.bin"
	begin := time.Now()
	tcp, _, err := c.begin("STOR " + name)
	check(b, err)
	piece := make([]byte, 256<<10)
	for range streamSize / len(piece) {
		_, err := tcp.Write(piece)
		check(b, err)
	}
	check(b, tcp.Close())
	_, err = c.want("226")
	check(b, err)
	took := time.Since(begin)
	_, err = c.do("250", "DELE "+name)
	check(b, err)
	return streamSize / (1 << 20) / took.Seconds()
}

// small uploads many small files over some connections.
func small(b *testing.B, s server, round int) float64 {
	b.Helper()
	clients := make([]*raw, benchConns)
	for i := range clients {
		c, err := login(s.addr, "127.0.0.1", s.user, false)
		check(b, err)
		defer c.tcp.Close()
		clients[i] = c
	}
	content := contentOf(named("small", 0, smallSize))
	var next atomic.Int64
	var all sync.WaitGroup
	begin := time.Now()
	for _, c := range clients {
		all.Go(func() {
			for i := next.Add(1); i <= smallFiles; i = next.Add(1) {
				if err := c.upload(fmt.Sprintf("in/%d-%d.bin", round, i), content); err != nil {
					b.Errorf("%s: %v", s.name, err)
					return
				}
			}
		})
	}
	all.Wait()
	return smallFiles / time.Since(begin).Seconds()
}

// BenchmarkSessions tells what 200 sessions hold that all upload at the same time.
func BenchmarkSessions(b *testing.B) {
	n := begin(b, options{rule: storesOnly})
	before := n.memory()
	var open []io.Closer
	for i := range 200 {
		c, err := login(n.addr, client(i), user, false)
		check(b, err)
		tcp, _, err := c.begin(fmt.Sprintf("STOR %d.bin", i))
		check(b, err)
		_, err = tcp.Write(make([]byte, 1<<20))
		check(b, err)
		open = append(open, tcp, c.tcp)
	}
	b.ReportMetric(float64(n.memory()), "MiB")
	b.ReportMetric(float64(n.memory()-before), "MiB-more")
	b.ReportMetric(0, "ns/op")
	for _, c := range open {
		c.Close()
	}
}

// BenchmarkLastByte tells how long a client that has sent 256 MiB waits for its answer, and how long it sent.
func BenchmarkLastByte(b *testing.B) {
	const size = 256 << 20
	for _, store := range []string{"folder", "minio", "versitygw"} {
		b.Run(store, func(b *testing.B) {
			n := begin(b, onStore(b, store, options{rule: storesOnly}))
			c, err := login(n.addr, "127.0.0.1", user, false)
			check(b, err)
			defer c.tcp.Close()
			piece := make([]byte, 256<<10)
			var sent, waited time.Duration
			for i := range b.N {
				start := time.Now()
				tcp, _, err := c.begin(fmt.Sprintf("STOR %d.bin", i))
				check(b, err)
				for range size / len(piece) {
					_, err := tcp.Write(piece)
					check(b, err)
				}
				check(b, tcp.Close())
				end := time.Now()
				_, err = c.want("226")
				check(b, err)
				sent, waited = sent+end.Sub(start), waited+time.Since(end)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(sent.Milliseconds())/float64(b.N), "ms-sending")
			b.ReportMetric(float64(waited.Milliseconds())/float64(b.N), "ms-to-226")
		})
	}
}
