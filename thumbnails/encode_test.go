package thumbnails

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gen2brain/webp"
)

// TestEncode_webpIsWhatOthersRead has libwebp's own program read what comes out.
func TestEncode_webpIsWhatOthersRead(t *testing.T) {
	m := quarters(200, 100)
	draw.Draw(m, image.Rect(0, 0, 100, 50), image.NewUniform(color.NRGBA{R: 200, A: 128}), image.Point{}, draw.Src)
	for name, quality := range map[string]int{"lossy": 82, "lossless": 100} {
		t.Run(name, func(t *testing.T) {
			res := renderOK(t, asPNG(t, m), Spec{Sizes: []int{100}, Format: WebP, Quality: quality})
			r := res.Renditions[0]
			if r.Format != WebP || string(r.Data[8:12]) != "WEBP" {
				t.Fatalf("want a WebP, got %s %q", r.Format, r.Data[:16])
			}
			got := picture(t, r)
			near(t, got, 25, 12, color.NRGBA{200, 0, 0, 128}, 20)
			near(t, got, 75, 12, green, 20)
			near(t, got, 25, 37, blue, 20)
			file := filepath.Join(t.TempDir(), "a.webp")
			if err := os.WriteFile(file, r.Data, 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command("webpinfo", file).CombinedOutput()
			if err != nil || !strings.Contains(string(out), "No error detected") {
				t.Errorf("%v\n%s", err, out)
			}
			if isLossless := strings.Contains(string(out), "VP8L"); isLossless != (quality == 100) {
				t.Errorf("quality %d: lossless is %v\n%s", quality, isLossless, out)
			}
		})
	}
}

// TestRender_lossyWebPHasItsColours: the darkest, the brightest and the strongest, with transparency and without, in a still and in the first frame of an
// animation.
func TestRender_lossyWebPHasItsColours(t *testing.T) {
	for _, want := range []color.NRGBA{{A: 255}, {255, 255, 255, 255}, {6, 3, 252, 255}, {200, 30, 20, 255}, {200, 30, 20, 128}} {
		m := image.NewNRGBA(image.Rect(0, 0, 64, 64))
		draw.Draw(m, m.Rect, image.NewUniform(want), image.Point{}, draw.Src)
		var b bytes.Buffer
		if err := webp.Encode(&b, m, webp.Options{Quality: 95, Method: 4, Exact: true}); err != nil {
			t.Fatal(err)
		}
		still := b.Bytes()
		head := []byte{0, 0, 0, 0, 0, 0, 63, 0, 0, 63, 0, 0, 1, 0, 0, 0}
		frame := still[12:]
		if string(frame[:4]) == "VP8X" {
			frame = frame[18:]
		}
		moving := riff(vp8x(1<<1, 64, 64), riffChunk("ANMF", append(head, frame...)))
		for name, data := range map[string][]byte{"a still": still, "an animation": moving} {
			got := picture(t, renderOK(t, data, Spec{Sizes: []int{32}, Format: PNG}).Renditions[0])
			t.Log(name, want)
			near(t, got, 16, 16, want, 4)
		}
	}
}

// TestEncode_progressiveIsTheSamePicture, in colours and in grey, as libjpeg-turbo reads it; a PNG is what it always is.
func TestEncode_progressiveIsTheSamePicture(t *testing.T) {
	grey := image.NewGray(image.Rect(0, 0, 200, 100))
	for i := range grey.Pix {
		grey.Pix[i] = byte(i)
	}
	for name, data := range map[string][]byte{"colours": camera(t, 600, 400), "grey": asPNG(t, grey), "transparent": asPNG(t, image.NewNRGBA(image.Rect(0, 0, 90, 50)))} {
		spec := Spec{Sizes: []int{300, 80}}
		plain := renderOK(t, data, spec)
		spec.Progressive = true
		for i, r := range renderOK(t, data, spec).Renditions {
			if kind := piped(t, r.Data, "file", "-"); !bytes.Contains(kind, []byte("progressive")) {
				t.Errorf("%s, %d pixels: want a progressive file, got %s", name, r.Size, kind)
			}
			if !bytes.Equal(piped(t, r.Data, "djpeg"), piped(t, plain.Renditions[i].Data, "djpeg")) {
				t.Errorf("%s, %d pixels: want the same picture, got another", name, r.Size)
			}
		}
		spec.Format = PNG
		if r := renderOK(t, data, spec).Renditions[0]; r.Format != PNG || !bytes.HasPrefix(r.Data, []byte("\x89PNG")) {
			t.Errorf("%s: want a PNG, got %s", name, r.Format)
		}
	}
}

func piped(t *testing.T, in []byte, argv ...string) []byte {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdin = bytes.NewReader(in)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v", argv, err)
	}
	return out
}

func TestEncode_qualityCounts(t *testing.T) {
	data := camera(t, 600, 400)
	for _, format := range []string{JPEG, WebP} {
		var sizes []int
		for _, q := range []int{20, 60, 95} {
			sizes = append(sizes, len(renderOK(t, data, Spec{Sizes: []int{300}, Format: format, Quality: q}).Renditions[0].Data))
		}
		if sizes[0]*3/2 > sizes[1] || sizes[1]*3/2 > sizes[2] {
			t.Errorf("%s: want more bytes for more quality, got %v", format, sizes)
		}
	}
}

// TestEncode_nothingOfTheOriginalsMetadata puts a place and a profile into an original, and looks for them in what comes out.
func TestEncode_nothingOfTheOriginalsMetadata(t *testing.T) {
	data := jpegWithEXIF(asJPEG(t, quarters(200, 100)), append(exif(6), "GPSLatitude 52.5163N"...))
	for _, format := range []string{JPEG, PNG, WebP} {
		r := renderOK(t, data, Spec{Sizes: []int{64}, Format: format}).Renditions[0]
		for _, trace := range []string{"GPS", "Exif", "EXIF", "eXIf", "ICC"} {
			if strings.Contains(string(r.Data), trace) {
				t.Errorf("%s: %q is in the thumbnail", format, trace)
			}
		}
		if r.Width != 32 || r.Height != 64 {
			t.Errorf("%s: want it upright, got %d x %d", format, r.Width, r.Height)
		}
	}
}
