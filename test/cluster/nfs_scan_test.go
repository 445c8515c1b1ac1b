//go:build nfslab

package cluster_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/cluster/shares"
	"hotfolderd/leases/consul/consultest"
	"hotfolderd/test/nfslab"
)

// polled has drops found by whole scans alone, and lets other files lie there.
const polled = `hotfolder: inbox
match: { include: ['*.txt'] }
complete: { settle: 200ms, watch: poll }
thumbnails: { sizes: [] }
`

// scanned is a world with a node on each client, and so many files in the inbox that are no drops.
func scanned(t testing.TB, l *nfslab.Lab, name, rule string, files int) *world {
	t.Helper()
	w := nfsWorldAt(t, l, "4.2", name)
	write(t, w.rules+"/inbox.yaml", rule)
	w.consul = []string{l.Relay(consultest.Start(t).Addr)}
	for _, c := range l.Clients {
		w.addIn(c, longLease)
	}
	w.lay(0, files)
	w.beginInGuests()
	w.looker()
	return w
}

// looker is the place of the node that looks at the inbox for all.
func (w *world) looker() (at int) {
	w.t.Helper()
	name := fmt.Sprintf("p/%d", asset.Partition("inbox", asset.Root, shares.DefaultPartitions))
	within(w.t, patience, "one node looks for all", func() bool {
		at = slices.IndexFunc(w.nodes, func(p *process) bool {
			for _, held := range p.view().Partitions {
				if held.Name == name {
					return true
				}
			}
			return false
		})
		return at >= 0
	}, w)
	return at
}

// scanAll asks one node for a scan by all, and waits for it.
func (w *world) scanAll(asked *process) {
	w.t.Helper()
	begin := time.Now()
	asked.must(http.StatusAccepted, http.MethodPost, "/v1/hotfolders/inbox/scan", "", "")
	for _, p := range w.nodes {
		within(w.t, patience, p.id+" has scanned", func() bool { return p.folder("inbox").LastScan.After(begin) }, w)
	}
}

// awaitIdle waits until the nodes have done what they do when they start.
func (w *world) awaitIdle() {
	w.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		before, ops, begin := sum(w.callsEach()), w.ops(), time.Now()
		time.Sleep(3 * time.Second)
		calls := sum(w.callsEach()) - before
		if perSecond := float64(calls) / time.Since(begin).Seconds(); perSecond < 10*float64(len(w.nodes)) {
			return
		}
		w.t.Logf("not idle: %d calls in %v:%s", calls, time.Since(begin).Round(time.Second), w.since(ops))
	}
	w.t.Logf("not idle after %v", patience)
}

// forgetAll has the machines know nothing of the share.
func (w *world) forgetAll() {
	for i := range w.nodes {
		w.tree.(nfsTree).l.Clients[i].Run("/bin/sh", "-c", "echo 3 > /proc/sys/vm/drop_caches")
	}
}

// TestNFS_oneNodeScansForAll counts the calls by which each of three machines reads the folder, which is another before each scan.
func TestNFS_oneNodeScansForAll(t *testing.T) {
	l := nfslab.Start(t, 3, 1024)
	w := scanned(t, l, "scans", polled, 1000)
	const scans = 5
	w.scanAll(w.nodes[0])
	at, before := w.looker(), w.reads()
	for i := range scans {
		w.lay(1000+i, 1000+i+1)
		w.scanAll(w.nodes[i%3])
	}
	reads := w.reads()
	for i := range reads {
		reads[i] -= before[i]
	}
	t.Logf("%d scans for all, %s looks: %v calls to read the folder", scans, w.nodes[at].id, reads)
	for i, n := range reads {
		if i == at && n < scans || i != at && n > 0 {
			t.Errorf("want the folder read by %s alone, got %v", w.nodes[at].id, reads)
		}
	}
}

// reads is how many calls to read a folder each machine has made.
func (w *world) reads() (all []int) {
	for i := range w.nodes {
		all = append(all, opsIn(w.rpcOf(i))[opReaddir])
	}
	return all
}

// TestNFS_theNodeThatScansForAllEndsInAScan kills it, over and over, while drops lie there that only scans find.
func TestNFS_theNodeThatScansForAllEndsInAScan(t *testing.T) {
	l := nfslab.Start(t, 3, 1024)
	w := scanned(t, l, "ends", polled, 2000)
	d := w.drops()
	for i := range rounds(t, 4) {
		w.forgetAll() // so that it takes a while
		p := w.nodes[w.looker()]
		names := d.some(takenOver / 4)
		p.must(http.StatusAccepted, http.MethodPost, "/v1/hotfolders/inbox/scan", "", "")
		time.Sleep(upTo(2 * time.Second))
		p.kill()
		begin := time.Now()
		within(t, patience, "what lies there is taken", func() bool { time.Sleep(100 * time.Millisecond); return d.noneLeft(names) }, w)
		t.Logf("round %d: %s ended, all taken after %v", i, p.id, time.Since(begin).Round(100*time.Millisecond))
		p.start()
		within(t, patience, p.id+" is ready", p.ready, p.log)
	}
	d.audit(t)
}
