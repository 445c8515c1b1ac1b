package thumbnails

import (
	"bytes"
	"image"
	"math/rand/v2"
	"testing"
)

// TestFiltered_isTheSumOfItsTaps holds the arithmetic of several values in one number against one value at a time, with noise and with
// the hardest edges there are.
func TestFiltered_isTheSumOfItsTaps(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 300 {
		scale := 1 << r.IntN(4)
		have := image.Pt(1+r.IntN(120), 1+r.IntN(120))
		img := decoded{scale: scale, size: image.Pt(have.X*scale-r.IntN(scale), have.Y*scale-r.IntN(scale))}
		w, h := 1+r.IntN(have.X), 1+r.IntN(have.Y)
		pix := make([]byte, have.X*have.Y)
		for i := range pix {
			if pix[i] = byte(r.IntN(256)); n%2 == 0 {
				pix[i] = byte(255 * r.IntN(2))
			}
		}
		if want, got := summed(pix, have, img, w, h), filtered(pix, have.X, have, img, 1, 1, w, h); !bytes.Equal(want, got) {
			t.Fatalf("%v of %v to %d x %d: want %v, got %v", have, img.size, w, h, want, got)
		}
	}
}

func summed(pix []byte, have image.Point, img decoded, w, h int) []byte {
	across, down := taps(w, img.size.X, img.scale, have.X), taps(h, img.size.Y, img.scale, have.Y)
	sum := func(t tap, value func(i int) byte) byte {
		s := int32(unit / 2)
		for i, weight := range t.weights {
			s += weight * int32(value(t.from+i))
		}
		return byte(min(max(s/unit, 0), 255))
	}
	rows, out := make([]byte, w*have.Y), make([]byte, w*h)
	for y := range have.Y {
		for x := range w {
			rows[y*w+x] = sum(across[x], func(i int) byte { return pix[y*have.X+i] })
		}
	}
	for y := range h {
		for x := range w {
			out[y*w+x] = sum(down[y], func(i int) byte { return rows[i*w+x] })
		}
	}
	return out
}
