package thumbnails

import (
	"bytes"
	"image"
	"math/rand/v2"
	"testing"
)

// TestRowPlanes_areTheBoxesOfEachChannel, in colours and in grey.
func TestRowPlanes_areTheBoxesOfEachChannel(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 100 {
		w, h := 1+r.IntN(60), 1+r.IntN(60)
		m := image.NewNRGBA(image.Rect(0, 0, w, h))
		channels := [3]plane{}
		for c := range channels {
			channels[c] = plane{pix: make([]byte, w*h), stride: w, have: image.Pt(w, h)}
		}
		for i := range w * h {
			for c := range channels {
				v := byte(r.IntN(256))
				m.Pix[4*i+c], channels[c].pix[i] = v, v
			}
			m.Pix[4*i+3] = 255
		}
		y := 0
		flow := func() decoded {
			y = 0
			return unscaled(newFlowing(w, h, func(dst []byte) error { y++; copy(dst, m.Pix[(y-1)*m.Stride:]); return nil }))
		}
		nx, ny := 1+r.IntN(9), 1+r.IntN(9)
		for c, got := range flow().rowPlanes(nx, ny, false) {
			if want := channels[c].boxed(nx, ny); want.have != got.have || !bytes.Equal(want.pix, got.pix) {
				t.Fatalf("channel %d of %d x %d by %d x %d: want %v, got %v", c, w, h, nx, ny, want.pix, got.pix)
			}
		}
		if want, got := channels[0].boxed(nx, ny), flow().rowPlanes(nx, ny, true); len(got) != 1 || !bytes.Equal(want.pix, got[0].pix) {
			t.Fatalf("grey %d x %d by %d x %d: want %v, got %v", w, h, nx, ny, want.pix, got)
		}
	}
}
