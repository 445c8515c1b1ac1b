package thumbnails

import (
	"bytes"
	"image/color"
	"os"
	"path/filepath"
	"testing"
)

// asPSD writes with ImageMagick, which is another reading of the format than ours.
func asPSD(tb testing.TB, ext string, args ...string) []byte {
	tb.Helper()
	dir := tb.TempDir()
	in, out := filepath.Join(dir, "in.png"), filepath.Join(dir, "out"+ext)
	if err := os.WriteFile(in, asPNG(tb, quarters(64, 48)), 0o600); err != nil {
		tb.Fatal(err)
	}
	tool(tb, "convert", append(append([]string{in}, args...), out)...)
	return readFile(tb, out)
}

func TestRender_PSD(t *testing.T) {
	for name, c := range map[string]struct {
		ext  string
		args []string
		give int
	}{
		"RGB, packed":          {".psd", nil, 3},
		"RGB, not packed":      {".psd", []string{"-compress", "None"}, 3},
		"RGB of 16 bits":       {".psd", []string{"-depth", "16"}, 3},
		"large document":       {".psb", nil, 3},
		"palette":              {".psd", []string{"-type", "Palette"}, 3},
		"inks, plain":          {".psd", []string{"-colorspace", "CMYK"}, 6},
		"transparent in parts": {".psd", []string{"-alpha", "set"}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			res := renderOK(t, asPSD(t, c.ext, c.args...), Spec{Sizes: []int{64}, Format: PNG})
			if res.Width != 64 || res.Height != 48 {
				t.Errorf("it is said to be %d x %d", res.Width, res.Height)
			}
			got := picture(t, res.Renditions[0])
			for _, p := range []struct {
				x, y int
				want color.NRGBA
			}{{8, 8, red}, {56, 8, green}, {8, 40, blue}, {56, 40, yellow}} {
				near(t, got, p.x, p.y, p.want, c.give)
			}
		})
	}
}

func TestRender_PSDOfGrey(t *testing.T) {
	res := renderOK(t, asPSD(t, ".psd", "-colorspace", "Gray"), Spec{Sizes: []int{64}})
	if got := picture(t, res.Renditions[0]).ColorModel(); got != color.GrayModel {
		t.Errorf("its thumbnail is of another model: %v", got)
	}
}

func TestRender_PSDWithAProfile(t *testing.T) {
	data := asPSD(t, ".psd", "-profile", plainRGB, "-profile", adobeRGB)
	near(t, picture(t, renderOK(t, data, Spec{Sizes: []int{64}, Format: PNG}).Renditions[0]), 56, 8, green, 5)
	if !bytes.Contains(data, []byte("8BIM\x04\x0f")) {
		t.Fatal("there is no profile inside, so this shows nothing")
	}
}

func TestRender_PSDThatIsBroken(t *testing.T) {
	data := asPSD(t, ".psd")
	wantFault(t, Corrupt, data[:len(data)-100], Limits{})
	wantFault(t, Corrupt, data[:30], Limits{})
	lab := bytes.Clone(data)
	lab[25] = 9
	wantFault(t, Unsupported, lab, Limits{})
	huge := bytes.Clone(data)
	copy(huge[14:], "\x00\x04\x00\x00\x00\x04\x00\x00")
	wantFault(t, TooLarge, huge, Limits{})
}

func FuzzPSD(f *testing.F) {
	f.Add(asPSD(f, ".psd"))
	f.Add(asPSD(f, ".psb", "-depth", "16"))
	f.Add(asPSD(f, ".psd", "-compress", "None"))
	f.Fuzz(func(_ *testing.T, data []byte) {
		h, err := readPSDHeader(bytes.NewReader(data))
		if err == nil && h.width*h.height <= 1<<20 {
			_, _ = decodePSD(bytes.NewReader(data))
		}
	})
}
