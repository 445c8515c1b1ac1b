package node

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hotfolderd/config"
)

// cached are the files of the image cache.
func cached(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "workarea", "image-cache", "*", "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// sweeping is a node whose image cache has a picture's files, and a bound.
func sweeping(t *testing.T, size config.Size) *running {
	t.Helper()
	o := withWeb(options(t, t.TempDir(), rule("inbox", withThumbnails)))
	o.Settings.Node.Roles = append(o.Settings.Node.Roles, config.RoleThumbnails)
	o.Settings.Cache.Memory = 0
	o.Settings.Thumbnails.CacheSize = size
	r := start(t, o)
	write(t, r.inbox("a.jpg"), tinyJPEG)
	within(t, 20*time.Second, "the picture imported", func() bool { return !isThere(r.inbox("a.jpg")) && len(cached(t, r.dir)) > 0 })
	if got := cached(t, r.dir); len(got) != 2 {
		t.Fatalf("want a thumbnail and its info, got %v", got)
	}
	return r
}

func TestSweepCache_onlyOverTheBoundAndWhatWentIsMadeAgain(t *testing.T) {
	r := sweeping(t, 1<<20)
	m := newSweepMetrics(prometheus.NewRegistry())
	r.sweepCacheOnce(t.Context(), m)
	if got := cached(t, r.dir); len(got) != 2 {
		t.Fatalf("below the bound: want all kept, got %v", got)
	}
	before, err := os.ReadFile(filepath.Join(filepath.Dir(cached(t, r.dir)[0]), "64.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	r.o.Settings.Thumbnails.CacheSize = 1
	r.sweepCacheOnce(t.Context(), m)
	if got := cached(t, r.dir); len(got) != 0 {
		t.Fatalf("over the bound: want nothing kept, got %v", got)
	}
	rec, _, err := r.Area().Current(t.Context(), "inbox/a.jpg")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/v1/assets/inbox/a.jpg/thumbnail?size=64", "/v1/thumbnails/" + rec.Content.Hash.String() + "/64?format=jpeg"} {
		r.sweepCacheOnce(t.Context(), m)
		if status, body := r.ask("GET", path, nil); status != http.StatusOK || string(before) != body {
			t.Errorf("%s: want it made again with the same bytes, got %d and %d bytes", path, status, len(body))
		}
	}
}

func TestSweepCache_leavesAForeignStoreAlone(t *testing.T) {
	r := sweeping(t, 1)
	write(t, filepath.Join(r.dir, "workarea", "store.json"), []byte(`{"id":"other","format":1}`))
	r.sweepCacheOnce(t.Context(), newSweepMetrics(prometheus.NewRegistry()))
	if got := cached(t, r.dir); len(got) != 2 {
		t.Errorf("want all kept, got %v", got)
	}
}

func TestSweepCache_usedIsWrittenAgainBeforeItIsTooOld(t *testing.T) {
	n := &Node{}
	for _, c := range []struct {
		size config.Size
		age  time.Duration
		want time.Duration
	}{{0, 0, 0}, {1, 0, 24 * time.Hour}, {0, 1000 * time.Hour, 24 * time.Hour}, {1, 8 * time.Hour, 2 * time.Hour}} {
		n.o.Settings.Thumbnails.CacheSize, n.o.Settings.Thumbnails.CacheAge = c.size, config.Duration(c.age)
		if got := n.renewAfter(); got != c.want {
			t.Errorf("%v: got %v", c, got)
		}
	}
}
