package cluster_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"hotfolderd/leases/consul/consultest"
)

// TestShares_equalNodesTakeEqualParts also counts what that costs Consul: nothing that grows with the number of drops.
func TestShares_equalNodesTakeEqualParts(t *testing.T) {
	server := consultest.Start(t)
	w := newWorld(t, []string{server.Addr}, 3)
	w.begin()
	w.awaitFair(w.nodes...)
	before := server.QuietIndex(t)
	spy := server.Spy(t)
	d, begin := w.drops(), time.Now()
	d.some(env(t, "HOTFOLDERD_DROPS", 6000))
	d.awaitTaken(10 * time.Minute)
	took := time.Since(begin)
	wrote := server.QuietIndex(t) - before
	byNode := d.audit(t)
	_, keys := spy.Seen()
	t.Logf("%d drops in %v by %v; %d writes in Consul:\n%s", len(d.by), took.Round(time.Millisecond), byNode, wrote, keys)
	counts := slices.Sorted(maps.Values(byNode))
	if len(counts) != 3 || float64(counts[2]) > 1.15*float64(counts[0]) {
		t.Errorf("the most is more than 1.15 times the least: %v", byNode)
	}
	if wrote > 100 {
		t.Errorf("want at most 100 writes in Consul, got %d", wrote)
	}
}

// TestShares_followWeightsRolesAndPins has a node with twice the weight, one without the role import, one hotfolder that only b
// may import and one that a should.
func TestShares_followWeightsRolesAndPins(t *testing.T) {
	t.Parallel()
	w := newWorld(t, []string{consultest.Start(t).Addr}, 0)
	a, b := w.add("a", ", weight: 2"), w.add("b", "")
	c := w.add("c", ", weight: 9, roles: [thumbnails, web]")
	for hotfolder, rule := range map[string]string{"only": "run_on: [b]", "rather": "prefer: [a]"} {
		write(t, filepath.Join(w.rules, hotfolder+".yaml"), "hotfolder: "+hotfolder+"\ncomplete: { settle: 200ms }\n"+rule+"\n")
		write(t, filepath.Join(w.store, "hotfolders", hotfolder, ".keep"), "")
	}
	w.begin()
	w.awaitWhole(a, b, c)
	w.awaitPinned("only", b)
	w.awaitPinned("rather", a)

	d := w.drops()
	d.some(3000)
	w.dropInto("only", 200)
	w.dropInto("rather", 200)
	d.awaitTaken(2 * time.Minute)
	w.awaitEmpty("only")
	w.awaitEmpty("rather")
	got := w.imports()
	t.Logf("imports: %v", got)
	if ratio := float64(got["inbox a"]) / float64(got["inbox b"]); ratio < 1.8 || ratio > 2.2 {
		t.Errorf("weights 2:1: want twice as many, got %.2f times", ratio)
	}
	want := map[string]int{"inbox a": got["inbox a"], "inbox b": 3000 - got["inbox a"], "only b": 200, "rather a": 200}
	if !maps.Equal(got, want) {
		t.Errorf("want %v, got %v", want, got)
	}

	a.kill() // b is preferred by nobody, and better than nobody
	w.dropInto("rather", 20)
	w.awaitEmpty("rather")
	if n := w.imports()["rather b"]; n != 20 {
		t.Errorf("want 20 drops imported in place of the preferred node, got %d", n)
	}
}

// awaitPinned waits until one node has all of a pinned hotfolder.
func (w *world) awaitPinned(hotfolder string, to *process) {
	w.t.Helper()
	within(w.t, 20*time.Second, to.id+" has hotfolder "+hotfolder, func() bool { return to.view().partitions(hotfolder) == 16 }, w)
}

// dropInto puts n new files into any hotfolder.
func (w *world) dropInto(hotfolder string, n int) {
	w.t.Helper()
	for i := range n {
		name := fmt.Sprintf("%s-%d-%d.txt", hotfolder, time.Now().UnixNano(), i)
		tmp := filepath.Join(w.store, "incoming-"+name)
		write(w.t, tmp, name)
		if err := os.Rename(tmp, filepath.Join(w.store, "hotfolders", hotfolder, name)); err != nil {
			w.t.Fatal(err)
		}
	}
}

// awaitEmpty waits until nothing lies in a hotfolder.
func (w *world) awaitEmpty(hotfolder string) {
	w.t.Helper()
	within(w.t, time.Minute, hotfolder+" is empty", func() bool {
		entries, err := os.ReadDir(filepath.Join(w.store, "hotfolders", hotfolder))
		return err == nil && len(entries) == 1 // .keep
	}, w)
}

// imports counts the records by hotfolder and node, "inbox a".
func (w *world) imports() map[string]int {
	got := map[string]int{}
	for _, r := range w.ledger() {
		got[filepath.Dir(r.Name)+" "+r.Node]++
	}
	return got
}

// awaitTaken is awaitGone for many drops: it does not read the whole folder all the time.
func (d *drops) awaitTaken(patience time.Duration) {
	d.w.t.Helper()
	for end := time.Now().Add(patience); !d.allGone(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			d.w.t.Fatalf("not all drops are taken within %s\n%v", patience, d.w)
		}
	}
}
