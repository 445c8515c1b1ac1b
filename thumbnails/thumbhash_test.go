package thumbnails

import (
	"image"
	"image/color"
	"math"
	"testing"
)

// TestThumbHash_showsThePicture decodes with a reading of the format that shares no code with the encoder.
func TestThumbHash_showsThePicture(t *testing.T) {
	for name, c := range map[string]struct {
		w, h int
		give float64
	}{"landscape": {300, 200, 70}, "portrait": {120, 360, 70}, "square": {64, 64, 70}, "strip": {400, 50, 80}, "pixel": {1, 1, 10}} {
		t.Run(name, func(t *testing.T) {
			m := quarters(c.w, c.h)
			hash := thumbHash(m)
			if len(hash) > 26 {
				t.Errorf("it has %d bytes", len(hash))
			}
			for _, x := range []float64{0.2, 0.8} {
				for _, y := range []float64{0.2, 0.8} {
					want := m.NRGBAAt(int(x*float64(c.w)), int(y*float64(c.h)))
					got := hashColour(hash, x, y)
					for ch, v := range [3]uint8{want.R, want.G, want.B} {
						if math.Abs(got[ch]*255-float64(v)) > c.give {
							t.Errorf("at %v,%v it is %v, the picture %v", x, y, got, want)
						}
					}
				}
			}
		})
	}
}

func TestThumbHash_keepsTransparency(t *testing.T) {
	m := image.NewNRGBA(image.Rect(0, 0, 60, 60))
	for y := range 60 {
		for x := range 30 {
			m.SetNRGBA(x, y, color.NRGBA{200, 40, 40, 255})
		}
	}
	hash := thumbHash(m)
	if got := hashColour(hash, 0.1, 0.5); got[3] < 0.8 || got[0] < 0.6 {
		t.Errorf("the opaque side came out as %v", got)
	}
	if got := hashColour(hash, 0.9, 0.5); got[3] > 0.2 {
		t.Errorf("the transparent side came out as %v", got)
	}
}

func TestRender_givesTheThumbHashOfTheUprightPicture(t *testing.T) {
	res := renderOK(t, jpegWithEXIF(asJPEG(t, quarters(160, 120)), exif(6)), Spec{Sizes: []int{64}})
	if got := hashColour(res.ThumbHash, 0.2, 0.2); got[2] < got[0] {
		t.Errorf("above left it is %v; blue was to come there", got)
	}
}

// hashColour is the colour of a hash at a place from 0 to 1: red, green, blue, alpha.
func hashColour(h []byte, x, y float64) [4]float64 {
	bits := func(from, n int) int {
		v := 0
		for i := range n {
			v |= int(h[(from+i)/8]>>((from+i)%8)&1) << i
		}
		return v
	}
	alpha, wide := bits(23, 1) == 1, bits(39, 1) == 1
	most := 7
	if alpha {
		most = 5
	}
	lx, ly := bits(24, 3), most
	if wide {
		lx, ly = most, bits(24, 3)
	}
	at := 40
	if alpha {
		at = 48
	}
	sum := func(mean, scale float64, nx, ny int) float64 {
		v := mean
		for j := range ny {
			for i := range nx {
				if i*ny >= nx*(ny-j) || i+j == 0 {
					continue
				}
				f := (float64(bits(at, 4))/7.5 - 1) * scale
				at += 4
				v += 2 * f * math.Cos(math.Pi*float64(i)*x) * math.Cos(math.Pi*float64(j)*y)
			}
		}
		return v
	}
	l := sum(float64(bits(0, 6))/63, float64(bits(18, 5))/31, max(3, lx), max(3, ly))
	p := sum(float64(bits(6, 6))/31.5-1, float64(bits(27, 6))/63*1.25, 3, 3)
	q := sum(float64(bits(12, 6))/31.5-1, float64(bits(33, 6))/63*1.25, 3, 3)
	a := 1.0
	if alpha {
		a = sum(float64(bits(40, 4))/15, float64(bits(44, 4))/15, 5, 5)
	}
	b := l - 2.0/3*p
	r := (3*l - b + q) / 2
	return [4]float64{r, r - q, b, a}
}
