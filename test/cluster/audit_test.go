package cluster_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// record is what the audit reads of a ledger record, and of an entry of the catalog.
type record struct {
	Drop    string `json:"drop"`
	Folder  string `json:"hotfolder"` // "" of what was stored by HTTP or the command
	Key     string `json:"key"`
	Name    string `json:"name"`
	Node    string `json:"node"`
	Token   string `json:"token"`
	Content struct {
		SHA256 string `json:"sha256"`
		Size   int64  `json:"size"`
	} `json:"content"`
	// Committed is just before the record was made, changed (by the store) after that.
	Committed time.Time `json:"committed"`
	changed   time.Time
}

// audit holds the ledger, the assets and the catalog against what was dropped: each once, whole, none lost, the last of each
// name on top. It shares no code with the program. It returns the number of records by node.
func (d *drops) audit(t testing.TB) (byNode map[string]int) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	byNode = map[string]int{}
	named := map[string]map[string]int{}    // by key and bytes
	imported := map[string]map[string]int{} // the same by the name that was dropped
	ledger := d.w.ledger()
	sideBySide(len(ledger), func(i int) {
		if ledger[i].Folder != "" {
			d.auditAsset(t, ledger[i])
		}
	})
	for _, r := range ledger {
		if r.Folder == "" {
			continue
		}
		byNode[r.Node]++
		count(named, r.Key, r.Content.SHA256)
		count(imported, restored.ReplaceAllString(r.Key, ""), r.Content.SHA256)
	}
	for key := range imported {
		if d.by[key] == nil && !d.alien(key) {
			t.Errorf("%s has a record and was never dropped", key)
		}
	}
	catalog := d.w.catalog()
	for name, contents := range d.by {
		auditImports(t, name, contents, imported[name])
		auditCatalog(t, name, contents, named[name], catalog["inbox/"+name])
	}
	if left := d.w.tree.list("workarea/failed"); len(left) > 0 {
		t.Errorf("drops that failed: %v", left)
	}
	t.Logf("audit: %d names, records by node: %v", len(d.by), byNode)
	return byNode
}

// restored is what a file is called, beside another that has got its name, when a node had it in hand that was killed then.
var restored = regexp.MustCompile(` \(restored \d+\)`)

func count(by map[string]map[string]int, key, sum string) {
	if by[key] == nil {
		by[key] = map[string]int{}
	}
	by[key][sum]++
}

// alien reports whether a key was dropped by somebody else, who looks after it.
func (d *drops) alien(key string) bool { return strings.HasPrefix(key, historyPrefix) }

func auditImports(t testing.TB, name string, contents []content, imported map[string]int) {
	t.Helper()
	known := 0
	for i, c := range contents {
		n := imported[c.sum]
		known += n
		if n > 1 || n == 0 && !c.covered {
			t.Errorf("%s, content %d of %d: imported %d times", name, i+1, len(contents), n)
		}
	}
	all := 0
	for _, n := range imported {
		all += n
	}
	if known != all {
		t.Errorf("%s: %d records have bytes that nobody dropped: %v", name, all-known, imported)
	}
}

// auditCatalog wants the versions of a name numbered from 1, one for each import, and the last content as the highest. Content that
// was covered by other bytes just between its commit and its entry may stay without one: its import was stopped, and the drop that
// stood for it was gone.
func auditCatalog(t testing.TB, name string, contents []content, imported map[string]int, versions map[int]record) {
	t.Helper()
	least := len(imported)
	for _, c := range contents {
		if c.covered && imported[c.sum] > 0 {
			least--
		}
	}
	if len(versions) < least || len(versions) > len(imported) {
		t.Errorf("%s: want %d to %d versions in the catalog, got %d", name, least, len(imported), len(versions))
	}
	for n := 1; n <= len(versions); n++ {
		if versions[n].Content.SHA256 == "" {
			t.Errorf("%s: no version %d of %d", name, n, len(versions))
		}
	}
	if last := contents[len(contents)-1].sum; versions[len(versions)].Content.SHA256 != last {
		t.Errorf("%s: the name stands for other bytes than were dropped last: %v, want %v of %v", name, versions, last, contents)
	}
}

func (d *drops) auditAsset(t testing.TB, r record) {
	t.Helper()
	h := r.Content.SHA256
	data, _, err := d.w.tree.read("workarea/assets/" + h[:2] + "/" + h)
	if err != nil {
		t.Errorf("%s: %v", r.Key, err)
		return
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != h {
		t.Errorf("%s: the asset's bytes are not those of its name", r.Key)
	}
}

// ledger reads all records of the store.
func (w *world) ledger() []record {
	w.t.Helper()
	return w.readAllOf(w.tree.list("workarea/ledger"))
}

func (w *world) readAllOf(paths []string) []record {
	all := make([]record, len(paths))
	sideBySide(len(paths), func(i int) { all[i] = w.read(paths[i]) })
	return all
}

// sideBySide calls do with 0 to n-1, several at a time: a bucket answers each request late.
func sideBySide(n int, do func(i int)) {
	var all errgroup.Group
	all.SetLimit(16)
	for i := range n {
		all.Go(func() error { do(i); return nil })
	}
	_ = all.Wait()
}

// commits are the times of all imports in their order.
func (w *world) commits() (all []time.Time) {
	for _, r := range w.ledger() {
		all = append(all, r.Committed)
	}
	sortTimes(all)
	return all
}

// longestGap is the longest time without an import that began between two moments.
func longestGap(commits []time.Time, from, to time.Time) (longest time.Duration) {
	for i, c := range commits[:max(len(commits)-1, 0)] {
		if c.After(from) && c.Before(to) {
			longest = max(longest, commits[i+1].Sub(c))
		}
	}
	return longest
}

// catalog reads all entries: the versions of each name.
func (w *world) catalog() map[string]map[int]record {
	w.t.Helper()
	all := map[string]map[int]record{}
	paths := w.tree.list("workarea/catalog")
	for i, r := range w.readAllOf(paths) {
		path := paths[i]
		rel := strings.TrimPrefix(path, "workarea/catalog/")
		name, n := entryOf(rel)
		if n == 0 {
			w.t.Errorf("a foreign file in the catalog: %s", rel)
			continue
		}
		if all[name] == nil {
			all[name] = map[int]record{}
		}
		all[name][n] = r
	}
	return all
}

// entryOf takes the path of an entry apart: <name>.1.json or <name>.v/<n>.json; 0 when it is neither.
func entryOf(rel string) (name string, n int) {
	if name, first := strings.CutSuffix(rel, ".1.json"); first {
		return name, 1
	}
	dir, base := filepath.Split(rel)
	name, later := strings.CutSuffix(dir, ".v/")
	n, err := strconv.Atoi(strings.TrimSuffix(base, ".json"))
	if !later || err != nil {
		return "", 0
	}
	return name, n
}

func (w *world) read(path string) (r record) {
	w.t.Helper()
	data, changed, err := w.tree.read(path)
	if err == nil {
		err = json.Unmarshal(data, &r)
	}
	r.changed = changed
	if err != nil {
		w.t.Error(fmt.Errorf("%s: %w", path, err))
	}
	return r
}

// files are all files below a folder, which may be missing.
func files(root string) (all []string) {
	_ = filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			all = append(all, path)
		}
		return nil
	})
	return all
}
