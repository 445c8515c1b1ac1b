package ftpgate_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap/zaptest"
	"golang.org/x/crypto/bcrypt"

	"hotfolderd/asset"
	"hotfolderd/ftpgate"
	"hotfolderd/storage"
	"hotfolderd/storage/posix"
)

const (
	user     = "cam"
	password = "open sesame"
	patience = 20 * time.Second
)

// world is a store with two hotfolders, and users.
type world struct {
	t     testing.TB
	dir   string
	store storage.Store
	aside asset.Key
	users string
	// rename is Folder.Rename of all hotfolders.
	rename func(context.Context, storage.Object, asset.Key, storage.PutOptions) (storage.Object, error)
}

func newWorld(t testing.TB) *world {
	t.Helper()
	dir := t.TempDir()
	store, err := posix.Open(t.Context(), dir, posix.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { check(t, store.Close()) })
	w := &world{t: t, dir: dir, store: store, aside: "workarea/ftp", users: filepath.Join(t.TempDir(), "users.yaml")}
	w.rename = folders{dir}.rename(store)
	for _, h := range []string{"inbox", "products"} {
		check(t, os.MkdirAll(filepath.Join(dir, "hotfolders", h), 0o755))
	}
	w.writeUsers(fmt.Sprintf(`
users:
  - name: cam
    password_hash: %q
    hotfolders: { /: inbox, /products: products }
    permissions: [upload, list, download, delete, rename, mkdir]
  - name: box
    password_hash: %q
    hotfolders: { /: inbox }
    permissions: [upload]
  - name: shop
    password_hash: %q
    hotfolders: { /shop/products: products }
`, hash(t), hash(t), hash(t)))
	return w
}

// hash is a cheap one of the password.
func hash(t testing.TB) string {
	h, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	check(t, err)
	return string(h)
}

func (w *world) writeUsers(text string) {
	w.t.Helper()
	check(w.t, os.WriteFile(w.users+".new", []byte(text), 0o600))
	check(w.t, os.Rename(w.users+".new", w.users))
}

func (w *world) folder(name string) (ftpgate.Folder, bool) {
	if name != "inbox" && name != "products" {
		return ftpgate.Folder{}, false
	}
	var setTime func(context.Context, storage.Object, time.Time) (storage.Object, error)
	if disk, ok := w.store.(*posix.Store); ok {
		setTime = disk.SetTime
	}
	return ftpgate.Folder{
		Store: w.store, Prefix: asset.Key("hotfolders/" + name), Aside: w.aside, Folders: folders{w.dir}, Rename: w.rename, SetTime: setTime,
	}, true
}

// folders makes real ones.
type folders struct{ dir string }

func (f folders) path(k asset.Key) string { return filepath.Join(f.dir, string(k)) }

func (f folders) MakeFolder(_ context.Context, k asset.Key) error {
	return os.MkdirAll(f.path(k), 0o755)
}

func (f folders) RemoveFolder(_ context.Context, k asset.Key) error {
	if info, err := os.Lstat(f.path(k)); err != nil || !info.IsDir() {
		return errors.Join(fs.ErrNotExist, err)
	}
	return os.Remove(f.path(k))
}

// rename is the one step of Folder.Rename.
func (f folders) rename(s storage.Store) func(context.Context, storage.Object, asset.Key, storage.PutOptions) (storage.Object, error) {
	return func(ctx context.Context, src storage.Object, dst asset.Key, _ storage.PutOptions) (storage.Object, error) {
		if err := os.MkdirAll(filepath.Dir(f.path(dst)), 0o755); err != nil {
			return storage.Object{}, err
		}
		if err := os.Rename(f.path(src.Key), f.path(dst)); err != nil {
			return storage.Object{}, err
		}
		return s.Stat(ctx, dst)
	}
}

func (f folders) MoveFolder(_ context.Context, from, to asset.Key) error {
	return os.Rename(f.path(from), f.path(to))
}

// gate is a running one and what it told.
type gate struct {
	*ftpgate.Gate
	w    *world
	stop func() // ends it and waits

	mu     sync.Mutex
	heard  []string // "<hotfolder>/<key>"
	events []ftpgate.Event
}

// run starts a gate on the world's store.
func (w *world) run(change ...func(*ftpgate.Options)) *gate {
	w.t.Helper()
	users, err := ftpgate.OpenUsers(w.users, nil)
	check(w.t, err)
	g := &gate{w: w}
	o := ftpgate.Options{
		Listen: "127.0.0.1:0", Users: users, Folders: w.folder, Node: "node-a", Grace: 5 * time.Second, Heard: g.hear, Audit: g.note, Log: zaptest.NewLogger(w.t),
	}
	for _, c := range change {
		c(&o)
	}
	g.Gate, err = ftpgate.New(o)
	check(w.t, err)
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	var once sync.Once
	g.stop = func() {
		once.Do(func() {
			cancel()
			select {
			case err := <-ended:
				check(w.t, err)
			case <-time.After(patience):
				w.t.Error("want the gate to end, it hangs")
			}
		})
	}
	w.t.Cleanup(g.stop)
	return g
}

func (g *gate) hear(hotfolder string, key asset.Key, _ asset.Version) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.heard = append(g.heard, hotfolder+"/"+string(key))
}

func (g *gate) note(e ftpgate.Event) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.events = append(g.events, e)
}

func (g *gate) hasHeard(name string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, h := range g.heard {
		if h == name {
			return true
		}
	}
	return false
}

// uploads are the events about uploads.
func (g *gate) uploads() []ftpgate.Event {
	g.mu.Lock()
	defer g.mu.Unlock()
	var found []ftpgate.Event
	for _, e := range g.events {
		if e.Kind == "upload" {
			found = append(found, e)
		}
	}
	return found
}

// eventually waits until the condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("want %s; it did not come", what)
}

// idle waits until the gate has no session any more.
func (g *gate) idle() {
	g.w.t.Helper()
	eventually(g.w.t, "no sessions", func() bool { return len(g.Sessions()) == 0 })
}

func (w *world) path(name string) string { return filepath.Join(w.dir, "hotfolders", name) }

// content is a file in a hotfolder, or "absent".
func (w *world) content(name string) string {
	w.t.Helper()
	data, err := os.ReadFile(w.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return "absent"
	}
	check(w.t, err)
	return string(data)
}

func (w *world) put(name, content string) {
	w.t.Helper()
	check(w.t, os.MkdirAll(filepath.Dir(w.path(name)), 0o755))
	check(w.t, os.WriteFile(w.path(name), []byte(content), 0o644))
}

// drops are the files of a hotfolder, by name with their sizes.
func (w *world) drops(hotfolder string) map[string]int64 {
	w.t.Helper()
	found := map[string]int64{}
	check(w.t, filepath.WalkDir(w.path(hotfolder), func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			found[d.Name()] = info.Size()
		}
		return err
	}))
	return found
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func closing(t testing.TB, c io.Closer) {
	t.Cleanup(func() { _ = c.Close() })
}
