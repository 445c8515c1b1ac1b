package cluster_test

import (
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"hotfolderd/leases/consul/consultest"
)

// TestRoles_commandsWorkOnEveryNode has one node that serves and does not import, and one that imports and does not serve. It also
// looks whether drops that nobody may take are told of.
func TestRoles_commandsWorkOnEveryNode(t *testing.T) {
	t.Parallel()
	w := newWorld(t, []string{consultest.Start(t).Addr}, 0)
	a, b := w.add("a", ", roles: [web]"), w.add("b", ", roles: [import]")
	write(t, filepath.Join(w.rules, "strict.yaml"), "hotfolder: strict\nrun_on: [other]\n")
	w.begin()
	w.awaitWhole(a, b)
	for _, p := range w.nodes {
		for command, words := range map[string][]string{"cluster": {"a ", "b ", "import"}, "status": {"inbox", "warn: strict: ", "run_on: other"}} {
			out, err := p.hotfolderd(command)
			if err != nil {
				t.Errorf("%s: %s: %v", p.id, command, err)
			}
			says(t, out, words...)
		}
	}
	b.must(http.StatusNotImplemented, http.MethodGet, "/v1/assets/any.txt", "", "")
	d := w.drops()
	d.some(10)
	d.awaitGone(awaitDrops)
	d.audit(t)
	if out, err := b.hotfolderd("drain"); err != nil || b.wait() != nil {
		t.Errorf("drain: %v\n%s", err, out)
	}
	within(t, 10*time.Second, "a says that nobody imports", func() bool {
		out, err := a.hotfolderd("status")
		return err == nil && has(out, "warn: inbox: ", "no live node has the role import")
	}, w)
}
