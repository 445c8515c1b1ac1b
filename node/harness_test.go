package node

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"hotfolderd/asset"
	"hotfolderd/config"
	"hotfolderd/storage"
	"hotfolderd/workarea"
)

func TestMain(m *testing.M) {
	if child := os.Getenv("HOTFOLDERD_TEST_CHILD"); child != "" {
		runChild(child)
		return
	}
	// The contexts of the tus library end ten seconds after their request.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/tus/tusd/v2/pkg/handler.newDelayedContext.func1"))
}

// fixedRules is a rule set that a test holds in its hand.
type fixedRules []config.Rule

func (r fixedRules) Mark(context.Context) (string, error)        { return "", nil }
func (r fixedRules) Load(context.Context) ([]config.Rule, error) { return r, nil }

// rule is a rule without thumbnails that settles quickly.
func rule(hotfolder string, change ...func(*config.Rule)) config.Rule {
	r := config.DefaultRule(hotfolder)
	r.Complete.Settle = config.Duration(300 * time.Millisecond)
	r.Complete.Patience = config.Duration(2 * time.Second)
	r.Thumbnails.Sizes = nil
	for _, c := range change {
		c(&r)
	}
	return r
}

// bench is a node at work in one process with its test.
type running struct {
	*Node
	t    testing.TB
	dir  string
	stop context.CancelFunc
	done chan error
}

func options(t testing.TB, dir string, rules ...config.Rule) Options {
	s := config.Default()
	s.Node.ID = "test"
	s.Node.Roles = []string{config.RoleImport, config.RoleThumbnails}
	s.Storage.URL = dir
	log := zap.NewNop()
	if testing.Verbose() {
		log = zaptest.NewLogger(t)
	}
	return Options{Settings: s, Rules: fixedRules(rules), Log: log, Registry: prometheus.NewRegistry()}
}

func start(t testing.TB, o Options) *running {
	t.Helper()
	n, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	r := &running{Node: n, t: t, dir: o.Settings.Storage.URL, stop: cancel, done: make(chan error, 1)}
	go func() { r.done <- n.Run(ctx) }()
	t.Cleanup(r.end)
	return r
}

// end stops the node and waits for it. Idempotent.
func (r *running) end() {
	r.t.Helper()
	if r.stop == nil {
		return
	}
	r.stop()
	r.stop = nil
	select {
	case err := <-r.done:
		if err != nil {
			r.t.Errorf("want an orderly end, got %v", err)
		}
	case <-time.After(20 * time.Second):
		r.t.Error("the node does not end")
	}
}

// inbox is a path in the folder that people drop into.
func (r *running) inbox(name string) string {
	return filepath.Join(r.dir, "hotfolders", "inbox", name)
}

// within polls until ok says yes.
func within(t testing.TB, d time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(d); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %s: %s", d, what)
		}
	}
}

// imported reads the bytes of a name; nil when there is no such name, or when an injected fault hit this very look.
func imported(t testing.TB, a *workarea.Area, name asset.Key) []byte {
	t.Helper()
	rec, _, err := a.Current(t.Context(), name)
	if err != nil {
		return nil
	}
	return assetBytes(t, a, rec.Content.Hash)
}

func assetBytes(t testing.TB, a *workarea.Area, h asset.Hash) []byte {
	t.Helper()
	r, err := a.OpenAsset(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// expect waits until a name has these bytes and its drop is gone.
func (r *running) expect(name string, want []byte) {
	r.t.Helper()
	within(r.t, 20*time.Second, name+" imported", func() bool {
		_, err := os.Lstat(r.inbox(name))
		return errors.Is(err, fs.ErrNotExist) && bytes.Equal(imported(r.t, r.Area(), asset.Key("inbox/"+name)), want)
	})
}

func write(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// jpeg makes a whole JPEG of about size bytes that is unlike any other: a tiny picture behind application segments of noise.
func jpeg(size int, seed uint64) []byte {
	noise := rand.New(rand.NewPCG(seed, 1))
	b := bytes.NewBuffer(make([]byte, 0, size+64))
	b.Write([]byte{0xff, 0xd8})
	for b.Len() < size-len(tinyJPEG) {
		n := min(65533, max(8, size-len(tinyJPEG)-b.Len()-4))
		b.Write([]byte{0xff, 0xef, byte((n + 2) >> 8), byte(n + 2)})
		for i := 0; i < n; i += 8 {
			var w [8]byte
			binary.LittleEndian.PutUint64(w[:], noise.Uint64()|0x0101010101010101)
			b.Write(w[:min(8, n-i)])
		}
	}
	b.Write(tinyJPEG[2:])
	return b.Bytes()
}

// records counts the ledger records by (hotfolder, key, bytes).
func records(t testing.TB, s storage.Store) map[string]int {
	t.Helper()
	count := map[string]int{}
	for o, err := range s.List(t.Context(), "workarea/ledger", storage.ListOptions{Recursive: true}) {
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(string(o.Key), ".json") {
			count[string(o.Key)]++
		}
	}
	return count
}

func sum(b []byte) asset.Hash { return sha256.Sum256(b) }
