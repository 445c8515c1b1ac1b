package thumbnails

import (
	"bytes"
	"compress/zlib"
	"context"
	"image/color"
	"image/png"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// asTIFF has ImageMagick write a TIFF of four fields, 120 x 80, and then libtiff copy it as told.
func asTIFF(t testing.TB, kind string, convert, copied []string) []byte {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.png"), filepath.Join(dir, "out.tif")
	if err := os.WriteFile(in, asPNG(t, quarters(120, 80)), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(argv ...string) {
		t.Helper()
		if text, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", argv, err, text)
		}
	}
	run(append(append([]string{"convert", in}, convert...), kind+":"+out)...)
	if copied != nil {
		again := filepath.Join(dir, "again.tif")
		run(append(append([]string{"tiffcp"}, copied...), out, again)...)
		out = again
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestTIFF_everyWayToWriteOne(t *testing.T) {
	for name, c := range map[string]struct {
		kind    string
		convert string
		copied  string
		give    int
	}{
		"plain":                    {"TIFF", "-compress None", "", 0},
		"big-endian":               {"TIFF", "-endian MSB -compress None -depth 16", "", 1},
		"lzw":                      {"TIFF", "-compress LZW", "-c lzw:2", 0},
		"lzw of 16 bits":           {"TIFF", "-compress LZW -depth 16", "-c lzw:2", 1},
		"deflate":                  {"TIFF", "-compress Zip", "-c zip:2", 0},
		"packbits":                 {"TIFF", "-compress RLE", "", 0},
		"tiles":                    {"TIFF", "-compress None", "-t -w 32 -l 48 -c none", 0},
		"tiles of lzw":             {"TIFF", "-compress None", "-t -w 32 -l 48 -c lzw:2", 0},
		"tiles of deflate":         {"TIFF", "-compress None -depth 16", "-t -w 64 -l 16 -c zip:2", 1},
		"planes":                   {"TIFF", "-compress None", "-p separate -c zip", 0},
		"planes in tiles":          {"TIFF", "-compress None", "-p separate -t -w 32 -l 32 -c lzw:2", 0},
		"planes of 16 bits":        {"TIFF", "-interlace plane -depth 16 -compress Zip", "", 1},
		"jpeg":                     {"TIFF", "-compress JPEG -quality 95", "", 24},
		"jpeg in strips":           {"TIFF", "-compress None", "-c jpeg:r:95 -r 16", 24},
		"jpeg in tiles":            {"TIFF", "-compress None", "-c jpeg:95 -t -w 32 -l 32", 24},
		"bigtiff":                  {"TIFF64", "-compress LZW", "", 0},
		"bigtiff of jpeg in tiles": {"TIFF64", "-compress None", "-8 -c jpeg:95 -t -w 64 -l 64", 24},
		"palette":                  {"TIFF", "-type Palette -compress LZW", "", 0},
		"palette of 4":             {"TIFF", "-colors 4 -type Palette -compress None", "", 0},
		"alpha":                    {"TIFF", "-alpha set -compress Zip", "", 0},
		"float":                    {"TIFF", "-depth 32 -define quantum:format=floating-point -define tiff:predictor=1 -compress Zip", "", 1},
		"one row a strip":          {"TIFF", "-compress Zip -define tiff:rows-per-strip=1", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			var copied []string
			if c.copied != "" {
				copied = strings.Fields(c.copied)
			}
			data := asTIFF(t, c.kind, strings.Fields(c.convert), copied)
			res := renderOK(t, data, Spec{Sizes: []int{60}, Format: PNG})
			if res.Width != 120 || res.Height != 80 || res.Transparent {
				t.Fatalf("want 120 x 80, opaque, got %d x %d, %v", res.Width, res.Height, res.Transparent)
			}
			m := picture(t, res.Renditions[0])
			for _, at := range []struct {
				x, y int
				c    color.NRGBA
			}{{15, 10, red}, {45, 10, green}, {15, 30, blue}, {45, 30, yellow}} {
				near(t, m, at.x, at.y, at.c, c.give)
			}
		})
	}
}

func TestTIFF_greyAndInks(t *testing.T) {
	for name, c := range map[string]struct {
		convert string
		give    int
	}{
		"grey":            {"-colorspace Gray -compress LZW", 2},
		"grey of 16 bits": {"-colorspace Gray -depth 16 -compress Zip", 2},
		"grey of 4 bits":  {"-colorspace Gray -depth 4 -compress None", 17},
		"white is zero":   {"-colorspace Gray -define quantum:polarity=min-is-white -compress None", 2},
		"inks":            {"-colorspace CMYK -compress LZW", 2},
		"inks of 16 bits": {"-colorspace CMYK -depth 16 -compress Zip", 2},
		"inks as jpeg":    {"-colorspace CMYK -compress JPEG -quality 98", 24},
	} {
		t.Run(name, func(t *testing.T) {
			data := asTIFF(t, "TIFF", strings.Fields(c.convert), nil)
			want := red
			switch {
			case strings.HasPrefix(name, "grey"):
				want = color.NRGBA{47, 47, 47, 255} // Rec. 709 of what is 220 red
			case name == "white is zero":
				want = color.NRGBA{208, 208, 208, 255} // ImageMagick does not turn the values, only what they mean
			}
			near(t, picture(t, renderOK(t, data, Spec{Sizes: []int{60}, Format: PNG}).Renditions[0]), 15, 10, want, c.give)
		})
	}
}

func TestTIFF_faxIsReadByTheLibrary(t *testing.T) {
	data := asTIFF(t, "TIFF", strings.Fields("-threshold 35% -type Bilevel -compress Group4"), nil)
	m := picture(t, renderOK(t, data, Spec{Sizes: []int{60}, Format: PNG}).Renditions[0])
	near(t, m, 15, 10, color.NRGBA{A: 255}, 0)
	near(t, m, 45, 30, color.NRGBA{255, 255, 255, 255}, 0)
}

func TestTIFF_alphaIsKeptAndTurned(t *testing.T) {
	data := asTIFF(t, "TIFF", strings.Fields("-alpha set -channel A -evaluate set 50% +channel -orient RightTop -compress Zip"), nil)
	res := renderOK(t, data, Spec{Sizes: []int{60}, Format: PNG})
	if !res.Transparent || res.Width != 80 || res.Height != 120 {
		t.Fatalf("want it transparent and upright, got %v, %d x %d", res.Transparent, res.Width, res.Height)
	}
	near(t, picture(t, res.Renditions[0]), 30, 10, color.NRGBA{220, 0, 0, 128}, 2)
}

func TestTIFF_whatIsCutOrDamagedIsRefused(t *testing.T) {
	for name, convert := range map[string]string{"lzw": "-compress LZW", "jpeg": "-compress JPEG", "big": "-compress None"} {
		kind := "TIFF"
		if name == "big" {
			kind = "TIFF64"
		}
		data := asTIFF(t, kind, strings.Fields(convert), nil)
		for cut := range len(data) / 97 {
			_, err := NewImaging().Render(context.Background(), bytes.NewReader(data[:97*cut]), int64(97*cut), Spec{Sizes: []int{64}}, Limits{})
			if err == nil && name != "jpeg" {
				t.Errorf("%s cut at %d: want an error", name, 97*cut)
			}
		}
		r := rand.New(rand.NewPCG(1, 2))
		for range 300 {
			bad := bytes.Clone(data)
			for range 1 + r.IntN(8) {
				bad[r.IntN(len(bad))] = byte(r.Uint32())
			}
			_, _ = NewImaging().Render(context.Background(), bytes.NewReader(bad), int64(len(bad)), Spec{Sizes: []int{64}}, Limits{})
		}
	}
}

// TestRows_memoryIsThatOfAFewRows decodes 50 megapixels of 16 bits, which would be 400 MB.
func TestRows_memoryIsThatOfAFewRows(t *testing.T) {
	head := []byte{0, 0, 0x28, 0, 0, 0, 0x13, 0x88, 16, 6, 0, 0, 0} // 10240 x 5000
	z := zlibZeros(t, 5000*(1+8*10240))
	data := bytes.Join([][]byte{[]byte("\x89PNG\r\n\x1a\n"), pngChunk("IHDR", head), pngChunk("IDAT", z), pngChunk("IEND", nil)}, nil)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	res := renderOK(t, data, Spec{Sizes: []int{256}, Format: Auto})
	runtime.ReadMemStats(&after)
	if got := (after.TotalAlloc - before.TotalAlloc) >> 20; got > 32 {
		t.Errorf("want at most 32 MiB in all, got %d", got)
	}
	if res.Width != 10240 || !res.Transparent {
		t.Errorf("want 10240 wide and transparent, got %d, %v", res.Width, res.Transparent)
	}
}

// TestPNG_likeTheStandardLibrary holds rows against whole decoding, for every kind that ImageMagick writes.
func TestPNG_likeTheStandardLibrary(t *testing.T) {
	dir := t.TempDir()
	in := filepath.Join(dir, "in.png")
	m := quarters(117, 83)
	r := rand.New(rand.NewPCG(3, 4))
	for i := range m.Pix {
		m.Pix[i] ^= uint8(r.Uint32() & 15)
	}
	if err := os.WriteFile(in, asPNG(t, m), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, how := range []string{
		"PNG24:", "PNG32:", "PNG48:", "PNG64:", "-colorspace Gray PNG:", "-colorspace Gray -depth 16 PNG:", "-colors 200 PNG8:", "-colors 14 PNG8:", "-colors 3 PNG8:",
		"-threshold 50% -type Bilevel PNG:", "-colorspace Gray -depth 2 PNG:", "-colorspace Gray -alpha set -channel A -evaluate set 30% PNG:",
		"-interlace PNG PNG24:", "-transparent rgb(0,0,0) -colors 20 PNG8:", "-quality 10 PNG24:", "-quality 91 PNG24:", "-quality 92 PNG24:", "-quality 93 PNG24:", "-quality 94 PNG24:",
	} {
		out := filepath.Join(dir, "out.png")
		argv := append([]string{in}, strings.Fields(how)...)
		argv[len(argv)-1] += out
		if text, err := exec.Command("convert", argv...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", how, err, text)
		}
		data, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		want, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		got, err := decodePNG(bytes.NewReader(data))
		if err != nil {
			t.Fatalf("%s: %v", how, err)
		}
		a, b := reduce(unscaled(want), 117, 83), reduce(unscaled(got), 117, 83)
		for i := range a.Pix {
			if d := int(a.Pix[i]) - int(b.Pix[i]); d > 1 || d < -1 {
				t.Fatalf("%s: byte %d: want %d, got %d", how, i, a.Pix[i], b.Pix[i])
			}
		}
	}
}

// zlibZeros is so many zeros, packed.
func zlibZeros(t *testing.T, n int) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	piece := make([]byte, 1<<20)
	for ; n > 0; n -= len(piece) {
		if _, err := z.Write(piece[:min(n, len(piece))]); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
