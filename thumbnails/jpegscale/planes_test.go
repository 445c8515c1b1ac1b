package jpegscale

import (
	"bytes"
	"image"
	"image/color"
	"reflect"
	"testing"
)

// TestDecode_halvedColours: brightness stays as it is, colours that a file has at half the size too, and of others there is the average.
func TestDecode_halvedColours(t *testing.T) {
	each(t, func(t *testing.T, sampling string, data []byte) {
		for _, eighths := range Eighths() {
			plain := decodeOK(t, data, eighths)
			got, err := Decode(bytes.NewReader(data), Size{eighths, true}, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			want, ok := plain.(*image.YCbCr)
			if !ok {
				if !reflect.DeepEqual(plain, got) {
					t.Errorf("%d/8 of %s: want the same picture with halved colours, got another", eighths, sampling)
				}
				continue
			}
			halvedFrom(t, want, got.(*Planes), eighths)
		}
	})
}

func halvedFrom(t *testing.T, want *image.YCbCr, got *Planes, eighths int) {
	t.Helper()
	size := want.Rect.Size()
	if got.Bounds() != want.Rect || !bytes.Equal(want.Y, got.Of[0].Pix) || got.Of[0].Width != size.X || got.Of[0].Height != size.Y {
		t.Fatalf("%d/8: want %v of the same brightness, got %v", eighths, want.Rect, got.Rect)
	}
	for i, pix := range [][]byte{want.Cb, want.Cr} {
		c := got.Of[1+i]
		if part := share(c.X, got.Of[0].X); eighths > 1 && (part > 0.67 || share(c.Y, got.Of[0].Y) > 0.67) || c.Width < int(part*float64(size.X)) {
			t.Errorf("%d/8: want about half of the colours, got %d x %d at %v, %v", eighths, c.Width, c.Height, c.X, c.Y)
		}
		if len(c.Pix) == len(pix) {
			if !bytes.Equal(pix, c.Pix) {
				t.Errorf("%d/8: want the colours of the file, got others", eighths)
			}
			continue
		}
		if size.X < 20 {
			continue
		}
		sum, n := 0, 0
		for y := range size.Y {
			for x := range size.X {
				at := got.At(x, y).(color.YCbCr)
				value := [2]byte{at.Cb, at.Cr}[i]
				d := int(value) - int(pix[want.COffset(x, y)])
				sum, n = sum+d*d, n+1
			}
		}
		if sum > 120*n {
			t.Errorf("%d/8: want colours near those of the file, got %.1f off", eighths, float64(sum)/float64(n))
		}
	}
}

func share(a, b Pace) float64 { return float64(a.Values*b.Pixels) / float64(a.Pixels*b.Values) }

// TestDecode_halvedColoursAreTheSmallerPicture: what has all colours is decoded to those that it would have at half the size.
func TestDecode_halvedColoursAreTheSmallerPicture(t *testing.T) {
	data := run(t, scene(203, 149), "cjpeg", "-sample", "1x1")
	for _, eighths := range []int{2, 4, 8} {
		small := decodeOK(t, data, eighths/2).(*image.YCbCr)
		m, err := Decode(bytes.NewReader(data), Size{eighths, true}, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		got := m.(*Planes)
		if !bytes.Equal(small.Cb, got.Of[1].Pix) || !bytes.Equal(small.Cr, got.Of[2].Pix) {
			t.Errorf("%d/8: want the colours of %d/8, got others", eighths, eighths/2)
		}
		if want := (Pace{eighths / 2, 8}); got.Of[1].X != want || got.Of[2].Y != want {
			t.Errorf("%d/8: want the pace of %d/8, got %+v", eighths, eighths/2, got.Of[1])
		}
	}
}
