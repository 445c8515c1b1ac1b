package jpegscale

import (
	"bytes"
	"fmt"
	"image"
	"testing"

	"hotfolderd/thumbnails/picturetest"
)

// TestDecode_eighthIsThatOfDjpeg compares every bit: of the brightness for all kinds, and of the colours too where
// djpeg leaves them at their own sampling.
func TestDecode_eighthIsThatOfDjpeg(t *testing.T) {
	check := func(t *testing.T, sampling string, data []byte) {
		got := decodeOK(t, data, 1)
		if _, rgb := got.(*image.RGBA); !rgb {
			sameBytes(t, djpeg(t, data, 1, "-grayscale"), brightness(got))
		}
		if sampling != "420" && sampling != "410" {
			sameBytes(t, djpeg(t, data, 1), asPNM(got))
		}
	}
	each(t, check)
	for _, name := range []string{"photo.jpg", "photo-large.jpg", "progressive.jpg", "gray.jpg", "orientation-6.jpg"} {
		t.Run(name, func(t *testing.T) { check(t, "420", assets(t)[name]) })
	}
}

// TestDecode_closeToDjpeg: djpeg averages pixels at 1/2 and 1/4, this package drops frequencies, as djpeg does at the other sizes.
func TestDecode_closeToDjpeg(t *testing.T) {
	least := map[int]float64{2: 32, 3: 55, 4: 32, 8: 55}
	each(t, func(t *testing.T, _ string, data []byte) {
		for eighths, db := range least {
			got := decodeOK(t, data, eighths)
			if _, rgb := got.(*image.RGBA); rgb || got.Bounds().Dx() < 203*eighths/8 {
				continue
			}
			if is := picturetest.PSNR(djpeg(t, data, eighths, "-grayscale"), brightness(got)); is < db {
				t.Errorf("%d/8: want at least %.0f dB, got %.1f", eighths, db, is)
			}
		}
	})
}

// djpeg is its picture as PNM.
func djpeg(t *testing.T, data []byte, eighths int, args ...string) []byte {
	t.Helper()
	return run(t, data, "djpeg", append([]string{"-dct", "int", "-nosmooth", "-pnm", "-scale", fmt.Sprintf("%d/8", eighths)}, args...)...)
}

func brightness(m image.Image) []byte {
	b := fmt.Appendf(nil, "P5\n%d %d\n255\n", m.Bounds().Dx(), m.Bounds().Dy())
	for y := range m.Bounds().Dy() {
		for x := range m.Bounds().Dx() {
			b = append(b, byte(channels(m, x, y)[0]))
		}
	}
	return b
}

// asPNM converts colours as djpeg does.
func asPNM(m image.Image) []byte {
	if _, grey := m.(*image.Gray); grey {
		return brightness(m)
	}
	b := fmt.Appendf(nil, "P6\n%d %d\n255\n", m.Bounds().Dx(), m.Bounds().Dy())
	clamp := func(v int) byte { return byte(min(max(v, 0), 255)) }
	for y := range m.Bounds().Dy() {
		for x := range m.Bounds().Dx() {
			c := channels(m, x, y)
			if _, ycc := m.(*image.YCbCr); ycc {
				blue, red := c[1]-128, c[2]-128
				c = [4]int{c[0] + (91881*red+32768)>>16, c[0] + (-22554*blue-46802*red+32768)>>16, c[0] + (116130*blue+32768)>>16}
			}
			b = append(b, clamp(c[0]), clamp(c[1]), clamp(c[2]))
		}
	}
	return b
}

func sameBytes(t *testing.T, want, got []byte) {
	t.Helper()
	if bytes.Equal(want, got) {
		return
	}
	other := 0
	for i := range min(len(want), len(got)) {
		if want[i] != got[i] {
			other++
		}
	}
	t.Errorf("want the same %d bytes as djpeg, got %d, of which %d differ", len(want), len(got), other)
}
