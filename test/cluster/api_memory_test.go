package cluster_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"hotfolderd/leases/consul/consultest"
)

// latencies are of some events. The zero value is ready.
type latencies struct {
	mu  sync.Mutex
	all []time.Duration
}

func (l *latencies) add(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, d)
}

// told is the middle, the 99th of a hundred, and the longest, each after this word.
func (l *latencies) told(word string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.all) == 0 {
		return word + " no time"
	}
	slices.Sort(l.all)
	n := len(l.all)
	return fmt.Sprintf("%s p50 %v, p99 %v, at most %v", word, l.all[n/2], l.all[n*99/100], l.all[n-1])
}

// memory is what a node tells of its memory.
type memory struct {
	Bytes int64 `json:"bytes"`
	Kinds []struct {
		Kind         string `json:"kind"`
		Hits, Misses int64
	} `json:"kinds"`
}

// of is one kind.
func (m memory) of(kind string) (f struct{ Hits, Misses int64 }) {
	for _, k := range m.Kinds {
		if k.Kind == kind {
			f.Hits, f.Misses = k.Hits, k.Misses
		}
	}
	return f
}

func (m memory) String() string { return fmt.Sprintf("%d bytes in memory, %+v", m.Bytes, m.Kinds) }

func (p *process) memory() memory {
	p.t.Helper()
	var node struct {
		Memory memory `json:"memory"`
	}
	within(p.t, 10*time.Second, p.id+" tells of its memory", func() bool { return p.get("/v1/node", &node) })
	return node.Memory
}

// rendered is how often a node rendered a picture.
func (p *process) rendered() int {
	p.t.Helper()
	text := p.must(http.StatusOK, http.MethodGet, "/metrics", "", "").body
	for line := range strings.Lines(text) {
		if n, ok := strings.CutPrefix(line, `hotfolder_renders_total{result="ok"} `); ok {
			f, err := strconv.ParseFloat(strings.TrimSpace(n), 64)
			if err != nil {
				p.t.Fatal(err)
			}
			return int(f)
		}
	}
	return 0
}

// photo is a JPEG with something in it.
func photo(t testing.TB, w, h int) string {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.Set(x, y, color.RGBA{uint8(x), uint8(y), uint8(x * y >> 4), 255})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A thumbnail that no rule makes is asked for on all nodes at once, by many.
func TestAPI_aThumbnailIsMadeOnceInTheCluster(t *testing.T) {
	t.Parallel()
	w := newWorld(t, []string{consultest.Start(t).Addr}, 3)
	w.begin()
	w.awaitWhole(w.nodes...)
	index := w.nodes[0].put("photo.jpg", photo(t, 1600, 1200)).index
	for _, size := range []int{100, 500} {
		var all sync.WaitGroup
		for i := range 24 {
			all.Go(func() {
				p := w.nodes[i%len(w.nodes)]
				r, err := p.do(http.MethodGet, fmt.Sprintf("/v1/assets/photo.jpg/thumbnail?size=%d", size), index, "")
				if err != nil || r.status != http.StatusOK {
					t.Errorf("%s: want the thumbnail, got %v, %v", p.id, r, err)
					return
				}
				if m, _, err := image.DecodeConfig(strings.NewReader(r.body)); err != nil || m.Width < size {
					t.Errorf("%s: want at least %d pixels, got %+v, %v", p.id, size, m, err)
				}
			})
		}
		all.Wait()
	}
	total := 0
	for _, p := range w.nodes {
		total += p.rendered()
	}
	if total != 2 {
		t.Errorf("want two sizes rendered once each, got %d renderings", total)
	}
	w.nodes[0].put("words.txt", "no picture")
	r := w.nodes[1].must(http.StatusNotFound, http.MethodGet, "/v1/assets/words.txt/thumbnail?size=100", "", "")
	says(t, r.body, "no preview for text/plain")
}
