package node

import (
	"bytes"
	"errors"
	"io/fs"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hotfolderd/asset"
	"hotfolderd/config"
	"hotfolderd/storage"
	"hotfolderd/storage/s3/s3test"
)

// onBucket is a node with its web on a bucket of MinIO, and what people see there.
func onBucket(t *testing.T, change func(*Options)) (*running, storage.Store) {
	t.Helper()
	server := s3test.MinIO(t)
	url := server.URL(server.VersionedBucket(t), "")
	o := bucketOptions(t, url)
	o.Settings.Node.Roles = append(o.Settings.Node.Roles, config.RoleWeb)
	o.Settings.HTTP.Listen = "127.0.0.1:0"
	if change != nil {
		change(&o)
	}
	r := start(t, o)
	within(t, 60*time.Second, "active", func() bool { return r.State() == "active" })
	people, err := OpenStore(t.Context(), o.Settings.Storage, url, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = people.Close() })
	return r, people
}

// By each way a file becomes one object of a bucket and then one asset, with its door.
func TestDoors_intoABucketAreImported(t *testing.T) {
	r, people := onBucket(t, nil)
	within(t, 60*time.Second, "the hotfolder watched", func() bool { return len(r.room.Status()) == 1 })
	large := bytes.Repeat([]byte("a part of a large file. "), 1<<19) // 12 MiB: more than a part
	want := map[string][]byte{
		"put/a.jpg": jpeg(20_000, 1), "put/large.bin": large, "dav/b.jpg": jpeg(20_000, 2), "dav/large.bin": append([]byte("dav "), large...),
		"tus/c.bin": append([]byte("tus "), large...),
	}
	at := r.begun("tus/c.bin", len(want["tus/c.bin"]))
	for name, data := range want {
		switch way, _, _ := strings.Cut(name, "/"); way {
		case "put":
			r.put("/v1/hotfolders/inbox/"+name, data, http.StatusCreated)
		case "dav":
			if resp, text := r.send("PUT", "/dav/inbox/"+name, bytes.NewReader(data)); resp.StatusCode != http.StatusCreated {
				t.Errorf("%s: want 201, got %s %s", name, resp.Status, text)
			}
		case "tus":
			for from := 0; from < len(data); {
				to := min(from+5<<20, len(data))
				if resp, text := r.through(tusPiece(at, from, data[from:to])); resp.StatusCode != http.StatusNoContent {
					t.Fatalf("%s: want the piece taken, got %s %s", name, resp.Status, text)
				}
				from = to
			}
		}
	}
	for name, data := range want {
		within(t, 2*time.Minute, name+" imported", func() bool {
			_, err := people.Stat(t.Context(), asset.Key("hotfolders/inbox/"+name))
			return errors.Is(err, fs.ErrNotExist) && bytes.Equal(imported(t, r.Area(), asset.Key("inbox/"+name)), data)
		})
		if e := r.last(asset.Key(name)); e.Door != asset.DoorHTTP || !strings.HasPrefix(e.Settled, "known") {
			t.Errorf("%s: want it known by http, got %s, %s", name, e.Door, e.Settled)
		}
		if n := r.number(asset.Key("inbox/" + name)); n != 1 {
			t.Errorf("%s: want one version, got %d", name, n)
		}
	}
}

// The image cache of a bucket is kept within its bound, and what went is made again with the same bytes.
func TestSweepCache_onABucket(t *testing.T) {
	r, people := onBucket(t, func(o *Options) {
		o.Settings.Thumbnails.CacheSize, o.Settings.Cache.Memory = 1, 0
		o.Rules = fixedRules{rule("inbox", withThumbnails, func(c *config.Rule) { c.Complete.Poll = config.Duration(200 * time.Millisecond) })}
	})
	within(t, 60*time.Second, "the hotfolder watched", func() bool { return len(r.room.Status()) == 1 })
	r.put("/v1/hotfolders/inbox/a.jpg?wait=60s", tinyJPEG, http.StatusCreated)
	there := func() (n int) {
		for o, err := range people.List(t.Context(), imageCache, storage.ListOptions{Recursive: true}) {
			if err == nil && o.Kind == storage.Regular {
				n++
			}
		}
		return n
	}
	if n := there(); n != 2 {
		t.Fatalf("want a thumbnail and its info, got %d", n)
	}
	const path = "/v1/assets/inbox/a.jpg/thumbnail?size=64"
	_, before := r.ask("GET", path, nil)
	m := newSweepMetrics(prometheus.NewRegistry())
	r.sweepCacheOnce(t.Context(), m)
	if n := there(); n != 0 {
		t.Fatalf("want nothing kept, got %d", n)
	}
	if status, after := r.ask("GET", path, nil); status != http.StatusOK || after != before || there() == 0 {
		t.Errorf("want it made again with the same bytes, got %d and %d bytes", status, len(after))
	}
}
