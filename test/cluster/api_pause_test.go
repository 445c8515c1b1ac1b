package cluster_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hotfolderd/leases/consul/consultest"
)

// folderView is how a node tells of one hotfolder.
type folderView struct {
	Name     string    `json:"name"`
	State    string    `json:"state"`
	Reason   string    `json:"reason"`
	LastScan time.Time `json:"last_scan"`
}

// folder is the zero view when the node does not answer.
func (p *process) folder(hotfolder string) folderView {
	var all struct{ Hotfolders []folderView }
	p.get("/v1/hotfolders", &all)
	for _, f := range all.Hotfolders {
		if f.Name == hotfolder {
			return f
		}
	}
	return folderView{}
}

func (w *world) awaitPaused(on bool) {
	w.t.Helper()
	within(w.t, 10*time.Second, fmt.Sprint("all nodes have the inbox paused: ", on), func() bool {
		for _, p := range w.nodes {
			if f := p.folder("inbox"); f.Name == "" || (f.State == "paused") != on {
				return false
			}
		}
		return true
	}, w)
}

// TestAPI_aPauseHoldsForAllNodes pauses at one node, lets another start again, and resumes at the third.
func TestAPI_aPauseHoldsForAllNodes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, []string{consultest.Start(t).Addr}, 3)
	w.begin()
	w.awaitWhole(w.nodes...)
	a, b, c := w.nodes[0], w.nodes[1], w.nodes[2]
	if out, err := c.hotfolderd("pause", "inbox"); err != nil || !strings.Contains(out, "paused on all nodes") {
		t.Fatalf("pause: %v\n%s", err, out)
	}
	w.awaitPaused(true)
	d := w.drops()
	d.some(60)
	b.kill()
	b.start()
	w.awaitWhole(a, b, c)
	within(t, 10*time.Second, "b has its hotfolder", func() bool { return b.folder("inbox").Name != "" }, b.log)
	if f := b.folder("inbox"); f.State != "paused" || !strings.Contains(f.Reason, "node c") {
		t.Errorf("the pause did not outlive the start: %+v", f)
	}
	write(t, filepath.Join(w.rules, "inbox.yaml"), defaultRule+"after: archive\n") // another rule ends no pause
	within(t, 10*time.Second, "the rules are taken up", func() bool { return strings.Count(w.String(), "rules loaded") >= 3 }, w)
	w.awaitPaused(true)
	a.must(http.StatusAccepted, http.MethodPost, "/v1/hotfolders/inbox/scan", "", "") // nor does a look
	if n := len(w.ledger()); n > 0 {
		t.Errorf("%d drops were imported from a paused hotfolder", n)
	}
	a.must(http.StatusOK, http.MethodPost, "/v1/hotfolders/inbox/resume", "", "")
	w.awaitPaused(false)
	d.awaitGone(awaitDrops)
	d.audit(t)
	if out, err := c.hotfolderd("pause", "none"); err == nil || !strings.Contains(out, "there is no hotfolder") {
		t.Errorf("pause of a hotfolder that is not there: %v\n%s", err, out)
	}
}

// TestAPI_aScanIsOfAllNodes looks whether each node has looked after it was asked for at one of them, and after a retry: any may
// have the partition of the drop.
func TestAPI_aScanIsOfAllNodes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, []string{consultest.Start(t).Addr}, 3)
	write(t, filepath.Join(w.rules, "inbox.yaml"), defaultRule+"match: { max_size: 10 }\n")
	w.begin()
	w.awaitFair(w.nodes...)
	tooLarge := func() (id string) {
		write(t, filepath.Join(w.store, "incoming"), strings.Repeat("x", 100))
		if err := os.Rename(filepath.Join(w.store, "incoming"), w.inbox("large.txt")); err != nil {
			t.Fatal(err)
		}
		within(t, awaitDrops, "it failed", func() bool {
			var all struct{ Failures []struct{ ID string } }
			w.nodes[0].get("/v1/failed", &all)
			if len(all.Failures) == 1 {
				id = all.Failures[0].ID
			}
			return id != ""
		}, w)
		return id
	}
	asks := []struct {
		what string
		ask  func()
	}{
		{"scan by command", func() { w.nodes[1].mustRun("scan") }},
		{"scan by HTTP", func() {
			w.nodes[2].must(http.StatusAccepted, http.MethodPost, "/v1/hotfolders/inbox/scan", "", "")
		}},
		{"retry by command", func() { w.nodes[1].mustRun("retry", tooLarge()) }},
		{"retry by HTTP", func() {
			w.nodes[2].must(http.StatusOK, http.MethodPost, "/v1/failed/"+tooLarge()+"/retry", "", "")
		}},
	}
	for _, a := range asks {
		asked := w.scans()
		before := time.Now()
		a.ask()
		within(t, 20*time.Second, a.what+": every node looks", func() bool {
			for id, last := range w.scans() {
				if !last.After(asked[id]) {
					return false
				}
			}
			return true
		}, w)
		t.Logf("%s: all have looked after %v", a.what, time.Since(before).Round(time.Millisecond))
	}
}

// scans are when each node has looked at the inbox last.
func (w *world) scans() map[string]time.Time {
	all := map[string]time.Time{}
	for _, p := range w.nodes {
		all[p.id] = p.folder("inbox").LastScan
	}
	return all
}

func (p *process) mustRun(args ...string) {
	p.t.Helper()
	if out, err := p.hotfolderd(args...); err != nil {
		p.t.Fatalf("%q: %v\n%s", args, err, out)
	}
}
