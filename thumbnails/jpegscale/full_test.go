package jpegscale

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"reflect"
	"testing"
)

// TestDecode_fullSizeIsThatOfImageJPEG holds all kinds against the standard library, value by value.
func TestDecode_fullSizeIsThatOfImageJPEG(t *testing.T) {
	each(t, func(t *testing.T, _ string, data []byte) { sameAsLibrary(t, data, 1) })
	for name, data := range assets(t) {
		t.Run(name, func(t *testing.T) {
			give := 1
			if name == "corrupt.jpg" {
				give = 255 // its coefficients are too large for either
			}
			sameAsLibrary(t, data, give)
		})
	}
	ycck := bytes.Replace(assets(t)["cmyk.jpg"], []byte("Adobe\x00\x64\x00\x00\x00\x00\x00"), []byte("Adobe\x00\x64\x00\x00\x00\x00\x02"), 1)
	t.Run("ycck", func(t *testing.T) { sameAsLibrary(t, ycck, 3) }) // the colours are converted
}

// sameAsLibrary also fails when the library can decode what this package cannot.
func sameAsLibrary(t *testing.T, data []byte, give int) {
	t.Helper()
	want, wantErr := jpeg.Decode(bytes.NewReader(data))
	got, err := Decode(bytes.NewReader(data), Size{Eighths: 8}, Limits{})
	if wantErr != nil {
		t.Logf("image/jpeg: %v; here: %v", wantErr, err)
		return
	}
	if err != nil {
		t.Fatalf("image/jpeg decodes it, want the same, got %v", err)
	}
	if reflect.TypeOf(want) != reflect.TypeOf(got) || want.Bounds() != got.Bounds() {
		t.Fatalf("want %T %v, got %T %v", want, want.Bounds(), got, got.Bounds())
	}
	b := got.Bounds()
	for y := range b.Dy() {
		for x := range b.Dx() {
			if w, g := channels(want, x, y), channels(got, x, y); apartBy(w, g) > give {
				t.Fatalf("pixel %d,%d: want %v, got %v", x, y, w, g)
			}
		}
	}
}

// channels are a pixel's values as they are stored.
func channels(m image.Image, x, y int) [4]int {
	switch c := m.At(x, y).(type) {
	case color.YCbCr:
		return [4]int{int(c.Y), int(c.Cb), int(c.Cr)}
	case color.Gray:
		return [4]int{int(c.Y)}
	case color.CMYK:
		return [4]int{int(c.C), int(c.M), int(c.Y), int(c.K)}
	case color.RGBA:
		return [4]int{int(c.R), int(c.G), int(c.B), int(c.A)}
	}
	panic("a type that no JPEG has")
}

func apartBy(a, b [4]int) int {
	most := 0
	for i := range a {
		most = max(most, a[i]-b[i], b[i]-a[i])
	}
	return most
}

func TestDecode_inksWithoutAdobeAreAsTheyAre(t *testing.T) {
	data := assets(t)["cmyk.jpg"]
	with := decodeOK(t, data, 8).(*image.CMYK)
	without := decodeOK(t, bytes.Replace(data, []byte("Adobe"), []byte("Nobod"), 1), 8).(*image.CMYK)
	for i := range with.Pix {
		if with.Pix[i] != 255-without.Pix[i] {
			t.Fatalf("byte %d: want %d, got %d", i, 255-with.Pix[i], without.Pix[i])
		}
	}
}

func TestDecode_refusesWhatItDoesNotKnow(t *testing.T) {
	ppm := scene(40, 30)
	for name, data := range map[string][]byte{
		"arithmetic": run(t, ppm, "cjpeg", "-arithmetic"),
		"12 bits":    bytes.Replace(run(t, ppm, "cjpeg"), []byte("\xff\xc0\x00\x11\x08"), []byte("\xff\xc1\x00\x11\x0c"), 1),
		"lossless":   bytes.Replace(run(t, ppm, "cjpeg"), []byte("\xff\xc0\x00\x11"), []byte("\xff\xc3\x00\x11"), 1),
	} {
		t.Run(name, func(t *testing.T) {
			m, err := Decode(bytes.NewReader(data), Size{Eighths: 1}, Limits{})
			if unsupported := jpeg.UnsupportedError(""); m != nil || !errors.As(err, &unsupported) {
				t.Errorf("want unsupported and no picture, got %v", err)
			}
		})
	}
	for _, eighths := range []int{0, 5, 9} {
		if _, err := Decode(bytes.NewReader(assets(t)["photo.jpg"]), Size{Eighths: eighths}, Limits{}); err == nil {
			t.Errorf("at %d/8: want an error, got none", eighths)
		}
	}
}
