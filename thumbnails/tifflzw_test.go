package thumbnails

import (
	"bytes"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"golang.org/x/image/tiff/lzw"
)

// TestLZW_isThatOfTheLibrary: what comes out, and whether it ends well, are the same for what libtiff packs, for all of that cut anywhere or spoiled.
func TestLZW_isThatOfTheLibrary(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for name, data := range lzwSeeds(t) {
		sameLZW(t, data)
		for range 300 {
			sameLZW(t, data[:r.IntN(len(data))])
			spoiled := bytes.Clone(data)
			for range 1 + r.IntN(3) {
				spoiled[r.IntN(len(spoiled))] = byte(r.Uint32())
			}
			if sameLZW(t, spoiled); t.Failed() {
				t.Fatal(name)
			}
		}
	}
}

// FuzzLZW is the same without an end.
func FuzzLZW(f *testing.F) {
	for _, data := range lzwSeeds(f) {
		f.Add(data)
	}
	f.Add([]byte{0x80, 0x0b, 0x60, 0x50, 0x22, 0x0c, 0x0c, 0x85, 0x01})
	f.Fuzz(func(t *testing.T, data []byte) { sameLZW(t, data) })
}

// lzwSeeds are strips that libtiff has packed: of noise, of one colour, of bands.
func lzwSeeds(tb testing.TB) map[string][]byte {
	tb.Helper()
	all := make(map[string][]byte)
	for name, how := range map[string]string{
		"noise": "-resize 64x64! +noise Random", "colour": "-fill teal -colorize 100 -resize 300x300!", "bands": "-resize 200x100!",
	} {
		file := asTIFF(tb, "TIFF", strings.Fields(how+" -compress LZW -define tiff:rows-per-strip=400"), nil)
		s := newSource(tb.Context(), bytes.NewReader(file), int64(len(file)))
		p, err := readTIFF(s)
		if err == nil {
			err = p.segments()
		}
		if err != nil || len(p.offsets) != 1 {
			tb.Fatalf("%s: want one strip, got %v", name, err)
		}
		all[name] = file[p.offsets[0]:][:p.size[0]]
	}
	return all
}

func sameLZW(t *testing.T, data []byte) {
	t.Helper()
	const most = 1 << 20
	want, wantErr := io.ReadAll(io.LimitReader(lzw.NewReader(bytes.NewReader(data), lzw.MSB, 8), most))
	var l lzwReader
	for range 2 { // it serves again
		l.reset(bytes.NewReader(data))
		got, err := io.ReadAll(io.LimitReader(&l, most))
		if !bytes.Equal(want, got) || (wantErr == nil) != (err == nil) {
			t.Errorf("want %d bytes and %v, got %d and %v: %.100x", len(want), wantErr, len(got), err, data)
		}
	}
}

// BenchmarkLZW unpacks what is like a photograph.
func BenchmarkLZW(b *testing.B) {
	file := asTIFF(b, "TIFF", strings.Fields("-resize 3000x2000! +noise Gaussian -compress LZW"), nil)
	s := newSource(b.Context(), bytes.NewReader(file), int64(len(file)))
	p, err := readTIFF(s)
	if err == nil {
		err = p.segments()
	}
	if err != nil {
		b.Fatal(err)
	}
	var ours lzwReader
	for name, reader := range map[string]func(r io.Reader) io.Reader{
		"ours":    func(r io.Reader) io.Reader { ours.reset(r); return &ours },
		"library": func(r io.Reader) io.Reader { return lzw.NewReader(r, lzw.MSB, 8) },
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(3 * 3000 * 2000)
			for b.Loop() {
				for i, at := range p.offsets {
					if _, err := io.Copy(io.Discard, reader(bytes.NewReader(file[at:][:p.size[i]]))); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
