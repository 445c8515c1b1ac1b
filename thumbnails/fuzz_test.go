package thumbnails

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/gif"
	runtimemetrics "runtime/metrics"
	"strings"
	"testing"
	"time"
)

// FuzzRender: whatever the bytes are, there is a picture inside its bounds or an [*Error] with a sentence.
func FuzzRender(f *testing.F) {
	m := quarters(24, 16)
	var g bytes.Buffer
	p := image.NewPaletted(image.Rect(2, 2, 10, 10), color.Palette{red, color.NRGBA{}})
	if err := gif.EncodeAll(&g, &gif.GIF{Image: []*image.Paletted{p}, Delay: []int{0}, Config: image.Config{Width: 24, Height: 16}}); err != nil {
		f.Fatal(err)
	}
	lit := func(x, y int) bool { return x > y }
	frame := riffChunk("ANMF", append([]byte{1, 0, 0, 1, 0, 0, 7, 0, 0, 7, 0, 0, 1, 0, 0, 0}, riffChunk("VP8L", vp8l(8, 8, 1, 2, 3, 4, 5, lit))...))
	for _, how := range []string{"-compress LZW", "-compress JPEG", "-compress Zip -depth 16 -interlace plane", "-colorspace CMYK -compress RLE"} {
		f.Add(asTIFF(f, "TIFF64", strings.Fields(how+" -resize 24x16"), nil))
	}
	for _, seed := range [][]byte{
		jpegWithEXIF(asJPEG(f, m), exif(6)), pngWithEXIF(asPNG(f, m), exif(3)), g.Bytes(), tiffWith(m, 8), fourInks(16, 16, 2, [4]uint8{9, 99, 200, 30}),
		riff(vp8x(1<<3, 24, 16), riffChunk("VP8L", vp8l(24, 16, 1, 2, 3, 4, 5, lit)), riffChunk("EXIF", exif(5))),
		riff(vp8x(1<<1, 24, 16), frame), asPNG(f, p), []byte("BM"), eps(tiffWith(m, 1)),
		[]byte("%!PS\n%%BeginPreview: 3 2 4 2\n% 5f 00 a0 00\n%%EndPreview\n"), asWebP(f, m, 80),
	} {
		f.Add(seed)
	}
	f.Add(asGIF(f, 24, 16, 2, []patch{
		{at: image.Rect(0, 0, 24, 16), colour: red, ms: 50},
		{at: image.Rect(4, 4, 9, 9), colour: blue, dispose: disposeRestore},
		{at: image.Rect(2, 2, 20, 10), colour: green, hole: image.Rect(3, 3, 6, 6), dispose: disposeClear},
		{at: image.Rect(0, 0, 3, 3), colour: yellow},
	}))
	f.Add(riff(vp8x(1<<1, 24, 16), riffChunk("ANIM", make([]byte, 6)), frame, frame, frame))
	f.Fuzz(rendersOrSays)
}

// rendersOrSays fails the test unless there is a picture inside its bounds or a sentence.
func rendersOrSays(t *testing.T, data []byte) {
	defer boundedMemory(t, data)()
	lim := Limits{MaxPixels: 1 << 16, Timeout: 5 * time.Second}
	spec := Spec{Sizes: []int{32, 8}, Format: Auto, Animated: true}
	res, err := NewImaging().Render(context.Background(), bytes.NewReader(data), int64(len(data)), spec, lim)
	var fault *Error
	if err != nil && (!errors.As(err, &fault) || fault.Reason == "" || fault.Kind == Timeout) {
		t.Fatalf("want a result or a sentence, got %v", err)
	}
	for _, r := range res.Renditions {
		if r.Width > r.Size || r.Height > r.Size || r.Width < 1 || r.Height < 1 {
			t.Errorf("%d x %d in %d", r.Width, r.Height, r.Size)
		}
	}
}

// boundedMemory fails the test when more was allocated until its end than pictures of that size can need. What WebAssembly has is a bound of its own.
func boundedMemory(t *testing.T, data []byte) func() {
	const most = 128 << 20
	if isHEIC(data) || isAVIF(data) {
		return func() {}
	}
	allocated := func() uint64 {
		s := []runtimemetrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
		runtimemetrics.Read(s)
		return s[0].Value.Uint64()
	}
	before := allocated()
	return func() {
		if got := allocated() - before; got > most {
			t.Errorf("want at most %d bytes allocated, got %d", most, got)
		}
	}
}

// FuzzTIFF begins with every way of storing that the decoder knows, so that changes stay among TIFFs.
func FuzzTIFF(f *testing.F) {
	m := quarters(40, 30)
	for _, how := range []string{
		"-compress RLE", "-compress JPEG", "-compress Group4 -monochrome", "-compress Zip -define tiff:endian=msb",
		"-compress LZW -depth 16 -interlace plane", "-compress None -type Palette", "-define tiff:tile-geometry=16x16 -compress Zip",
	} {
		f.Add(asTIFF(f, "TIFF", strings.Fields(how+" -resize 40x30"), nil))
	}
	f.Add(asTIFF(f, "TIFF64", strings.Fields("-compress LZW -resize 40x30"), nil))
	f.Add(tiffWith(m, 6))
	f.Fuzz(rendersOrSays)
}
