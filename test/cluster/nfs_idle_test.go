//go:build nfslab

package cluster_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"hotfolderd/leases/consul/consultest"
	"hotfolderd/test/nfslab"
	"hotfolderd/test/nfslab/guest"
)

// idleRule takes pictures only, so that other files lie there.
const idleRule = defaultRule + "match: { include: ['*.png'] }\n"

// BenchmarkNFSIdle is how many calls one and three nodes send to the server of a share in a second in which nothing happens, with 100 and with
// 100,000 files in the hotfolder, and how many one scan of it costs that all are asked for.
func BenchmarkNFSIdle(b *testing.B) {
	l := nfslab.Start(b, 3, 4096) // room for more than 200,000 files
	for _, nodes := range []int{1, 3} {
		for _, files := range []int{100, 100_000} {
			b.Run(fmt.Sprintf("nodes-%d/files-%d", nodes, files), func(b *testing.B) {
				w := idleWorld(b, l, nodes, files)
				w.idle(b, files)
				for _, p := range w.nodes {
					p.stop()
				}
			})
		}
	}
}

// idleWorld is a world of nodes in whose inbox so many files lie that are no drops.
func idleWorld(b *testing.B, l *nfslab.Lab, nodes, files int) *world {
	w := nfsWorldAt(b, l, "4.2", fmt.Sprintf("idle-%d-%d", nodes, files))
	write(b, w.rules+"/inbox.yaml", idleRule)
	if nodes > 1 {
		w.consul = []string{l.Relay(consultest.Start(b).Addr)}
	}
	for _, c := range l.Clients[:nodes] {
		w.addIn(c, longLease)
	}
	w.lay(0, files)
	w.beginInGuests()
	return w
}

// lay makes files up to a number, on the server itself.
func (w *world) lay(from, to int) {
	w.t.Helper()
	w.onServer(fmt.Sprintf("cd hotfolders/inbox && seq -f %%06g.dat %d %d | xargs touch", from+1, to))
}

// onServer runs a command of a shell in the store, on the server itself.
func (w *world) onServer(command string) {
	w.t.Helper()
	n := w.tree.(nfsTree)
	dir := guest.Export + "/" + n.root[strings.LastIndexByte(n.root, '/')+1:]
	n.l.Server.Run("/bin/sh", "-c", "cd "+dir+" && "+command)
}

// idle counts the calls of all nodes: for scans, of which the first finds machines that know nothing, and while nothing happens.
func (w *world) idle(b *testing.B, files int) {
	w.t.Helper()
	w.awaitIdle()
	for _, known := range []bool{false, true} {
		if !known {
			w.forgetAll()
		}
		first := w.callsEach()
		w.scanAll(w.nodes[0])
		each := w.callsEach()
		for i := range each {
			each[i] -= first[i]
		}
		w.t.Logf("%d nodes, %d files: %v calls for a scan, attributes known: %v", len(w.nodes), files, each, known)
		b.ReportMetric(float64(sum(each)), map[bool]string{false: "calls/first-scan", true: "calls/scan"}[known])
	}
	window := time.Duration(env(w.t, "HOTFOLDERD_IDLE", 40)) * time.Second
	for i := range 2 {
		before, ops := sum(w.callsEach()), w.ops()
		time.Sleep(window)
		perSecond := float64(sum(w.callsEach())-before) / window.Seconds()
		w.t.Logf("%d nodes, %d files, look %d: %.2f calls a second:%s", len(w.nodes), files, i, perSecond, w.since(ops))
		b.ReportMetric(perSecond, "calls/s")
	}
}

func sum(all []int) (n int) {
	for _, one := range all {
		n += one
	}
	return n
}

// callsEach is how many each client on which a node runs has sent.
func (w *world) callsEach() (all []int) {
	w.t.Helper()
	for i := range w.nodes {
		n := 0
		for _, line := range w.rpcOf(i) {
			if words := strings.Fields(line); len(words) > 1 && words[0] == "rpc" {
				n, _ = strconv.Atoi(words[1])
			}
		}
		all = append(all, n)
	}
	return all
}

func (w *world) rpcOf(i int) []string {
	w.t.Helper()
	return strings.Split(w.tree.(nfsTree).l.Clients[i].Run("/bin/cat", "/proc/net/rpc/nfs"), "\n")
}

func (w *world) rpc() (lines []string) {
	w.t.Helper()
	for i := range w.nodes {
		lines = append(lines, w.rpcOf(i)...)
	}
	return lines
}

// ops are the counters of each kind of call of NFS 4, by their place.
func (w *world) ops() (all []int) { return opsIn(w.rpc()) }

// opReaddir is the place of READDIR among them.
const opReaddir = 29

func opsIn(lines []string) (all []int) {
	for _, line := range lines {
		words := strings.Fields(line)
		if len(words) < 3 || words[0] != "proc4" {
			continue
		}
		for i, word := range words[2:] {
			if i == len(all) {
				all = append(all, 0)
			}
			n, _ := strconv.Atoi(word)
			all[i] += n
		}
	}
	return all
}

// nfs4 are the names of those that matter here.
var nfs4 = map[int]string{
	1: "read", 2: "write", 3: "commit", 4: "open", 6: "open without attributes", 8: "close", 9: "setattr", 17: "access", 18: "getattr", 19: "lookup",
	21: "remove", 22: "rename", 23: "link", 25: "create", opReaddir: "readdir", 31: "delegreturn", 41: "sequence",
}

func (w *world) since(before []int) (text string) {
	for i, n := range w.ops() {
		if i < len(before) && n > before[i] {
			name := nfs4[i]
			if name == "" {
				name = "op " + strconv.Itoa(i)
			}
			text += fmt.Sprintf(" %s %d", name, n-before[i])
		}
	}
	return text
}
