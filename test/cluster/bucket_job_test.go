package cluster_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

const jobRule = `hotfolder: inbox
complete: { settle: 200ms }
thumbnails: { sizes: [64, 256] }
`

// The main job in a bucket, by three nodes: pictures of all kinds, what is no picture, and files so large that they travel in parts.
// Each is imported once, and every node hands out the same bytes and thumbnails, also when other bytes come for a name.
func TestJob_picturesAndLargeFilesInABucket(t *testing.T) {
	onBuckets(t, func(t *testing.T, w *world) {
		write(t, filepath.Join(w.rules, "inbox.yaml"), jobRule)
		w.three(t)
		w.begin()
		files := w.jobFiles()
		for name, data := range files {
			w.put(name, data)
		}
		w.awaitDone(files, 1)
		if got := len(w.tree.list("workarea/ledger")); got != len(files) {
			t.Errorf("want %d records, got %d", len(files), got)
		}
		if w.once { // a server that may lose what replaces a drop is given no name twice
			return
		}
		again := map[string][]byte{"photo.jpg": files["alpha.png"], "large-0.bin": grain(70<<20, 9)}
		for name, data := range again {
			w.put(name, data)
		}
		w.awaitDone(again, 2)
	})
}

// jobFiles are the assets of the project, and two large ones.
func (w *world) jobFiles() map[string][]byte {
	w.t.Helper()
	files := map[string][]byte{"large-0.bin": grain(70<<20, 1), "large-1.bin": grain(130<<20, 2)}
	paths, err := filepath.Glob("../../testdata/assets/[^.]*.*")
	if err != nil || len(paths) < 20 {
		w.t.Fatalf("want the pictures of the project, got %q, %v", paths, err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			w.t.Fatal(err)
		}
		files[filepath.Base(path)] = data
	}
	return files
}

func grain(size int, seed byte) []byte {
	data := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(data)
	return data
}

func (w *world) put(name string, data []byte) {
	w.t.Helper()
	if err := w.door.add(w.under+name, string(data)); err != nil {
		w.t.Fatalf("put %s: %v", name, err)
	}
}

// awaitDone waits until the drops are gone and every node has these bytes for their names.
func (w *world) awaitDone(files map[string][]byte, version int) {
	w.t.Helper()
	for name, data := range files {
		within(w.t, patience, name+" is imported and gone", func() bool { return !w.door.has(w.under + name) }, w)
		sum := fmt.Sprintf("%x", sha256.Sum256(data))
		for _, p := range w.nodes {
			within(w.t, 30*time.Second, fmt.Sprintf("%s has version %d of %s", p.id, version, name), func() bool {
				got, _ := p.handsOut("/v1/assets/inbox/" + name)
				return fmt.Sprintf("%x", sha256.Sum256(got)) == sum
			}, w)
			w.thumbnails(p, name)
		}
	}
}

// thumbnails of what is surely a picture.
func (w *world) thumbnails(p *process, name string) {
	w.t.Helper()
	if ok, _ := filepath.Match("photo*", name); !ok {
		return
	}
	for _, size := range []int{64, 256} {
		data, status := p.handsOut(fmt.Sprintf("/v1/assets/inbox/%s/thumbnail?size=%d", name, size))
		picture, _, err := image.DecodeConfig(bytes.NewReader(data))
		if err != nil || max(picture.Width, picture.Height) > size {
			w.t.Errorf("%s at %d on %s: status %d, %+v, %v", name, size, p.id, status, picture, err)
		}
	}
}

// handsOut is the body of an answer that is good.
func (p *process) handsOut(route string) (body []byte, status int) {
	client := http.Client{Timeout: 30 * time.Second}
	resp, err := client.Get("http://" + p.addr + route)
	if err != nil {
		return nil, 0
	}
	defer resp.Body.Close()
	if body, err = io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		return nil, resp.StatusCode
	}
	return body, resp.StatusCode
}
