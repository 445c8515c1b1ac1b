package cluster_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"hotfolderd/leases/consul/consultest"
)

// TestCLI_putIsSeenByEveryNode stores with the command beside running nodes, with the settings of one of them and with those of a
// machine that is no node.
func TestCLI_putIsSeenByEveryNode(t *testing.T) {
	t.Parallel()
	w := newWorld(t, []string{consultest.Start(t).Addr}, 3)
	w.begin()
	w.awaitWhole(w.nodes...)
	outside := w.twin(w.nodes[0], "id: a", "id: batch")
	w.nodes[0].put("cli/one.txt", "version 0")
	for n, from := range []*process{w.nodes[0], outside, w.nodes[1], outside} {
		for _, p := range w.nodes { // all cache what is there now
			p.fetch("cli/one.txt", "")
		}
		file, body := filepath.Join(w.dir, "file"), fmt.Sprint("version ", n+1)
		write(t, file, body)
		index := from.putByCommand(file, "cli/one.txt")
		for _, p := range w.nodes {
			if r := p.fetch("cli/one.txt", index); r.body != body {
				t.Errorf("put by %s, node %s with index %s: want %s, got %v", from.id, p.id, index, body, r)
			}
		}
	}
	out, err := w.nodes[0].hotfolderd("get", "cli/one.txt")
	if err != nil || out != "version 4" {
		t.Errorf("get: %v\n%s", err, out)
	}
	for _, p := range w.nodes {
		if v := p.view(); v.states() != "a:active b:active c:active" || p.log.has("session is lost") {
			t.Errorf("the commands disturbed node %s: %s\n%s", p.id, v.states(), p.log)
		}
	}
}

// putByCommand returns the index that the command prints.
func (p *process) putByCommand(file, name string) (index string) {
	p.t.Helper()
	out, err := p.hotfolderd("put", file, name, "--json")
	var got struct {
		Name, Index string
	}
	if err == nil {
		err = json.Unmarshal([]byte(out), &got)
	}
	if err != nil || got.Name != name || got.Index == "" {
		p.t.Fatalf("put: %v\n%s", err, out)
	}
	return got.Index
}

// What somebody changed behind the nodes' back is seen after cache clear.
func TestCLI_cacheClear(t *testing.T) {
	t.Parallel()
	w := newWorld(t, []string{consultest.Start(t).Addr}, 3)
	w.begin()
	w.awaitWhole(w.nodes...)
	a, b := w.nodes[0], w.nodes[1]
	a.put("clear.txt", "one")
	a.put("clear.txt", "two")
	for _, p := range w.nodes {
		p.fetch("clear.txt", "")
	}
	before := b.view().Invalidation.Clears
	out, err := a.hotfolderd("cache", "clear", "--json")
	var got struct{ Index string }
	if err != nil || json.Unmarshal([]byte(out), &got) != nil || got.Index == "" {
		t.Fatalf("cache clear: %v\n%s", err, out)
	}
	for _, p := range w.nodes {
		if r := p.fetch("clear.txt", got.Index); r.body != "two" {
			t.Errorf("%s: %v", p.id, r)
		}
	}
	if after := b.view().Invalidation.Clears; after != before+1 {
		t.Errorf("want b to have forgotten everything once more, got %d after %d", after, before)
	}
	for _, p := range w.nodes {
		if n := strings.Count(p.log.String(), "asked to"); n != 1 {
			t.Errorf("%s: want the clearing in the log once, got %d times\n%s", p.id, n, p.log)
		}
	}
	if r := b.must(http.StatusOK, http.MethodPost, "/v1/cache/clear", "", ""); !strings.HasPrefix(r.index, "b.") {
		t.Errorf("clear by HTTP: %v", r)
	}
}
