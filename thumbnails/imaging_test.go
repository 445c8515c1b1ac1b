package thumbnails

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/color/palette"
	"image/draw"
	"image/gif"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/disintegration/imaging"
)

// stored is the image that, turned by an orientation of EXIF, looks like upright. The table is EXIF's own: where the
// row 0 and the column 0 of what is stored are to be seen.
func stored(upright *image.NRGBA, orientation int) *image.NRGBA {
	w, h := upright.Rect.Dx(), upright.Rect.Dy()
	if orientation >= 5 {
		w, h = h, w
	}
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			at := [9]image.Point{
				1: {x, y}, 2: {w - 1 - x, y}, 3: {w - 1 - x, h - 1 - y}, 4: {x, h - 1 - y},
				5: {y, x}, 6: {h - 1 - y, x}, 7: {h - 1 - y, w - 1 - x}, 8: {y, w - 1 - x},
			}[orientation]
			m.SetNRGBA(x, y, upright.NRGBAAt(at.X, at.Y))
		}
	}
	return m
}

func TestRender_everyOrientationStandsUpright(t *testing.T) {
	upright := quarters(96, 64)
	makers := map[string]func(m *image.NRGBA, o int) []byte{
		"jpeg": func(m *image.NRGBA, o int) []byte { return jpegWithEXIF(asJPEG(t, m), exif(o)) },
		"png":  func(m *image.NRGBA, o int) []byte { return pngWithEXIF(asPNG(t, m), exif(o)) },
		"tiff": tiffWith,
	}
	for kind, make := range makers {
		for o := 1; o <= 8; o++ {
			t.Run(fmt.Sprintf("%s/%d", kind, o), func(t *testing.T) {
				res := renderOK(t, make(stored(upright, o), o), Spec{Sizes: []int{48}, Format: PNG})
				if res.Width != 96 || res.Height != 64 {
					t.Errorf("want 96 x 64 for the original, got %d x %d", res.Width, res.Height)
				}
				m := picture(t, res.Renditions[0])
				if m.Bounds().Size() != (image.Point{48, 32}) {
					t.Fatalf("want 48 x 32, got %v", m.Bounds())
				}
				for i, want := range []color.NRGBA{red, green, blue, yellow} {
					near(t, m, 12+i%2*24, 8+i/2*16, want, 12)
				}
			})
		}
	}
}

func TestRender_orientationOfWebPBehindAnOddChunk(t *testing.T) {
	pic := vp8l(40, 20, 10, 20, 200, 30, 255, func(x, _ int) bool { return x < 20 })
	for _, prefix := range []string{"", "Exif\x00\x00"} {
		pad := riffChunk("JUNK", []byte("odd"))
		data := riff(vp8x(1<<3, 40, 20), riffChunk("VP8L", pic), pad, riffChunk("EXIF", append([]byte(prefix), exif(6)...)))
		res := renderOK(t, data, Spec{Sizes: []int{256}, Format: PNG})
		if res.Width != 20 || res.Height != 40 {
			t.Fatalf("want 20 x 40, got %d x %d", res.Width, res.Height)
		}
		m := picture(t, res.Renditions[0])
		near(t, m, 10, 5, color.NRGBA{10, 200, 30, 255}, 1)
		near(t, m, 10, 35, color.NRGBA{10, 20, 30, 255}, 1)
	}
}

func TestRender_brokenMetadataDoesNotMatter(t *testing.T) {
	good := asJPEG(t, quarters(32, 16))
	for name, block := range map[string][]byte{
		"orientation 9":   exif(9),
		"orientation 0":   exif(0),
		"cut off":         exif(6)[:13],
		"garbage":         bytes.Repeat([]byte{0xff}, 300),
		"endless entries": append([]byte("MM\x00*\x00\x00\x00\x08\xff\xff"), bytes.Repeat([]byte{1, 0x0f, 0, 2, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 8}, 4000)...),
		"circle":          []byte("II*\x00\x08\x00\x00\x00\x01\x00\x69\x87\x04\x00\x01\x00\x00\x00\x08\x00\x00\x00\x08\x00\x00\x00"),
	} {
		t.Run(name, func(t *testing.T) {
			if res := renderOK(t, jpegWithEXIF(good, block), Spec{Sizes: []int{16}}); res.Width != 32 || res.Height != 16 {
				t.Errorf("want 32 x 16, got %d x %d", res.Width, res.Height)
			}
		})
	}
}

func TestFitInside_roundsAndNeverEnlarges(t *testing.T) {
	for _, c := range []struct{ w, h, size, wantW, wantH int }{
		{6000, 4000, 256, 256, 171},
		{4000, 6000, 256, 171, 256},
		{1200, 833, 256, 256, 178},
		{1000, 1000, 256, 256, 256},
		{100, 50, 256, 100, 50},
		{256, 10, 256, 256, 10},
		{257, 1, 256, 256, 1},
		{10000, 1, 256, 256, 1},
		{1, 10000, 16, 1, 16},
		{3, 2, 1, 1, 1},
	} {
		if w, h := fitInside(c.w, c.h, c.size); w != c.wantW || h != c.wantH {
			t.Errorf("fitInside(%d, %d, %d): want %d x %d, got %d x %d", c.w, c.h, c.size, c.wantW, c.wantH, w, h)
		}
	}
}

func TestRender_smallOriginalsKeepTheirSize(t *testing.T) {
	res := renderOK(t, asPNG(t, quarters(40, 30)), Spec{Sizes: []int{16, 1024, 256, 256}})
	var got [][3]int
	for _, r := range res.Renditions {
		picture(t, r)
		got = append(got, [3]int{r.Size, r.Width, r.Height})
	}
	if want := "[[1024 40 30] [256 40 30] [16 16 12]]"; fmt.Sprint(got) != want {
		t.Errorf("want %s, got %v", want, got)
	}
}

func TestRender_transparency(t *testing.T) {
	m := quarters(64, 64)
	draw.Draw(m, image.Rect(0, 0, 32, 32), image.NewUniform(color.NRGBA{R: 200, A: 128}), image.Point{}, draw.Src)
	draw.Draw(m, image.Rect(32, 0, 64, 32), image.Transparent, image.Point{}, draw.Src)
	data := asPNG(t, m)
	spec := Spec{Sizes: []int{32}, Background: color.NRGBA{B: 255}, Quality: 95}

	t.Run("flattened for jpeg", func(t *testing.T) {
		got := picture(t, renderOK(t, data, spec).Renditions[0])
		near(t, got, 8, 8, color.NRGBA{100, 0, 127, 255}, 8)
		near(t, got, 24, 8, color.NRGBA{0, 0, 255, 255}, 8)
	})
	t.Run("on white unless the rule says otherwise", func(t *testing.T) {
		near(t, picture(t, renderOK(t, data, Spec{Sizes: []int{32}}).Renditions[0]), 24, 8, color.NRGBA{255, 255, 255, 255}, 8)
	})
	for _, format := range []string{PNG, Auto} {
		t.Run("kept for "+format, func(t *testing.T) {
			spec.Format = format
			res := renderOK(t, data, spec)
			if !res.Transparent || res.Renditions[0].Format != PNG {
				t.Fatalf("want a transparent png, got %v %s", res.Transparent, res.Renditions[0].Format)
			}
			got := picture(t, res.Renditions[0])
			near(t, got, 8, 8, color.NRGBA{200, 0, 0, 128}, 2)
			near(t, got, 24, 8, color.NRGBA{}, 0)
		})
	}
	t.Run("auto without transparency is jpeg", func(t *testing.T) {
		if res := renderOK(t, asPNG(t, quarters(64, 64)), Spec{Sizes: []int{32}, Format: Auto}); res.Renditions[0].Format != JPEG || res.Transparent {
			t.Errorf("want jpeg, got %s", res.Renditions[0].Format)
		}
	})
	t.Run("what is invisible gives no colour", func(t *testing.T) {
		m := image.NewNRGBA(image.Rect(0, 0, 64, 64))
		for i := 0; i < len(m.Pix); i += 8 {
			copy(m.Pix[i:], []byte{0, 255, 0, 0, 200, 0, 0, 255})
		}
		near(t, picture(t, renderOK(t, asPNG(t, m), Spec{Sizes: []int{8}, Format: PNG}).Renditions[0]), 4, 4, color.NRGBA{200, 0, 0, 128}, 2)
	})
}

func TestRender_inks(t *testing.T) {
	for _, c := range []struct {
		name      string
		transform byte
		stored    [4]uint8
		want      color.NRGBA
	}{
		{"cyan", 0, [4]uint8{0, 255, 255, 255}, color.NRGBA{0, 255, 255, 255}},
		{"half black", 0, [4]uint8{255, 255, 255, 128}, color.NRGBA{128, 128, 128, 255}},
		{"magenta under black", 0, [4]uint8{255, 0, 255, 64}, color.NRGBA{64, 0, 64, 255}},
		{"ycck red", 2, [4]uint8{179, 171, 1, 255}, color.NRGBA{254, 0, 0, 255}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := picture(t, renderOK(t, fourInks(40, 24, c.transform, c.stored), Spec{Sizes: []int{20}, Format: PNG}).Renditions[0])
			near(t, got, 10, 6, c.want, 3)
		})
	}
}

// TestRender_everyPixelType holds every type that a decoder can give against the library's own conversion.
func TestRender_everyPixelType(t *testing.T) {
	base := quarters(48, 32)
	types := map[string]draw.Image{
		"nrgba": image.NewNRGBA(base.Rect), "rgba": image.NewRGBA(base.Rect), "nrgba64": image.NewNRGBA64(base.Rect),
		"rgba64": image.NewRGBA64(base.Rect), "gray": image.NewGray(base.Rect), "gray16": image.NewGray16(base.Rect),
		"cmyk": image.NewCMYK(base.Rect), "paletted": image.NewPaletted(base.Rect, palette.WebSafe),
	}
	for name, m := range types {
		t.Run(name, func(t *testing.T) {
			draw.Draw(m, base.Rect, base, image.Point{}, draw.Src)
			if m, ok := m.(interface{ Set(x, y int, c color.Color) }); ok && !opaqueType(m.(image.Image)) {
				m.Set(3, 3, color.NRGBA64{0x8000, 0x4000, 0x2000, 0x9000})
			}
			want, got := imaging.Clone(m), reduce(unscaled(m), 48, 32)
			for i := range want.Pix {
				if d := int(want.Pix[i]) - int(got.Pix[i]); d > 1 || d < -1 {
					t.Fatalf("byte %d: want %d, got %d", i, want.Pix[i], got.Pix[i])
				}
			}
		})
	}
}

func TestRender_sixteenBits(t *testing.T) {
	m := image.NewNRGBA64(image.Rect(0, 0, 64, 32))
	for i := range 64 * 32 {
		m.SetNRGBA64(i%64, i/64, color.NRGBA64{0x1234, 0xabcd, 0xfff0, 0xffff})
	}
	near(t, picture(t, renderOK(t, asPNG(t, m), Spec{Sizes: []int{16}, Format: PNG}).Renditions[0]), 8, 4, color.NRGBA{0x12, 0xab, 0xff, 255}, 1)
}

func TestRender_firstFrameOfGIFInItsPlace(t *testing.T) {
	frame := image.NewPaletted(image.Rect(30, 10, 50, 30), color.Palette{color.NRGBA{}, red})
	for i := range frame.Pix {
		frame.Pix[i] = 1
	}
	second := image.NewPaletted(image.Rect(0, 0, 60, 40), color.Palette{blue})
	var b bytes.Buffer
	err := gif.EncodeAll(&b, &gif.GIF{Image: []*image.Paletted{frame, second}, Delay: []int{1, 1}, Config: image.Config{Width: 60, Height: 40}})
	if err != nil {
		t.Fatal(err)
	}
	res := renderOK(t, b.Bytes(), Spec{Sizes: []int{60}, Format: Auto})
	m := picture(t, res.Renditions[0])
	if res.Width != 60 || res.Height != 40 || res.Renditions[0].Format != PNG {
		t.Fatalf("want a png of 60 x 40, got %d x %d %s", res.Width, res.Height, res.Renditions[0].Format)
	}
	near(t, m, 40, 20, red, 0)
	near(t, m, 10, 20, color.NRGBA{}, 0)
	near(t, m, 55, 35, color.NRGBA{}, 0)
}

func TestRender_firstFrameOfWebPInItsPlace(t *testing.T) {
	all := func(int, int) bool { return true }
	frame := func(x, y, w, h int, g uint8) []byte {
		head := []byte{byte(x / 2), 0, 0, byte(y / 2), 0, 0, byte(w - 1), 0, 0, byte(h - 1), 0, 0, 100, 0, 0, 0}
		return riffChunk("ANMF", append(head, riffChunk("VP8L", vp8l(w, h, 50, 1, g, 60, 255, all))...))
	}
	anim := riffChunk("ANIM", make([]byte, 6))
	t.Run("placed", func(t *testing.T) {
		data := riff(vp8x(1<<1|1<<4, 60, 40), anim, frame(20, 10, 21, 15, 200), frame(0, 0, 60, 40, 100))
		res := renderOK(t, data, Spec{Sizes: []int{60}, Format: Auto})
		m := picture(t, res.Renditions[0])
		near(t, m, 30, 15, color.NRGBA{50, 200, 60, 255}, 0)
		near(t, m, 10, 5, color.NRGBA{}, 0)
	})
	t.Run("outside the canvas", func(t *testing.T) {
		wantFault(t, Corrupt, riff(vp8x(1<<1, 60, 40), anim, frame(50, 10, 20, 20, 200)), Limits{})
	})
}

// wantFault renders data and returns the error, which must be of the kind and have a sentence.
func wantFault(t *testing.T, kind Kind, data []byte, lim Limits) *Error {
	t.Helper()
	_, err := NewImaging().Render(context.Background(), bytes.NewReader(data), int64(len(data)), Spec{Sizes: []int{64}}, lim)
	var fault *Error
	if !errors.As(err, &fault) || fault.Kind != kind || fault.Reason == "" {
		t.Fatalf("want an error that says %s, got %v", kind, err)
	}
	return fault
}

func TestRender_saysWhatIsWrong(t *testing.T) {
	jpg, pngData := asJPEG(t, quarters(200, 100)), asPNG(t, quarters(200, 100))
	cutTIFF := tiffWith(quarters(20, 10), 1)
	for _, c := range []struct {
		name string
		kind Kind
		data []byte
		says string
	}{
		{"cut jpeg", Corrupt, jpg[:len(jpg)/2], "cut off"},
		{"cut png", Corrupt, pngData[:len(pngData)-40], "cut off"},
		{"png header only", Corrupt, pngData[:20], "cut off"},
		{"cut tiff", Corrupt, cutTIFF[:len(cutTIFF)-30], "cut off"},
		{"flipped bits", Corrupt, append(append([]byte{}, pngData[:60]...), bytes.Repeat([]byte{0x55}, 300)...), "damaged"},
		{"no image", Unsupported, []byte("%PDF-1.7 and so on"), "not an image"},
		{"empty", Unsupported, nil, "not an image"},
		{"arithmetic jpeg", Unsupported, bytes.Replace(jpg, []byte{0xff, 0xc0}, []byte{0xff, 0xc9}, 1), "cannot be rendered"},
		{"bomb", TooLarge, pngHeader(30000, 30000), "30000 x 30000 pixels (900 megapixels), at most 100"},
		{"overflowing", TooLarge, pngHeader(1<<29, 1<<29), "at most 100"},
		{"lying webp", Corrupt, riff(vp8x(0, 4, 4), riffChunk("VP8L", vp8l(9000, 9000, 1, 2, 3, 4, 5, func(x, y int) bool { return false })[:40])), "damaged"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if fault := wantFault(t, c.kind, c.data, Limits{}); !strings.Contains(fault.Reason, c.says) {
				t.Errorf("want a sentence with %q, got %q", c.says, fault)
			}
		})
	}
}

func TestRender_limitsComeFromTheCaller(t *testing.T) {
	data := asPNG(t, quarters(100, 50))
	wantFault(t, TooLarge, data, Limits{MaxPixels: 4999})
	wantFault(t, TooLarge, data, Limits{MaxBytes: int64(len(data)) - 1})
	wantFault(t, Timeout, data, Limits{Timeout: time.Nanosecond})
}

// counted counts what is read and can fail.
type counted struct {
	io.ReaderAt
	read int
	fail error
}

func (c *counted) ReadAt(p []byte, off int64) (int, error) {
	if c.fail != nil {
		return 0, c.fail
	}
	n, err := c.ReaderAt.ReadAt(p, off)
	c.read += n
	return n, err
}

func TestRender_bombIsRefusedByItsHeader(t *testing.T) {
	data := append(pngHeader(30000, 30000), make([]byte, 10<<20)...)
	src := &counted{ReaderAt: bytes.NewReader(data)}
	_, err := NewImaging().Render(context.Background(), src, int64(len(data)), Spec{Sizes: []int{64}}, Limits{})
	if fault := (*Error)(nil); !errors.As(err, &fault) || fault.Kind != TooLarge || src.read > 128<<10 {
		t.Errorf("want a refusal after the header, got %v after %d bytes", err, src.read)
	}
}

func TestRender_unreadableSourceIsNotTheImagesFault(t *testing.T) {
	broken := errors.New("the disk is gone")
	data := asJPEG(t, quarters(100, 50))
	for name, e := range map[string]Engine{"imaging": NewImaging(), "pool": testPool(t, "imaging", 1)} {
		t.Run(name, func(t *testing.T) {
			_, err := e.Render(context.Background(), &counted{fail: broken}, int64(len(data)), Spec{Sizes: []int{64}}, Limits{})
			if fault := (*Error)(nil); !errors.Is(err, broken) || errors.As(err, &fault) {
				t.Errorf("want the disk's error, got %v", err)
			}
		})
	}
}

func TestRender_canceledContextIsNotTheImagesFault(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := NewImaging().Render(ctx, bytes.NewReader(pngHeader(1, 1)), 33, Spec{Sizes: []int{64}}, Limits{})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("want %v, got %v", context.Canceled, err)
	}
}

func TestRender_refusesAnImpossibleSpec(t *testing.T) {
	for _, s := range []Spec{{Sizes: []int{0}}, {Sizes: []int{-5}}, {Sizes: []int{MaxSize + 1}}, {Sizes: []int{5}, Format: "bmp"}} {
		if _, err := NewImaging().Render(context.Background(), bytes.NewReader(nil), 0, s, Limits{}); err == nil {
			t.Errorf("%+v: want an error, got none", s)
		}
	}
}

func TestRender_keepsNoMetadata(t *testing.T) {
	data := jpegWithEXIF(asJPEG(t, quarters(100, 50)), append(exif(1), "a secret place"...))
	if r := renderOK(t, data, Spec{Sizes: []int{200}}).Renditions[0]; bytes.Contains(r.Data, []byte("Exif")) || bytes.Contains(r.Data, []byte("secret")) {
		t.Error("want no metadata in the thumbnail, got some")
	}
}

func TestRender_sameInputSameBytes(t *testing.T) {
	data := camera(t, 640, 400)
	spec := Spec{Sizes: []int{256, 64}}
	a, b := renderOK(t, data, spec), renderOK(t, data, spec)
	for i := range a.Renditions {
		if !bytes.Equal(a.Renditions[i].Data, b.Renditions[i].Data) {
			t.Errorf("%d pixels: two renderings differ", a.Renditions[i].Size)
		}
	}
}

func TestRender_thinImagesCostNoMore(t *testing.T) {
	m := image.NewGray(image.Rect(0, 0, 3_000_000, 1))
	m.Pix[0] = 255
	data := asPNG(t, m)
	res := renderOK(t, data, Spec{Sizes: []int{256, 16}})
	if r := res.Renditions[0]; r.Width != 256 || r.Height != 1 {
		t.Errorf("want 256 x 1, got %d x %d", r.Width, r.Height)
	}
}

// TestRender_closeToOneFilterOverTheWholeImage holds the reduction and the filter against the library's filter alone.
func TestRender_closeToOneFilterOverTheWholeImage(t *testing.T) {
	for _, size := range []image.Point{{1200, 800}, {1201, 803}, {997, 1301}} {
		data := camera(t, size.X, size.Y)
		whole, err := imaging.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range renderOK(t, data, Spec{Sizes: []int{1024, 256, 100}, Format: PNG}).Renditions {
			want := imaging.Resize(whole, r.Width, r.Height, imaging.Lanczos)
			if db := psnr(want, imaging.Clone(picture(t, r))); db < 42 {
				t.Errorf("%v to %d: want at least 42 dB, got %.1f", size, r.Size, db)
			} else {
				t.Logf("%v to %d: %.1f dB", size, r.Size, db)
			}
		}
	}
}

func psnr(a, b *image.NRGBA) float64 {
	var sum float64
	for i := range a.Pix {
		d := float64(a.Pix[i]) - float64(b.Pix[i])
		sum += d * d
	}
	return 10 * math.Log10(255*255/(sum/float64(len(a.Pix)*3/4)))
}

// TestRender_everyTestAsset renders whatever images the repository keeps for tests: a picture or a sentence, never
// anything else.
func TestRender_everyTestAsset(t *testing.T) {
	var files []string
	err := filepath.WalkDir("../testdata/assets", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			res, err := NewImaging().Render(context.Background(), bytes.NewReader(data), int64(len(data)), Spec{Sizes: []int{256, 64}, Format: Auto}, Limits{})
			var fault *Error
			switch {
			case errors.As(err, &fault):
				t.Logf("%s: %v", fault.Kind, fault)
			case err != nil:
				t.Error(err)
			default:
				t.Logf("%d x %d, %s", res.Width, res.Height, res.Renditions[0].Format)
			}
		})
	}
}
