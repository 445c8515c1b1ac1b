//go:build powercut

package powercut

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"image"
	stdjpeg "image/jpeg"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"hotfolderd/asset"
)

// drop is one file that was dropped.
type drop struct {
	key     string
	data    []byte
	hash    asset.Hash
	durable bool // its writer has synced file and folder, without an error and before the cut
}

// perWriter is how many drops each of the writers makes.
const perWriter = 12

// writers drop files side by side, each in its own way, until they are through or the power is gone.
type writers struct {
	inbox string
	all   []*drop
	cut   func() bool // the power is gone, or is going just now
	paced bool        // with pauses, so that drops arrive while others are walked
	wg    sync.WaitGroup
}

// newWriters prepares the folder and what will be dropped.
func newWriters(dir string, seed uint64, cut func() bool) (*writers, error) {
	w := &writers{inbox: filepath.Join(dir, "hotfolders", "inbox"), cut: cut}
	sizes := []int{1500, 20_000, 90_000, 300_000, 1_200_000}
	r := rand.New(rand.NewPCG(seed, 2))
	for _, way := range ways {
		for i := range perWriter {
			data := jpeg(sizes[r.IntN(len(sizes))]+r.IntN(1000), r.Uint64())
			if filepath.Ext(way.key) != ".jpg" {
				data = data[len(data)/2 : len(data)-2] // nothing that a format could prove
			}
			w.all = append(w.all, &drop{key: fmt.Sprintf(way.key, i), data: data, hash: sha256.Sum256(data)})
		}
	}
	if err := os.MkdirAll(filepath.Join(w.inbox, "sub"), 0o777); err != nil {
		return nil, err
	}
	for d := filepath.Join(w.inbox, "sub"); d != filepath.Dir(dir); d = filepath.Dir(d) {
		if err := syncPath(d); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// way is how one kind of writer drops.
type way struct {
	key   string
	drop  func(inbox string, batch []*drop) error
	size  int  // of a batch
	syncs bool // a batch is durable when drop returned nil
}

var ways = []way{
	{"direct-%d.jpg", writeDirect, 1, true},
	{"sub/renamed-%d.jpg", writeAside, 1, true},
	{"batch-%d.jpg", writeAside, 6, true},
	{"careless-%d.bin", writeCareless, 1, false},
}

// start lets all of them begin.
func (w *writers) start() {
	for i, way := range ways {
		mine := w.all[i*perWriter : (i+1)*perWriter]
		w.wg.Go(func() {
			for batch := range slices.Chunk(mine, way.size) {
				if way.drop(w.inbox, batch) != nil || w.cut() {
					return // XFS says of a folder that it is synced when its power is gone
				}
				for _, d := range batch {
					d.durable = way.syncs
				}
				if w.paced {
					time.Sleep(rand.N(6 * time.Millisecond))
				}
			}
		})
	}
}

// writeDirect writes a drop in place.
func writeDirect(inbox string, batch []*drop) error {
	for _, d := range batch {
		path := filepath.Join(inbox, d.key)
		if err := writeFile(path, d.data, true); err != nil {
			return err
		}
		if err := syncPath(filepath.Dir(path)); err != nil {
			return err
		}
	}
	return nil
}

// writeAside writes drops under hidden names, renames them all, and syncs their folder once.
func writeAside(inbox string, batch []*drop) error {
	hidden := func(d *drop) string {
		dir, base := filepath.Split(filepath.Join(inbox, d.key))
		return dir + "." + base
	}
	for _, d := range batch {
		if err := writeFile(hidden(d), d.data, true); err != nil {
			return err
		}
	}
	for _, d := range batch {
		if err := os.Rename(hidden(d), filepath.Join(inbox, d.key)); err != nil {
			return err
		}
	}
	return syncPath(filepath.Dir(hidden(batch[0])))
}

// writeCareless syncs nothing, as most programs do, and takes its time.
func writeCareless(inbox string, batch []*drop) error {
	for _, d := range batch {
		if err := writeFile(filepath.Join(inbox, d.key), d.data, false); err != nil {
			return err
		}
	}
	return nil
}

func writeFile(path string, data []byte, sync bool) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	defer f.Close()
	for piece := range slices.Chunk(data, len(data)/3+1) {
		if _, err := f.Write(piece); err != nil {
			return err
		}
		if !sync {
			time.Sleep(time.Millisecond)
		}
	}
	if sync {
		return f.Sync()
	}
	return nil
}

func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// tinyJPEG is a whole picture of 8x8 pixels.
var tinyJPEG = sync.OnceValue(func() []byte {
	m := image.NewGray(image.Rect(0, 0, 8, 8))
	for i := range m.Pix {
		m.Pix[i] = uint8(i * 4)
	}
	var b bytes.Buffer
	if err := stdjpeg.Encode(&b, m, nil); err != nil {
		panic(err)
	}
	return b.Bytes()
})

// jpeg makes a whole JPEG of about size bytes that is unlike any other: a tiny picture behind application segments of noise.
func jpeg(size int, seed uint64) []byte {
	noise, tiny := rand.New(rand.NewPCG(seed, 1)), tinyJPEG()
	b := bytes.NewBuffer(make([]byte, 0, size+64))
	b.Write([]byte{0xff, 0xd8})
	for b.Len() < size-len(tiny) {
		n := min(65533, max(8, size-len(tiny)-b.Len()-4))
		b.Write([]byte{0xff, 0xef, byte((n + 2) >> 8), byte(n + 2)})
		for i := 0; i < n; i += 8 {
			var w [8]byte
			binary.LittleEndian.PutUint64(w[:], noise.Uint64()|0x0101010101010101)
			b.Write(w[:min(8, n-i)])
		}
	}
	b.Write(tiny[2:])
	return b.Bytes()
}
