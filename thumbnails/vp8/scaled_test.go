package vp8

import (
	"bytes"
	"fmt"
	"image"
	"math"
	"testing"

	"hotfolderd/thumbnails/picturetest"
)

// TestDecode_scaledIsTheAverage: of what is seen, of those frames whose filter is not left out at that scale, to the last step.
func TestDecode_scaledIsTheAverage(t *testing.T) {
	for _, size := range [][2]int{{320, 200}, {163, 101}, {17, 1}, {1, 41}} {
		ppm := scene(size[0], size[1])
		for name, frame := range map[string][]byte{"strong": cwebp(t, ppm, "-q 1 -f 100"), "none": cwebp(t, ppm, "-f 0 -q 90"), "parts": libvpx(t, ppm, "-slices 4 -crf 63 -qmin 63 -qmax 63 -b:v 1k")} {
			full := decodeOK(t, frame, 1)
			for _, scale := range []int{2, 4, 8} {
				got := decodeOK(t, frame, scale)
				if want := image.Rect(0, 0, Scaled(size[0], scale), Scaled(size[1], scale)); got.Rect != want {
					t.Fatalf("want %v, got %v", want, got.Rect)
				}
				give := 0.51
				if scale > 2 && name != "none" {
					give = 40 // without the filter
				}
				averagesOf(t, fmt.Sprint(name, " ", size, " 1/", scale), full, got, scale, give)
				halved, err := Decode(bytes.NewReader(frame), int64(len(frame)), Size{Scale: scale, Halved: true}, Limits{})
				if err != nil || !bytes.Equal(halved.Y, got.Y) {
					t.Fatalf("want the same brightness, got %v", err)
				}
				if name == "none" {
					averagesOf(t, "halved colours", colours(full), colours(halved), scale, give)
				}
			}
		}
	}
}

func averagesOf(t *testing.T, name string, full, small *image.YCbCr, scale int, give float64) {
	t.Helper()
	for y := range small.Rect.Dy() {
		for x := range small.Rect.Dx() {
			if (x+1)*scale > full.Rect.Dx() || (y+1)*scale > full.Rect.Dy() {
				continue // the last value counts for those that are not there
			}
			var sums [3]float64
			for j := range scale {
				for i := range scale {
					c := full.YCbCrAt(x*scale+i, y*scale+j)
					sums[0], sums[1], sums[2] = sums[0]+float64(c.Y), sums[1]+float64(c.Cb), sums[2]+float64(c.Cr)
				}
			}
			c := small.YCbCrAt(x, y)
			for i, got := range []uint8{c.Y, c.Cb, c.Cr} {
				if want := sums[i] / float64(scale*scale); math.Abs(want-float64(got)) > give {
					t.Fatalf("%s: channel %d at %d,%d: want %.2f, got %d", name, i, x, y, want, got)
				}
			}
		}
	}
}

// colours has those in place of the brightness.
func colours(m *image.YCbCr) *image.YCbCr {
	r := image.Rect(0, 0, (m.Rect.Dx()+1)/2, (m.Rect.Dy()+1)/2)
	return &image.YCbCr{Y: m.Cb, Cb: m.Cb, Cr: m.Cr, YStride: m.CStride, CStride: m.CStride, SubsampleRatio: image.YCbCrSubsampleRatio444, Rect: r}
}

// TestDecode_withoutTheFilter: where it is left out nobody sees it, once the picture is as small as a rendition that it is decoded for.
func TestDecode_withoutTheFilter(t *testing.T) {
	ppm := scene(640, 480)
	for _, how := range []string{"-q 20", "-q 40", "-q 75", "-q 75 -nostrong"} {
		frame := cwebp(t, ppm, how)
		for _, scale := range []int{2, 4, 8} {
			want, got := averaged(decodeOK(t, frame, 1), 2*scale), averaged(decodeOK(t, frame, scale), 2)
			if got := picturetest.PSNR(want, got); got < 38 {
				t.Errorf("%s at 1/%d: want 38 dB or more, got %.1f", how, scale, got)
			}
		}
	}
}

// averaged is the brightness made smaller.
func averaged(m *image.YCbCr, by int) (out []byte) {
	for y := 0; y+by <= m.Rect.Dy(); y += by {
		for x := 0; x+by <= m.Rect.Dx(); x += by {
			sum := by * by / 2
			for j := range by {
				for i := range by {
					sum += int(m.Y[(y+j)*m.YStride+x+i])
				}
			}
			out = append(out, byte(sum/(by*by)))
		}
	}
	return out
}
