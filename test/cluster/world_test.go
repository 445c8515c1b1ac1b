package cluster_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hotfolderd/leases/consul/consultest"
)

// world is a store, a Consul and some nodes.
type world struct {
	t      testing.TB
	dir    string // everything is below it
	store  string // the folder of the store, where it is one
	tree   tree   // the store
	door   tree   // where people drop, which may be another store
	under  string // what precedes the name of a drop there
	once   bool   // nobody may drop other bytes under a name there: the store could lose them
	rules  string
	consul []string // addresses
	nodes  []*process
	pauses []pause // of nodes, by faults of a history
}

const defaultRule = `hotfolder: inbox
complete: { settle: 200ms }
thumbnails: { sizes: [] }
`

// newWorld makes a world of n nodes that are not started yet. Each of more is a block of YAML for the settings of all nodes.
func newWorld(t testing.TB, consul []string, n int, more ...string) *world {
	t.Helper()
	dir := folder(t)
	store := filepath.Join(dir, "store")
	w := worldOn(t, dir, consul, folderTree{t, store, store}, nil)
	w.store = store
	write(t, filepath.Join(w.store, "hotfolders", "inbox", ".keep"), "")
	for i := range n {
		w.add(string(rune('a'+i)), "", more...)
	}
	return w
}

// worldOn is a world without nodes on any store. Its hotfolder is a folder there, or all of another store.
func worldOn(t testing.TB, dir string, consul []string, store, door tree) *world {
	w := &world{t: t, dir: dir, tree: store, door: store, under: "hotfolders/inbox/", rules: filepath.Join(dir, "rules"), consul: consul}
	rule := defaultRule
	if door != nil {
		w.door, w.under = door, ""
		rule += fmt.Sprintf("path: %q\n", door.url())
	}
	write(t, filepath.Join(w.rules, "inbox.yaml"), rule)
	return w
}

// folder is one that goes with the test, or stays to be looked at where HOTFOLDERD_CHAOS_KEEP says.
func folder(t testing.TB) string {
	t.Helper()
	keep := os.Getenv("HOTFOLDERD_CHAOS_KEEP")
	if keep == "" {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp(keep, consultest.Namespace(t)+"-")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// note writes down, beside the logs of the nodes, what the test does.
func (w *world) note(format string, args ...any) {
	f, err := os.OpenFile(filepath.Join(w.dir, "notes"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		w.t.Error(err)
		return
	}
	defer f.Close()
	fmt.Fprintf(f, "%s %s\n", time.Now().Format(time.RFC3339Nano), fmt.Sprintf(format, args...))
}

// String is what the nodes wrote last.
func (w *world) String() string {
	var b strings.Builder
	for _, p := range w.nodes {
		fmt.Fprintf(&b, "--- %s\n%s\n", p.id, p.tail())
	}
	return b.String()
}

// add makes one more node; node is added to its block node:, cluster to its block cluster:.
func (w *world) add(id, node string, cluster ...string) *process {
	w.t.Helper()
	home := filepath.Join(w.dir, "node-"+id)
	p := &process{t: w.t, id: id, addr: freeAddr(w.t), home: home, settings: filepath.Join(home, "hotfolderd.yaml")}
	write(w.t, p.settings, fmt.Sprintf(`node: { id: %s%s }
storage: { url: %q%s }
cluster:
  consul: [%s]
  namespace: %s
%shotfolders: %q
http: { listen: %q }
log: { format: json }
`, id, node, w.tree.url(), w.more(), strings.Join(w.consul, ", "), consultest.Namespace(w.t), strings.Join(cluster, ""), w.rules, p.addr))
	w.nodes = append(w.nodes, p)
	w.t.Cleanup(p.kill)
	return p
}

// more is what the settings must say of the stores beside their addresses.
func (w *world) more() string {
	if more := w.tree.more(); more != "" {
		return more
	}
	return w.door.more()
}

// begin starts all nodes and waits until they are ready.
func (w *world) begin() {
	w.t.Helper()
	for _, p := range w.nodes {
		p.start()
	}
	for _, p := range w.nodes {
		p.awaitReady()
	}
}

// inbox is a path in the hotfolder.
func (w *world) inbox(name string) string { return filepath.Join(w.store, "hotfolders", "inbox", name) }
