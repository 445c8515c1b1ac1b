package cluster_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hotfolderd/leases/consul/consultest"
)

func TestDrift_isShownByEveryNode(t *testing.T) {
	t.Parallel()
	w := newWorld(t, []string{consultest.Start(t).Addr}, 3)
	b := w.nodes[1]
	rules := filepath.Join(w.dir, "rules of b")
	write(t, filepath.Join(rules, "inbox.yaml"), defaultRule+"after: archive\n")
	data, err := os.ReadFile(b.settings)
	if err != nil {
		t.Fatal(err)
	}
	write(t, b.settings, strings.ReplaceAll(string(data), w.rules, rules))
	w.begin()
	w.awaitWhole(w.nodes...)
	for _, p := range w.nodes {
		v := p.view()
		if len(v.Drift) != 1 {
			t.Fatalf("%s: want one sentence about what differs, got %q", p.id, v.Drift)
		}
		says(t, v.Drift[0], "Node b", "rules")
		out, err := p.hotfolderd("cluster")
		if err != nil {
			t.Errorf("%s: %v", p.id, err)
		}
		says(t, out, v.Drift[0])
	}
	write(t, filepath.Join(rules, "inbox.yaml"), defaultRule)
	within(t, 10*time.Second, "no node sees a difference", func() bool {
		for _, p := range w.nodes {
			if v := p.view(); v.Node == "" || len(v.Drift) > 0 {
				return false
			}
		}
		return true
	}, w)
}

func TestWaitForNodes_holdsImportsUntilEnoughAreThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, []string{consultest.Start(t).Addr}, 3, "  wait_for_nodes: 3\n")
	d := w.drops()
	d.some(30)
	for _, p := range w.nodes[:2] {
		p.start()
		p.awaitState("active")
	}
	a, c := w.nodes[0], w.nodes[2]
	within(t, 10*time.Second, "a knows of two", func() bool { return len(a.view().Members) == 2 }, w)
	v := a.view()
	if v.Importing {
		t.Error("two nodes of three import already")
	}
	says(t, v.ImportingWhy, "2 of the 3", "wait_for_nodes")
	if out, err := a.hotfolderd("cluster"); err != nil || !strings.Contains(out, v.ImportingWhy) {
		t.Errorf("cluster does not tell it: %v\n%s", err, out)
	}
	if out, err := a.hotfolderd("status"); err != nil || !strings.Contains(out, v.ImportingWhy) {
		t.Errorf("status does not tell it: %v\n%s", err, out)
	}
	if n := len(w.ledger()); n != 0 {
		t.Errorf("%d drops were imported", n)
	}
	c.start()
	d.awaitGone(time.Minute)
	d.audit(t)
	c.kill() // who has been there once need not stay
	d.some(30)
	d.awaitGone(time.Minute)
	d.audit(t)
}
