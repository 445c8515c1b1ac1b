package thumbnails

import (
	"bytes"
	"image"
	"math/rand/v2"
	"testing"

	"hotfolderd/thumbnails/jpegscale"
)

// TestFiltered_isTheSumOfItsTaps holds the arithmetic of several values in one number against one value at a time, with noise and with
// the hardest edges there are.
func TestFiltered_isTheSumOfItsTaps(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 300 {
		eighths := 1 + r.IntN(8)
		size := image.Pt(1+r.IntN(400), 1+r.IntN(400))
		have := image.Pt(jpegscale.Scaled(size.X, eighths), jpegscale.Scaled(size.Y, eighths))
		pace := jpegscale.Pace{Values: eighths, Pixels: 8}
		x, y := aim{1 + r.IntN(have.X), r.IntN(2) == 0, r.IntN(2) == 0}, aim{1 + r.IntN(have.Y), r.IntN(2) == 0, r.IntN(2) == 0}
		pix := make([]byte, have.X*have.Y)
		for i := range pix {
			if pix[i] = byte(r.IntN(256)); n%2 == 0 {
				pix[i] = byte(255 * r.IntN(2))
			}
		}
		p := plane{pix, have.X, have, pace, pace}
		if want, got := summed(p, size, x, y), p.filtered(size, x, y); !bytes.Equal(want, got) {
			t.Fatalf("%v of %v to %+v, %+v: want %v, got %v", have, size, x, y, want, got)
		}
	}
}

func summed(p plane, size image.Point, x, y aim) []byte {
	across, down := x.taps(size.X, p.x, p.have.X), y.taps(size.Y, p.y, p.have.Y)
	w, h := len(across), len(down)
	sum := func(t tap, value func(i int) byte) byte {
		s := int32(unit / 2)
		for i, weight := range t.weights {
			s += weight * int32(value(t.from+i))
		}
		return byte(min(max(s/unit, 0), 255))
	}
	rows, out := make([]byte, w*p.have.Y), make([]byte, w*h)
	for y := range p.have.Y {
		for x := range w {
			rows[y*w+x] = sum(across[x], func(i int) byte { return p.pix[y*p.stride+i] })
		}
	}
	for y := range h {
		for x := range w {
			out[y*w+x] = sum(down[y], func(i int) byte { return rows[i*w+x] })
		}
	}
	return out
}
