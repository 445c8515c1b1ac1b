package cluster_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hotfolderd/leases/consul/consultest"
)

// TestRolling_drainAndWhatIsInHand tells a node to leave while it walks a large drop: with time it finishes it, without the
// other node does.
func TestRolling_drainAndWhatIsInHand(t *testing.T) {
	t.Parallel()
	for name, deadline := range map[string]string{"with time": "60s", "without": "0s"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, []string{consultest.Start(t).Addr}, 2)
			w.begin()
			w.awaitWhole(w.nodes...)
			walker, other := w.dropLarge("large.bin")
			begin := time.Now()
			walker.must(http.StatusAccepted, http.MethodPost, "/v1/drain", "", `{"deadline": "`+deadline+`"}`)
			if err := walker.wait(); err != nil {
				t.Errorf("%s: want an orderly end, got %v\n%s", walker.id, err, walker.log)
			}
			left := time.Since(begin)
			within(t, time.Minute, "the drop is taken", func() bool { return w.drops().gone("large.bin") }, w)
			records := w.ledger()
			if len(records) != 1 {
				t.Fatalf("want one record, got %v", records)
			}
			by := map[string]string{"60s": walker.id, "0s": other.id}[deadline]
			t.Logf("%s left after %v, %s imported it", walker.id, left.Round(time.Millisecond), records[0].Node)
			if records[0].Node != by {
				t.Errorf("want node %s to have imported it, got %s\n%v", by, records[0].Node, w)
			}
		})
	}
}

// dropLarge puts a drop there that takes a while, and returns who walks it.
func (w *world) dropLarge(name string) (walker, other *process) {
	w.t.Helper()
	tmp := filepath.Join(w.store, "incoming-"+name)
	write(w.t, tmp, strings.Repeat("a file without a hole. ", 8<<20))
	if err := os.Rename(tmp, w.inbox(name)); err != nil {
		w.t.Fatal(err)
	}
	within(w.t, 20*time.Second, "a node walks it", func() bool {
		for i, p := range w.nodes {
			if p.inHand() > 0 {
				walker, other = p, w.nodes[1-i]
				return true
			}
		}
		return false
	}, w)
	return walker, other
}

// inHand is how many drops the node walks now.
func (p *process) inHand() (n int) {
	var all struct {
		Hotfolders []struct {
			InFlight int `json:"in_flight"`
		} `json:"hotfolders"`
	}
	p.get("/v1/hotfolders", &all)
	for _, f := range all.Hotfolders {
		n += f.InFlight
	}
	return n
}
