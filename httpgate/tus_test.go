package httpgate_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"path"
	"strconv"
	"sync"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/httpgate"
	"hotfolderd/intake"
	"hotfolderd/storage"
	"hotfolderd/storage/posix"
	"hotfolderd/storage/s3"
	"hotfolderd/storage/s3/s3test"
)

// world is a store with a hotfolder, and what its gates have told.
type world struct {
	t     *testing.T
	store storage.Store

	mu    sync.Mutex
	heard []asset.Key
}

// stores are those that a door must do well on.
func stores(t *testing.T, try func(t *testing.T, w *world)) {
	t.Run("file", func(t *testing.T) {
		s, err := posix.Open(t.Context(), t.TempDir(), posix.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		try(t, &world{t: t, store: s})
	})
	t.Run("MinIO", func(t *testing.T) {
		server := s3test.MinIO(t)
		s, err := s3.Open(t.Context(), s3.Config{URL: server.URL(server.VersionedBucket(t), ""), CredentialsFile: s3test.Credentials(t)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		try(t, &world{t: t, store: s})
	})
}

func (w *world) folder(name string) (httpgate.Folder, bool) {
	f := httpgate.Folder{Folder: intake.Folder{Store: w.store, Prefix: asset.Key("hotfolders/" + name), Aside: "workarea/http"}, Ignored: func(asset.Key) string { return "" }}
	if r, ok := w.store.(*posix.Store); ok {
		f.Rename, f.Folders = r.Rename, r
	}
	return f, name == "inbox"
}

// node is a gate of its own over the world's store, which runs until the test ends.
func (w *world) node(id string, change ...func(*httpgate.Options)) (*httpgate.Gate, *httptest.Server) {
	w.t.Helper()
	o := httpgate.Options{
		Node: id, Folders: w.folder, Hotfolders: func() []string { return []string{"inbox"} }, Checkpoint: 20 * time.Millisecond, Grace: time.Second,
		Heard: func(_ string, key asset.Key, _ asset.Version) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.heard = append(w.heard, key)
		},
	}
	for _, c := range change {
		c(&o)
	}
	g, err := httpgate.New(o)
	if err != nil {
		w.t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/v1/uploads", g.Uploads())
	mux.Handle("/v1/uploads/", g.Uploads())
	server := httptest.NewServer(mux)
	ctx, end := context.WithCancel(context.WithoutCancel(w.t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	w.t.Cleanup(func() {
		server.Close()
		end()
		<-ended
	})
	return g, server
}

// told is how often a drop was told to the walk.
func (w *world) told(key asset.Key) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, k := range w.heard {
		if k == key {
			n++
		}
	}
	return n
}

// content is what stands under a key; nil: nothing.
func (w *world) content(key asset.Key) []byte {
	w.t.Helper()
	r, err := w.store.Open(w.t.Context(), "hotfolders/inbox/"+key, "")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		w.t.Fatal(err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		w.t.Fatal(err)
	}
	return data
}

// rest is how many objects of broken work there are.
func (w *world) rest(of string) (n int) {
	for o, err := range w.store.List(w.t.Context(), asset.Key("workarea/http/"+of), storage.ListOptions{Recursive: true}) {
		if err == nil && o.Kind != storage.Directory {
			n++
		}
	}
	return n
}

func tus(t *testing.T, method, url string, body io.Reader, size int64, headers map[string]string) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Tus-Resumable", "1.0.0")
	if body != nil {
		req.ContentLength = size
	}
	for k, v := range headers {
		req.Header.Set(k, v)
	}
	resp, err := http.DefaultClient.Do(req)
	if err == nil {
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	return resp, err
}

// create begins an upload and returns its address without a host.
func create(t *testing.T, server *httptest.Server, key string, size int) string {
	t.Helper()
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	resp, err := tus(t, "POST", server.URL+"/v1/uploads", nil, 0, map[string]string{
		"Upload-Length": strconv.Itoa(size), "Upload-Metadata": "hotfolder " + encode("inbox") + ",path " + encode(key),
	})
	if err != nil || resp.StatusCode != 201 || resp.Header.Get("Location")[:12] != "/v1/uploads/" || resp.Header.Get("Upload-Expires") == "" {
		t.Fatalf("want an upload, got %v, %v", resp, err)
	}
	return resp.Header.Get("Location")
}

func offset(t *testing.T, server *httptest.Server, at string) int {
	t.Helper()
	resp, err := tus(t, "HEAD", server.URL+at, nil, 0, nil)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("want an offset, got %v, %v", resp, err)
	}
	n, err := strconv.Atoi(resp.Header.Get("Upload-Offset"))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func patch(t *testing.T, server *httptest.Server, at string, from int, data []byte) (*http.Response, error) {
	t.Helper()
	return tus(t, "PATCH", server.URL+at, bytes.NewReader(data), int64(len(data)), map[string]string{
		"Upload-Offset": strconv.Itoa(from), "Content-Type": "application/offset+octet-stream",
	})
}

func random(size int, seed uint64) []byte {
	data := make([]byte, size)
	var key [32]byte
	key[0], key[1] = byte(seed), byte(seed>>8)
	_, _ = rand.NewChaCha8(key).Read(data)
	return data
}

// An upload goes on through any node, in pieces of any size, and becomes one drop with all its bytes.
func TestTus_goesOnThroughAnotherNode(t *testing.T) {
	stores(t, func(t *testing.T, w *world) {
		_, a := w.node("a")
		_, b := w.node("b")
		want := random(300_000, 1)
		at := create(t, a, "sub/a.bin", len(want))
		for i, from := 0, 0; from < len(want); i++ {
			server := []*httptest.Server{a, b}[i%2]
			to := min(from+70_000, len(want))
			resp, err := patch(t, server, at, from, want[from:to])
			if err != nil || resp.StatusCode != 204 {
				t.Fatalf("want the piece taken, got %v, %v", resp, err)
			}
			from = to
			if to == len(want) && resp.Header.Get("Hotfolder-Drop") == "" {
				t.Errorf("want the drop's name, got %v", resp.Header)
			}
		}
		if got := w.content("sub/a.bin"); !bytes.Equal(want, got) || w.told("sub/a.bin") != 1 {
			t.Errorf("want %d bytes told once, got %d, %d times", len(want), len(got), w.told("sub/a.bin"))
		}
		if n := offset(t, b, at); n != len(want) {
			t.Errorf("want it complete on every node, got %d", n)
		}
		if n := w.rest("pending"); n != 0 || w.rest("uploads") != 3 {
			t.Errorf("want nothing pending and three notes left, got %d and %d", n, w.rest("uploads"))
		}
	})
}

// Two nodes go on from one offset at once: whatever comes of it, the drop has the right bytes, once.
func TestTus_twoNodesAtOnceMakeOneDrop(t *testing.T) {
	stores(t, func(t *testing.T, w *world) {
		_, a := w.node("a")
		_, b := w.node("b")
		for round := range 10 {
			key := asset.Key(fmt.Sprintf("%d.bin", round))
			want := random(200_000, uint64(round))
			at := create(t, a, string(key), len(want))
			var both sync.WaitGroup
			for _, server := range []*httptest.Server{a, b} {
				both.Go(func() {
					for tries := 0; tries < 50; tries++ {
						from := offset(t, server, at)
						if from == len(want) {
							return
						}
						_, _ = patch(t, server, at, from, want[from:min(from+60_000, len(want))])
					}
					t.Error("want it complete at last")
				})
			}
			both.Wait()
			if got := w.content(key); !bytes.Equal(want, got) || w.told(key) != 1 {
				t.Fatalf("round %d: want %d bytes told once, got %d, %d times", round, len(want), len(got), w.told(key))
			}
		}
	})
}

// Clients that are cut off at any byte lose nothing of what was kept, and nothing truncated becomes a drop.
func TestTus_cutClientsGoOn(t *testing.T) {
	stores(t, func(t *testing.T, w *world) {
		_, a := w.node("a")
		_, b := w.node("b")
		rnd := rand.New(rand.NewPCG(7, 7))
		cuts := 0
		for round := range 40 {
			key := asset.Key(fmt.Sprintf("%d.bin", round))
			want := random(150_000, uint64(round))
			at := create(t, a, string(key), len(want))
			for tries := 0; ; tries++ {
				server := []*httptest.Server{a, b}[rnd.IntN(2)]
				from := offset(t, server, at)
				if from == len(want) {
					break
				}
				if w.content(key) != nil {
					t.Fatal("want no drop before all bytes are there")
				}
				if tries < 5 {
					cutPatch(t, server, at, from, want[from:], rnd.IntN(len(want)-from))
					cuts++
					continue
				}
				_, _ = patch(t, server, at, from, want[from:])
			}
			if got := w.content(key); !bytes.Equal(want, got) || w.told(key) != 1 {
				t.Fatalf("round %d: want %d bytes told once, got %d, %d times", round, len(want), len(got), w.told(key))
			}
		}
		t.Logf("%d clients were cut off", cuts)
	})
}

// cutPatch sends the first n bytes of a request and resets the connection.
func cutPatch(t *testing.T, server *httptest.Server, at string, from int, data []byte, n int) {
	t.Helper()
	c, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(c, "PATCH %s HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nContent-Type: application/offset+octet-stream\r\nUpload-Offset: %d\r\nContent-Length: %d\r\n\r\n",
		at, from, len(data))
	_, _ = c.Write(data[:n])
	if n%2 == 0 {
		_ = c.(*net.TCPConn).SetLinger(0)
	}
	_ = c.Close()
}

// What rests for too long is forgotten, what was ended at once.
func TestTus_isForgotten(t *testing.T) {
	stores(t, func(t *testing.T, w *world) {
		_, a := w.node("a")
		at := create(t, a, "ended.bin", 100)
		if resp, err := tus(t, "DELETE", a.URL+at, nil, 0, nil); err != nil || resp.StatusCode != 204 {
			t.Fatalf("want it ended, got %v, %v", resp, err)
		}
		if resp, err := tus(t, "HEAD", a.URL+at, nil, 0, nil); err != nil || resp.StatusCode != 404 {
			t.Errorf("want it gone, got %v, %v", resp, err)
		}
		at = create(t, a, "rests.bin", 100)
		_, _ = patch(t, a, at, 0, []byte("the beginning"))
		w.node("b", func(o *httpgate.Options) { o.ResumeTTL = time.Nanosecond })
		for end := time.Now().Add(30 * time.Second); w.rest("uploads") > 0; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("want nothing left, got %d", w.rest("uploads"))
			}
		}
	})
}

// Any node tells which drop an upload became, also when it had to wait for its name.
func TestTus_whatItBecame(t *testing.T) {
	stores(t, func(t *testing.T, w *world) {
		g, a := w.node("a")
		other, _ := w.node("b")
		became := func(g *httpgate.Gate, at string) (httpgate.Drop, error) { return g.Became(t.Context(), path.Base(at)) }
		want := random(1000, 7)
		at := create(t, a, "a.bin", len(want))
		if d, err := became(other, at); !errors.Is(err, httpgate.ErrComing) || d.Key != "a.bin" || d.Hotfolder != "inbox" || d.Size != 1000 {
			t.Errorf("want it coming, got %+v, %v", d, err)
		}
		resp, err := patch(t, a, at, 0, want)
		if err != nil || resp.StatusCode != 204 {
			t.Fatalf("want it taken, got %v, %v", resp, err)
		}
		d, err := became(other, at)
		if err != nil || string(d.ID()) != resp.Header.Get("Hotfolder-Drop") || d.Hash != sha256.Sum256(want) {
			t.Errorf("want the drop %s, got %+v, %v", resp.Header.Get("Hotfolder-Drop"), d, err)
		}
		second := create(t, a, "a.bin", 10)
		if resp, err := patch(t, a, second, 0, want[:10]); err != nil || resp.StatusCode != 204 || resp.Header.Get("Hotfolder-Drop") != "" {
			t.Fatalf("want it taken and waiting, got %v, %v", resp, err)
		}
		for _, g := range []*httpgate.Gate{g, other} {
			if d, err := became(g, second); err != nil || !d.Waits || d.ID() != "" || d.Hash != sha256.Sum256(want[:10]) {
				t.Errorf("want it waiting, got %+v, %v", d, err)
			}
		}
		if err := w.store.Remove(t.Context(), "hotfolders/inbox/a.bin", ""); err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(time.Minute); d.Size != 10 && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
			if got, err := became(other, second); err == nil && !got.Waits {
				d = got
			}
		}
		o, err := w.store.Stat(t.Context(), "hotfolders/inbox/a.bin")
		if err != nil || d.Size != 10 || d.Version != o.Version {
			t.Errorf("want what stands there, got %+v, %v, %v", d, o, err)
		}
		if _, err := became(other, "nothing.inbox"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("want none, got %v", err)
		}
	})
}

func TestTus_refusals(t *testing.T) {
	stores(t, func(t *testing.T, w *world) {
		_, a := w.node("a")
		encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
		for _, x := range []struct {
			hotfolder, path string
			want            int
		}{
			{"inbox", "../a", 400},
			{"inbox", "a//b", 400},
			{"inbox", "/a", 400},
			{"inbox", ".hotfolderd/a", 422},
			{"nowhere", "a", 404},
			{"../inbox", "a", 404},
			{"inbox", "", 400},
			{"", "a", 400},
			{"inbox", "x\x00y", 400},
		} {
			meta := "hotfolder " + encode(x.hotfolder) + ",path " + encode(x.path)
			resp, err := tus(t, "POST", a.URL+"/v1/uploads", nil, 0, map[string]string{"Upload-Length": "5", "Upload-Metadata": meta})
			if err != nil || resp.StatusCode != x.want {
				t.Errorf("%q %q: want %d, got %v, %v", x.hotfolder, x.path, x.want, resp.Status, err)
			}
		}
		for _, id := range []string{"none", "none.inbox", "..", ".inbox", "%2e%2e%2fx.inbox", "x.nowhere"} {
			resp, err := tus(t, "HEAD", a.URL+"/v1/uploads/"+id, nil, 0, nil)
			if err != nil || resp.StatusCode/100 != 4 && resp.StatusCode/100 != 3 {
				t.Errorf("%q: want it refused, got %v, %v", id, resp, err)
			}
		}
		if n := w.rest("uploads"); n != 0 {
			t.Errorf("want nothing begun, got %d", n)
		}
	})
}
