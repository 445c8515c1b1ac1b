package ftpgate

import (
	"context"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
	"hotfolderd/storage/posix"
)

// reach is a UserSource that reaches one hotfolder.
type reach struct{}

func (reach) Lookup(string) (*User, bool) { return nil, false }
func (reach) Decoy(string) string         { return "" }
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
	leaveMarked(t, g, p, key, content, "")
}

func leaveMarked(t *testing.T, g *Gate, p place, key asset.Key, content, mark string) {
	t.Helper()
	p.key = key
	at, err := g.names.New(t.Context(), p.folder, p.hotfolder, p.key, mark)
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
	time.Sleep(20 * time.Millisecond) // the kernel tells times apart by its tick
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

// aged is a store whose objects were all changed longer ago.
type aged struct {
	storage.Store
	by time.Duration
}

func (a aged) List(ctx context.Context, prefix asset.Key, o storage.ListOptions) iter.Seq2[storage.Object, error] {
	return func(yield func(storage.Object, error) bool) {
		for obj, err := range a.Store.List(ctx, prefix, o) {
			obj.Changed = obj.Changed.Add(-a.by)
			if !yield(obj, err) {
				return
			}
		}
	}
}

// The name of a stream is by the gate where it began. Any may have ended it, and be about to name it.
func TestSweep_aStreamIsNotTakenFromTheGateThatEndedIt(t *testing.T) {
	store, _ := sweepStore(t)
	began, p := life(t, store, "node-a")
	leaveMarked(t, began, p, "a.bin", "streamed", streamMark)
	const at = "hotfolders/inbox/a.bin"
	for _, c := range []struct {
		what string
		node string
		age  time.Duration
		want string
	}{
		{"a new life of the node that began it, soon", "node-a", 0, "absent"},
		{"another node, later", "node-b", streamGrace + time.Second, "absent"},
		{"a new life of the node that began it, later", "node-a", streamGrace + time.Second, "streamed"},
	} {
		g, _ := life(t, aged{store, c.age}, c.node)
		g.sweep(t.Context())
		if got := contentOf(t, store, at); got != c.want {
			t.Errorf("%s: want %q, got %q", c.what, c.want, got)
		}
	}
	leaveMarked(t, began, p, "b.bin", "streamed", streamMark)
	other, _ := life(t, aged{store, othersGrace + time.Second}, "node-b")
	other.sweep(t.Context())
	if got := contentOf(t, store, "hotfolders/inbox/b.bin"); got != "streamed" {
		t.Errorf("another node, much later: want it named, got %q", got)
	}
}
