package thumbnails

import (
	"bytes"
	"image"
	"image/color"
	"math"
	"testing"

	"github.com/disintegration/imaging"
	"github.com/gen2brain/webp"
)

// TestRender_lossyWebPAtAScale: however much smaller, the thumbnail is what the whole picture comes to; in a still, in a frame that covers its
// canvas, and in one that does not.
func TestRender_lossyWebPAtAScale(t *testing.T) {
	const w, h = 700, 433
	still, small := asWebP(t, ripples(w, h), 90), asWebP(t, ripples(w/2, h), 90)
	frame := func(data []byte, w, h int) []byte {
		head := []byte{0, 0, 0, 0, 0, 0, byte(w - 1), byte((w - 1) >> 8), 0, byte(h - 1), byte((h - 1) >> 8), 0, 100, 0, 0, 0}
		return riff(vp8x(1<<1, 700, 433), riffChunk("ANIM", make([]byte, 6)), riffChunk("ANMF", append(head, data[12:]...)))
	}
	for name, c := range map[string]struct {
		data []byte
		want image.Image
	}{
		"still": {still, ripples(w, h)}, "frame": {frame(still, w, h), ripples(w, h)},
		"placed": {frame(small, w/2, h), onCanvas(ripples(w/2, h), 0, 0, w, h)},
	} {
		for _, size := range []int{700, 500, 350, 200, 100, 40} {
			res := renderOK(t, c.data, Spec{Sizes: []int{size}, Format: PNG})
			got := picture(t, res.Renditions[0])
			want := imaging.Resize(c.want, got.Bounds().Dx(), got.Bounds().Dy(), imaging.Lanczos)
			if db := psnr(want, imaging.Clone(got)); db < 33 {
				t.Errorf("%s of %d pixels: want 33 dB or more, got %.1f", name, size, db)
			}
		}
	}
	wantFault(t, Corrupt, still[:len(still)/2], Limits{})
}

func asWebP(tb testing.TB, m image.Image, quality int) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := webp.Encode(&b, m, webp.Options{Quality: quality, Method: 4}); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// ripples is a picture without edges, in colours.
func ripples(w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			fx, fy := float64(x), float64(y)
			v := func(f float64) uint8 { return uint8(128 + 100*math.Sin(f)) }
			m.SetNRGBA(x, y, color.NRGBA{v(fx / 31), v(fy / 23), v((fx + fy) / 61), 255})
		}
	}
	return m
}
