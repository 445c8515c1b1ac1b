package thumbnails

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"math/rand/v2"
	"testing"

	"github.com/disintegration/imaging"
)

// slopes is a picture whose values grow evenly, each in a direction of its own: what is shifted by a part of a pixel has another value.
func slopes(w, h int, ratio image.YCbCrSubsampleRatio) *image.YCbCr {
	m := image.NewYCbCr(image.Rect(0, 0, w, h), ratio)
	px, py := subsampling(m)
	part := func(i, n, per int) float64 { return (float64(i) + 0.5) * float64(per) / float64(n) }
	for i := range m.Y {
		m.Y[i] = byte(20 + 110*part(i%m.YStride, w, 1) + 100*part(i/m.YStride, h, 1))
	}
	for i := range m.Cb {
		m.Cb[i] = byte(30 + 190*part(i%m.CStride, w, px))
		m.Cr[i] = byte(30 + 190*part(i/m.CStride, h, py))
	}
	return m
}

// TestResampled_keepsItsPlaceInEveryOrientation, brightness and colours, at odd sizes too, where the last colours are for one pixel.
func TestResampled_keepsItsPlaceInEveryOrientation(t *testing.T) {
	for _, ratio := range []image.YCbCrSubsampleRatio{image.YCbCrSubsampleRatio444, image.YCbCrSubsampleRatio422, image.YCbCrSubsampleRatio420, image.YCbCrSubsampleRatio410} {
		d := unscaled(slopes(240, 164, ratio))
		for _, size := range []image.Point{{40, 28}, {41, 27}, {33, 23}} {
			stored := d.resampled(d.planes(), size.X, size.Y, turn{})
			for o := 1; o <= 8; o++ {
				name := fmt.Sprintf("%v to %v, orientation %d", ratio, size, o)
				want := orient(stored, o)
				alike(t, name, want, d.resampled(d.planes(), size.X, size.Y, turnOf(o)), 2)
				alike(t, name+", halved", want, centred(d.halved(d.planes(), size.X, size.Y, turnOf(o))), 9)
			}
		}
	}
}

// centred spreads the colours so that each lies in the middle of its four pixels.
func centred(m *image.YCbCr) image.Image {
	dst := image.NewYCbCr(m.Rect, image.YCbCrSubsampleRatio444)
	copy(dst.Y, m.Y)
	spread := func(pix []byte, x, y int) byte {
		at := func(x, y int) int {
			return int(pix[min(max(y, 0), len(pix)/m.CStride-1)*m.CStride+min(max(x, 0), m.CStride-1)])
		}
		x2, y2 := (x-1)>>1, (y-1)>>1
		a, b := 1+2*(1-x&1), 1+2*(1-y&1) // quarters of the one behind
		sum := (4-a)*(4-b)*at(x2, y2) + a*(4-b)*at(x2+1, y2) + (4-a)*b*at(x2, y2+1) + a*b*at(x2+1, y2+1)
		return byte((sum + 8) / 16)
	}
	for y := range m.Rect.Dy() {
		for x := range m.Rect.Dx() {
			i := y*dst.CStride + x
			dst.Cb[i], dst.Cr[i] = spread(m.Cb, x, y), spread(m.Cr, x, y)
		}
	}
	return dst
}

// alike leaves out the edges, where a filter has nothing on one side.
func alike(t *testing.T, name string, want *image.NRGBA, got image.Image, give int) {
	t.Helper()
	if got.Bounds() != want.Rect {
		t.Fatalf("%s: want %v, got %v", name, want.Rect, got.Bounds())
	}
	for y := 4; y < want.Rect.Dy()-4; y++ {
		for x := 4; x < want.Rect.Dx()-4; x++ {
			w, g := want.NRGBAAt(x, y), color.NRGBAModel.Convert(got.At(x, y)).(color.NRGBA)
			for _, p := range [][2]uint8{{w.R, g.R}, {w.G, g.G}, {w.B, g.B}} {
				if d := int(p[0]) - int(p[1]); d > give || d < -give {
					t.Fatalf("%s: pixel %d,%d: want %v, got %v", name, x, y, w, g)
				}
			}
		}
	}
}

// TestRender_jpegWithoutAStepBetween holds JPEGs, whose colours come straight from the planes, against the same size without loss: of all samplings
// and of pictures that are decoded at several scales.
func TestRender_jpegWithoutAStepBetween(t *testing.T) {
	ppm := fmt.Appendf(nil, "P6 601 403 255\n")
	for i, v := range imaging.Clone(slopes(601, 403, image.YCbCrSubsampleRatio444)).Pix {
		if i%4 < 3 {
			ppm = append(ppm, v)
		}
	}
	for _, sample := range []string{"1x1", "2x1", "1x2", "2x2", "4x1"} {
		data := piped(t, ppm, "cjpeg", "-quality", "95", "-sample", sample)
		for _, size := range []int{601, 400, 151, 111, 75} {
			spec := Spec{Sizes: []int{size}, Quality: 98}
			jpg := imaging.Clone(picture(t, renderOK(t, data, spec).Renditions[0]))
			spec.Format = PNG
			if db := psnr(imaging.Clone(picture(t, renderOK(t, data, spec).Renditions[0])), jpg); db < 40 {
				t.Errorf("%s to %d: want at least 40 dB, got %.1f", sample, size, db)
			} else {
				t.Logf("%s to %d: %.1f dB", sample, size, db)
			}
		}
	}
}

func TestBoxed_isTheAverage(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		p := plane{have: image.Pt(1+r.IntN(50), 1+r.IntN(50))}
		p.stride = p.have.X + r.IntN(3)
		p.pix = make([]byte, p.stride*p.have.Y)
		for i := range p.pix {
			p.pix[i] = byte(r.IntN(256))
		}
		p.x.Pixels, p.y.Pixels = 8, 8
		nx, ny := 1+r.IntN(9), 1+r.IntN(9)
		got := p.boxed(nx, ny)
		if got.x.Pixels != 8*nx || got.y.Pixels != 8*ny {
			t.Fatalf("want a pace of %d, %d, got %+v, %+v", 8*nx, 8*ny, got.x, got.y)
		}
		want := make([]byte, 0, got.have.X*got.have.Y)
		for y := 0; y < p.have.Y; y += ny {
			for x := 0; x < p.have.X; x += nx {
				sum, n := 0, 0
				for i := y; i < min(y+ny, p.have.Y); i++ {
					for _, v := range p.line(i)[x:min(x+nx, p.have.X)] {
						sum, n = sum+int(v), n+1
					}
				}
				want = append(want, byte((sum+n/2)/n))
			}
		}
		for y := range got.have.Y {
			if row := want[y*got.have.X:][:got.have.X]; !bytes.Equal(row, got.line(y)) {
				t.Fatalf("%v by %d x %d: want %v, got %v", p.have, nx, ny, row, got.line(y))
			}
		}
	}
}
