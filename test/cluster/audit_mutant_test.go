package cluster_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"hotfolderd/storage/s3/s3test"
)

// TestAudit_seesWhatIsLostDoubledOrBroken gives the audit a store without a fault, and one with each.
func TestAudit_seesWhatIsLostDoubledOrBroken(t *testing.T) {
	t.Parallel()
	server := s3test.MinIO(t)
	faults := map[string]func(d *drops, hash string){
		"lost":          func(d *drops, _ string) { d.prepare("never-imported.txt") },
		"twice":         func(d *drops, hash string) { d.record("workarea/ledger/ff/second.json", "000000.txt", hash) },
		"foreign bytes": func(d *drops, _ string) { d.record("workarea/ledger/ff/x.json", "000000.txt", strings.Repeat("0", 64)) },
		"never dropped": func(d *drops, hash string) { d.record("workarea/ledger/ff/x.json", "nobody.txt", hash) },
		"failed":        func(d *drops, _ string) { d.put("workarea/failed/inbox/a.txt", "a") },
		"no name":       func(d *drops, hash string) { d.put("workarea/catalog/inbox/000000.txt.v/3.json", "{}") },
		"half an asset": func(d *drops, _ string) {
			half := strings.Repeat("1", 64)
			d.by["h.txt"] = []content{{sum: half}}
			d.put("workarea/assets/11/"+half, "half")
			d.record("workarea/ledger/11/x.json", "h.txt", half)
			d.record("workarea/catalog/inbox/h.txt.1.json", "h.txt", half)
		},
		"": func(*drops, string) {},
	}
	for name, fault := range faults {
		for _, kind := range []string{"folder", "bucket"} {
			counted := &counting{TB: t}
			var store tree = newBucketTree(t, server, "p")
			if kind == "folder" {
				store = folderTreeIn(t, t.TempDir(), "store")
			}
			d := worldOn(counted, t.TempDir(), nil, store, nil).drops()
			text, _ := d.prepare("000000.txt")
			hash := d.by["000000.txt"][0].sum
			d.put("workarea/assets/"+hash[:2]+"/"+hash, text)
			d.record("workarea/ledger/00/one.json", "000000.txt", hash)
			d.record("workarea/catalog/inbox/000000.txt.1.json", "000000.txt", hash)
			fault(d, hash)
			d.audit(counted)
			if seen := counted.errors.Load() > 0; seen != (name != "") {
				t.Errorf("%s, fault %q: seen is %v", kind, name, seen)
			}
		}
	}
}

// record writes what a node would.
func (d *drops) record(path, key, hash string) {
	d.w.t.Helper()
	doc, err := json.Marshal(map[string]any{
		"hotfolder": "inbox", "key": key, "node": "a", "drop": path, "content": map[string]any{"sha256": hash},
	})
	if err != nil {
		d.w.t.Fatal(err)
	}
	d.put(path, string(doc))
}

func (d *drops) put(path, text string) {
	d.w.t.Helper()
	if f, ok := d.w.tree.(folderTree); ok {
		write(d.w.t, f.at(path), text)
	} else if err := d.w.tree.add(path, text); err != nil {
		d.w.t.Fatal(err)
	}
}

// counting counts errors instead of failing.
type counting struct {
	testing.TB
	errors atomic.Int32
}

func (c *counting) Errorf(format string, args ...any) {
	c.errors.Add(1)
	c.Logf(format, args...)
}

func (c *counting) Error(args ...any) { c.Errorf("%s", fmt.Sprint(args...)) }
