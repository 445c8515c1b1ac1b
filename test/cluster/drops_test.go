package cluster_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// drops are what was put into the hotfolder: name to SHA-256.
type drops struct {
	w  *world
	mu sync.Mutex
	by map[string]string
}

func (w *world) drops() *drops { return &drops{w: w, by: map[string]string{}} }

// drop puts one new file there, by a rename from outside the hotfolder.
func (d *drops) drop() (name string) {
	d.mu.Lock()
	n := len(d.by)
	name = fmt.Sprintf("%06d.txt", n)
	content := fmt.Sprintf("drop %d %d\n%s", n, rand.Uint64(), strings.Repeat("x", rand.IntN(3000)))
	sum := sha256.Sum256([]byte(content))
	d.by[name] = hex.EncodeToString(sum[:])
	d.mu.Unlock()
	tmp := filepath.Join(d.w.store, "incoming-"+name)
	write(d.w.t, tmp, content)
	if err := os.Rename(tmp, d.w.inbox(name)); err != nil {
		d.w.t.Error(err)
	}
	return name
}

// stream drops files at about this rate until stop is closed.
func (d *drops) stream(perSecond int, stop <-chan struct{}) (ended chan struct{}) {
	ended = make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(time.Second / time.Duration(perSecond))
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				d.drop()
			}
		}
	}()
	return ended
}

// gone reports whether the hotfolder does not hold this drop any more.
func (d *drops) gone(name string) bool {
	_, err := os.Lstat(d.w.inbox(name))
	return os.IsNotExist(err)
}

// allGone reports whether nothing waits.
func (d *drops) allGone() bool {
	entries, err := os.ReadDir(d.w.inbox(""))
	if err != nil {
		return false
	}
	for _, e := range entries {
		if e.Name() != ".keep" {
			return false
		}
	}
	return true
}

// record is what the audit reads of a ledger record.
type record struct {
	Key     string `json:"key"`
	Name    string `json:"name"`
	Node    string `json:"node"`
	Token   string `json:"token"`
	Content struct {
		SHA256 string `json:"sha256"`
		Size   int64  `json:"size"`
	} `json:"content"`
}

// ledger reads all records of the store with nothing but the standard library.
func (w *world) ledger() []record {
	w.t.Helper()
	var all []record
	err := filepath.WalkDir(filepath.Join(w.store, "workarea", "ledger"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var r record
		if err := json.Unmarshal(data, &r); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		all = append(all, r)
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// audit holds the ledger and the assets against what was dropped: each once, whole, none lost. It returns the number of records
// by node.
func (d *drops) audit(t testing.TB) (byNode map[string]int) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	byNode, seen := map[string]int{}, map[string]int{}
	for _, r := range d.w.ledger() {
		byNode[r.Node]++
		seen[r.Key]++
		if want := d.by[r.Key]; r.Content.SHA256 != want {
			t.Errorf("%s: want the bytes %s, the record has %s", r.Key, want, r.Content.SHA256)
		}
		d.auditAsset(t, r)
	}
	for name := range d.by {
		if seen[name] != 1 {
			t.Errorf("%s was imported %d times", name, seen[name])
		}
	}
	return byNode
}

func (d *drops) auditAsset(t testing.TB, r record) {
	t.Helper()
	h := r.Content.SHA256
	data, err := os.ReadFile(filepath.Join(d.w.store, "workarea", "assets", h[:2], h))
	if err != nil {
		t.Errorf("%s: %v", r.Key, err)
		return
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != h {
		t.Errorf("%s: the asset's bytes are not those of its name", r.Key)
	}
}
