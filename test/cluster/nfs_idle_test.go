//go:build nfslab

package cluster_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/leases/consul/consultest"
	"hotfolderd/test/nfslab"
	"hotfolderd/test/nfslab/guest"
)

// idleRule takes pictures only, so that other files lie there.
const idleRule = defaultRule + "match: { include: ['*.png'] }\n"

// BenchmarkNFSIdle is how many calls one and three nodes send to the server of a share in a second in which nothing happens, with 100 and with
// 100,000 files in the hotfolder; how many one scan of it costs, and how many what else a node looks after, without a hotfolder that is looked at. Then
// it tells how soon a drop by HTTP is imported by another node.
func BenchmarkNFSIdle(b *testing.B) {
	l := nfslab.Start(b, 3, 4096) // room for more than 200,000 files
	for _, nodes := range []int{1, 3} {
		b.Run(fmt.Sprintf("nodes-%d", nodes), func(b *testing.B) {
			w := nfsWorldAt(b, l, "4.2", fmt.Sprintf("idle-%d", nodes))
			write(b, w.rules+"/inbox.yaml", idleRule)
			if nodes > 1 {
				w.consul = []string{l.Relay(consultest.Start(b).Addr)}
			}
			for _, c := range l.Clients[:nodes] {
				w.addIn(c, longLease)
			}
			w.beginInGuests()
			files := 0
			for _, many := range []int{100, 100_000} {
				w.lay(files, many)
				files = many
				w.idle(many)
			}
			if nodes > 1 {
				w.hinted(env(b, "HOTFOLDERD_DROPS", 50))
			}
			for _, p := range w.nodes {
				p.stop()
			}
		})
	}
}

// lay makes files up to a number, on the server itself.
func (w *world) lay(from, to int) {
	w.t.Helper()
	n := w.tree.(nfsTree)
	dir := guest.Export + "/" + n.root[strings.LastIndexByte(n.root, '/')+1:] + "/hotfolders/inbox"
	n.l.Server.Run("/bin/sh", "-c", fmt.Sprintf("cd %s && seq -f %%06g.dat %d %d | xargs touch", dir, from+1, to))
}

// idle counts the calls of all nodes.
func (w *world) idle(files int) {
	w.t.Helper()
	first := w.calls()
	begin := time.Now()
	for _, p := range w.nodes {
		p.must(http.StatusAccepted, http.MethodPost, "/v1/hotfolders/inbox/scan", "", "")
	}
	for _, p := range w.nodes {
		within(w.t, 5*time.Minute, p.id+" has scanned", func() bool { return p.folder("inbox").LastScan.After(begin) }, w)
	}
	w.t.Logf("%d nodes, %d files: %d calls for a scan by each", len(w.nodes), files, w.calls()-first)
	window := time.Duration(env(w.t, "HOTFOLDERD_IDLE", 40)) * time.Second
	for i := range 2 {
		before, ops := w.calls(), w.ops()
		time.Sleep(window)
		w.t.Logf("%d nodes, %d files, look %d: %.2f calls a second:%s", len(w.nodes), files, i, float64(w.calls()-before)/window.Seconds(), w.since(ops))
	}
}

// calls is how many the clients on which nodes run have sent.
func (w *world) calls() (n int) {
	for _, line := range w.rpc() {
		if words := strings.Fields(line); len(words) > 1 && words[0] == "rpc" {
			one, _ := strconv.Atoi(words[1])
			n += one
		}
	}
	return n
}

func (w *world) rpc() (lines []string) {
	w.t.Helper()
	for i := range w.nodes {
		lines = append(lines, strings.Split(w.tree.(nfsTree).l.Clients[i].Run("/bin/cat", "/proc/net/rpc/nfs"), "\n")...)
	}
	return lines
}

// ops are the counters of each kind of call of NFS 4, by their place.
func (w *world) ops() (all []int) {
	for _, line := range w.rpc() {
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
var nfs4 = map[int]string{1: "read", 2: "write", 3: "commit", 4: "open", 7: "close", 8: "setattr", 17: "access", 18: "getattr", 19: "lookup", 25: "readdir", 42: "sequence"}

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

// hinted puts drops by HTTP through the first node, of which the others import most.
func (w *world) hinted(n int) {
	w.t.Helper()
	s := w.seen(w.nodes...)
	time.Sleep(2 * time.Second) // the streams are open
	var mu sync.Mutex
	var elsewhere times
	s.heard = func(e asset.Event, took time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		if e.Node != w.nodes[0].id {
			elsewhere = append(elsewhere, took)
		}
	}
	for i := range n {
		name := fmt.Sprintf("by-http-%d.png", i)
		s.begin(name, picture(), func(data []byte) {
			w.nodes[0].must(http.StatusCreated, http.MethodPut, "/v1/hotfolders/inbox/"+name, "", string(data))
		})
		time.Sleep(upTo(300 * time.Millisecond))
	}
	s.await("all drops by HTTP are imported")
	mu.Lock()
	defer mu.Unlock()
	w.t.Logf("a drop by HTTP, from the answer to imported by another node: %v", elsewhere)
}
