package cluster_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"hotfolderd/leases/consul/consultest"
)

// awaitDrops is patience for what was dropped while nodes could not import.
const awaitDrops = time.Minute

const shortTTL = "  session_ttl: 2s\n"

// TestStates_withoutConsulNodesReadOnly takes Consul away from all nodes and gives it back.
func TestStates_withoutConsulNodesReadOnly(t *testing.T) {
	t.Parallel()
	server := consultest.Start(t)
	w := newWorld(t, []string{server.Addr}, 3, shortTTL)
	w.begin()
	w.awaitWhole(w.nodes...)
	a, b := w.nodes[0], w.nodes[1]
	a.put("states.txt", "before")
	d := w.drops()
	d.some(30)
	d.awaitGone(awaitDrops)

	server.Pause(t)
	begin := time.Now()
	for _, p := range w.nodes {
		p.awaitState("read-only")
	}
	t.Logf("read-only after %v", time.Since(begin).Round(time.Millisecond))
	imported := len(w.ledger())
	d.some(30)
	for _, p := range w.nodes {
		p.mustBeReadOnly("states.txt", "before")
	}
	if n := len(w.ledger()); n != imported {
		t.Errorf("%d drops were imported by nodes that are read-only", n-imported)
	}

	server.Resume(t)
	begin = time.Now()
	for _, p := range w.nodes {
		p.awaitState("active")
	}
	t.Logf("active again after %v", time.Since(begin).Round(time.Millisecond))
	d.awaitGone(awaitDrops)
	w.awaitWhole(w.nodes...)
	d.audit(t)
	index := b.put("states.txt", "after").index
	for _, p := range w.nodes {
		if r := p.fetch("states.txt", index); r.body != "after" {
			t.Errorf("%s: want what was written after, got %v", p.id, r)
		}
		if page := p.must(http.StatusOK, http.MethodGet, "/", "", ""); strings.Contains(page.body, "This node is read-only") {
			t.Errorf("%s: the page still says that it is read-only", p.id)
		}
	}
}

// mustBeReadOnly looks at everything that a read-only node shows.
func (p *process) mustBeReadOnly(name, body string) {
	p.t.Helper()
	if r := p.must(http.StatusOK, http.MethodGet, "/readyz", "", ""); !strings.Contains(r.body, "read-only") {
		p.t.Errorf("%s: readyz says %v", p.id, r)
	}
	if r := p.fetch(name, ""); r.body != body {
		p.t.Errorf("%s: want what was there, got %v", p.id, r)
	}
	for _, change := range []string{
		"PUT /v1/assets/" + name, "DELETE /v1/assets/" + name, "PUT /v1/hotfolders/inbox/" + name, "PUT /v1/workarea/" + name, "PUT /dav/inbox/" + name,
		"POST /v1/jobs",
	} {
		method, route, _ := strings.Cut(change, " ")
		body := map[bool]string{true: "{}", false: "other"}[method == http.MethodPost]
		r := p.must(http.StatusServiceUnavailable, method, route, "", body)
		if n, err := strconv.Atoi(r.after); err != nil || n < 1 {
			p.t.Errorf("%s: %s tells no Retry-After: %v", p.id, change, r)
		}
		says(p.t, r.body, "read-only", "isolation")
	}
	page := p.must(http.StatusOK, http.MethodGet, "/", "", "")
	says(p.t, page.body, "This node is read-only", "Consul does not answer")
	for _, command := range []string{"cluster", "status"} {
		out, err := p.hotfolderd(command)
		if err != nil {
			p.t.Errorf("%s: %s: %v", p.id, command, err)
		}
		says(p.t, out, "read-only", "Consul does not answer")
	}
}
