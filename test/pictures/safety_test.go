package pictures_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// What the memory of the node and of each process that renders may come to, in MiB, while bombs are thrown at them.
const (
	nodeMemory   = 250
	workerMemory = 300
)

// good is a picture of one colour, by its number, with a frame of its own.
func good(tb testing.TB, i int) (name string, data []byte, c color.NRGBA) {
	tb.Helper()
	c = color.NRGBA{uint8(i * 37), uint8(i >> 2), uint8(255 - i>>2), 255}
	m := image.NewNRGBA(image.Rect(0, 0, 320+i%64, 200+i%32))
	for j := range m.Pix {
		m.Pix[j] = [4]uint8{c.R, c.G, c.B, 255}[j%4]
	}
	for x := range m.Rect.Dx() {
		m.SetNRGBA(x, 0, color.NRGBA{uint8(i), uint8(i >> 8), uint8(x), 255})
	}
	var b bytes.Buffer
	kind := "jpg"
	var err error
	switch i % 10 {
	case 0:
		kind, err = "png", png.Encode(&b, m)
	case 1:
		kind, err = "tif", tiff.Encode(&b, m, &tiff.Options{Compression: tiff.Deflate, Predictor: true})
	case 2:
		kind, err = "bmp", bmp.Encode(&b, m)
	case 3:
		kind, err = "gif", gif.Encode(&b, m, nil)
	default:
		err = jpeg.Encode(&b, m, &jpeg.Options{Quality: 90})
	}
	check(tb, err)
	return fmt.Sprintf("good-%04d.%s", i, kind), b.Bytes(), c
}

// memory is the most that the node and the largest of its workers had, by quarters of the time.
type memory struct{ node, worker [4]float64 }

// watch looks at the memory until done is closed; quarter says how far things are.
func (n *node) watch(done <-chan struct{}, quarter func() int) *memory {
	m := &memory{}
	for {
		select {
		case <-done:
			return m
		case <-time.After(10 * time.Millisecond):
		}
		q := min(max(quarter(), 0), 3)
		m.node[q] = max(m.node[q], resident(n.pid))
		for _, pid := range n.workers() {
			m.worker[q] = max(m.worker[q], resident(pid))
		}
	}
}

// TestSafety_aThousandBombsAmongAThousandPictures throws all kinds of bombs among pictures at a node: each picture has its own thumbnail,
// each bomb is imported and says why it has none, and memory stays where it was.
func TestSafety_aThousandBombsAmongAThousandPictures(t *testing.T) {
	count := 1000
	if testing.Short() {
		count = 100
	}
	n := startNode(t, "import: { thumbnail_timeout: 5s, thumbnail_workers: 2 }\n",
		"complete: { settle: 200ms, patience: 500ms }\nthumbnails: { sizes: [128] }\n")
	done, watched := make(chan struct{}), make(chan *memory, 1)
	began := time.Now()
	var dropped atomic.Int64
	go func() {
		watched <- n.watch(done, func() int { return 4 * (int(dropped.Load()) - n.left()) / (2 * count) })
	}()
	kinds := bombs()
	colours := map[string]color.NRGBA{}
	var thrown []string
	for i := range count {
		kind := kinds[i%len(kinds)]
		bad := fmt.Sprintf("bomb-%04d-%s", i, kind.name)
		n.drop(bad, kind.make(t, i))
		thrown = append(thrown, bad)
		name, data, c := good(t, i)
		n.drop(name, data)
		dropped.Add(2)
		colours[name] = c
	}
	within(t, 5*time.Minute, "all imported", func() bool { return n.left() == 0 })
	close(done)
	m := <-watched
	t.Logf("%d pictures and %d bombs in %s; memory by quarters, MiB: node %.0f, worker %.0f", count, count, time.Since(began).Round(time.Millisecond), m.node, m.worker)
	if m.node[3] > nodeMemory || m.node[2] > nodeMemory || max(m.worker[0], m.worker[1], m.worker[2], m.worker[3]) > workerMemory {
		t.Errorf("want at most %d MiB in the node and %d MiB in a worker, got %.0f, %.0f", nodeMemory, workerMemory, m.node, m.worker)
	}
	for name, c := range colours {
		n.wantThumbnail(name, c)
	}
	for _, name := range thrown {
		n.wantReason(name)
	}
}

// wantThumbnail fails the test unless the thumbnail has the colour.
func (n *node) wantThumbnail(name string, want color.NRGBA) {
	n.tb.Helper()
	status, kind, body := n.get("/v1/assets/inbox/" + url.PathEscape(name) + "/thumbnail?size=128")
	m, err := jpeg.Decode(bytes.NewReader(body))
	if status != 200 || kind != "image/jpeg" || err != nil {
		n.tb.Errorf("%s: want a thumbnail, got %d %s, %v: %.200s", name, status, kind, err, body)
		return
	}
	got := color.NRGBAModel.Convert(m.At(m.Bounds().Dx()/2, m.Bounds().Dy()/2)).(color.NRGBA)
	for _, p := range [][2]uint8{{want.R, got.R}, {want.G, got.G}, {want.B, got.B}} {
		if d := int(p[0]) - int(p[1]); d > 30 || d < -30 { // GIF has its own palette
			n.tb.Errorf("%s: want %v, got %v", name, want, got)
			return
		}
	}
}

// wantReason fails the test unless the file is there, has no thumbnail, and says why in words.
func (n *node) wantReason(name string) {
	n.tb.Helper()
	path := "/v1/assets/inbox/" + url.PathEscape(name)
	if status, _, body := n.get(path); status != 200 || len(body) == 0 {
		n.tb.Errorf("%s: want it imported, got %d", name, status)
	}
	status, _, body := n.get(path + "/thumbnail?size=128")
	var problem struct{ Detail, Error, Title string }
	_ = json.Unmarshal(body, &problem)
	if status != 404 || len(problem.Detail+problem.Error) < 20 {
		n.tb.Errorf("%s: want 404 and a sentence, got %d %.200s", name, status, body)
	}
}
