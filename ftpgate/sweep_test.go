package ftpgate

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hotfolderd/asset"
	"hotfolderd/storage"
	"hotfolderd/storage/posix"
)

// reach is a UserSource that reaches one hotfolder.
type reach struct{}

func (reach) Lookup(string) (*User, bool) { return nil, false }
func (reach) Decoy(string) *User          { return nil }
func (reach) Hotfolders() []string        { return []string{"inbox"} }

// life is one life of a gate on a store, which does nothing but sweep.
func life(t *testing.T, store storage.Store, node string) (*Gate, place) {
	t.Helper()
	f := Folder{Store: store, Prefix: "hotfolders/inbox", Aside: "aside"}
	g, err := New(Options{
		Listen: "127.0.0.1:0", Users: reach{}, Folders: func(string) (Folder, bool) { return f, true }, Node: node,
		Heard: func(string, asset.Key, asset.Version) { t.Error("want nobody told that it is known to be whole") },
	})
	if err != nil {
		t.Fatal(err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := g.Run(ended); err != nil {
		t.Fatal(err)
	}
	return g, place{hotfolder: "inbox", folder: f}
}

// leave stores a pending upload, as a gate does that dies before it has heard of its client.
func leave(t *testing.T, g *Gate, p place, key asset.Key, content string) {
	t.Helper()
	p.key = key
	at, err := g.pendingKey(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.folder.Store.Put(t.Context(), at, strings.NewReader(content), storage.PutOptions{IfAbsent: true}); err != nil {
		t.Fatal(err)
	}
}

func sweepStore(t *testing.T) (storage.Store, string) {
	t.Helper()
	dir := t.TempDir()
	store, err := posix.Open(t.Context(), dir, posix.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store, dir
}

func contentOf(t *testing.T, s storage.Store, key asset.Key) string {
	t.Helper()
	r, err := s.Open(t.Context(), key, "")
	if err != nil {
		return "absent"
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestSweep_finishesWhatADeadGateHadStored(t *testing.T) {
	store, dir := sweepStore(t)
	long := asset.Key(strings.Repeat("long/", 60) + "name.jpg")
	dead, p := life(t, store, "node-a")
	leave(t, dead, p, "short.jpg", "1")
	leave(t, dead, p, long, "2")
	leave(t, dead, p, "dir/bytes \xff.jpg", "3")
	if err := os.WriteFile(filepath.Join(dir, "aside/pending/inbox/no name of ours"), nil, 0o600); err != nil {
		t.Fatal(err)
	}

	other, _ := life(t, store, "node-b")
	other.sweep(t.Context())
	if got := contentOf(t, store, "hotfolders/inbox/short.jpg"); got != "absent" {
		t.Errorf("want another node to wait, got %q", got)
	}

	again, _ := life(t, store, "node-a")
	again.sweep(t.Context())
	for key, want := range map[asset.Key]string{"short.jpg": "1", long: "2", "dir/bytes \xff.jpg": "3"} {
		if got := contentOf(t, store, p.folder.Prefix.Join(key)); got != want {
			t.Errorf("%.20q: want %q, got %q", key, want, got)
		}
	}
	left, err := os.ReadDir(filepath.Join(dir, "aside/pending/inbox"))
	if err != nil || len(left) != 1 {
		t.Errorf("want only what is not ours left, got %v, %v", left, err)
	}
}

func TestSweep_anOlderUploadDoesNotReplaceANewerOne(t *testing.T) {
	store, dir := sweepStore(t)
	dead, p := life(t, store, "node-a")
	leave(t, dead, p, "a.jpg", "old")
	if err := os.MkdirAll(filepath.Join(dir, "hotfolders/inbox"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "hotfolders/inbox/a.jpg"), []byte("new"), 0o644); err != nil {
		t.Fatal(err)
	}
	again, _ := life(t, store, "node-a")
	again.sweep(t.Context())
	if got := contentOf(t, store, "hotfolders/inbox/a.jpg"); got != "new" {
		t.Errorf("want new, got %q", got)
	}
	if left, err := os.ReadDir(filepath.Join(dir, "aside/pending/inbox")); err != nil || len(left) != 0 {
		t.Errorf("want nothing left, got %v, %v", left, err)
	}
}
