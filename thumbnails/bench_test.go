package thumbnails

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color/palette"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"io"
	"math"
	"math/rand/v2"
	"testing"
)

// camera is a JPEG of w x h with the structure and the noise of a photograph.
func camera(tb testing.TB, w, h int) []byte {
	tb.Helper()
	m := image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio420)
	r := rand.New(rand.NewPCG(1, 2))
	for y := range h {
		for x := range w {
			v := 128 + 60*math.Sin(float64(x)/37) + 50*math.Cos(float64(y)/23) + r.NormFloat64()*5
			m.Y[y*m.YStride+x] = uint8(min(max(v, 0), 255))
		}
	}
	for i := range m.Cb {
		m.Cb[i], m.Cr[i] = uint8(128+i%40), uint8(110+i/m.CStride%50)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 92}); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// BenchmarkFloorDecode is the floor of BenchmarkRender24MP: a full decode and nothing else.
func BenchmarkFloorDecode(b *testing.B) {
	data := camera(b, 6000, 4000)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := jpeg.Decode(bytes.NewReader(data)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRender24MP(b *testing.B) { benchRender(b, NewImaging()) }

// BenchmarkRender24MPPool says what the process boundary costs.
func BenchmarkRender24MPPool(b *testing.B) { benchRender(b, testPool(b, "imaging", 1)) }

func benchRender(b *testing.B, e Engine) {
	data := camera(b, 6000, 4000)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		_, err := e.Render(context.Background(), bytes.NewReader(data), int64(len(data)), Spec{Sizes: []int{1024, 256}}, Limits{})
		if err != nil {
			b.Fatal(err)
		}
	}
}

var _ io.ReaderAt = (*remote)(nil)

// BenchmarkKept is what a rule that keeps words adds to one original, in all sizes; its floor is BenchmarkRender24MP, of which it is to be
// next to nothing.
func BenchmarkKept(b *testing.B) {
	data := jpegWithEXIF(jpegWithXMP(camera(b, 6000, 4000), xmpOf(owners)), exifOfOwner("Eve", "x"))
	for b.Loop() {
		s := newSource(b.Context(), bytes.NewReader(data), int64(len(data)))
		k, err := keptOf(s, measured{}, keepWords())
		if err != nil || len(k.packet()) == 0 {
			b.Fatal(err, k)
		}
	}
}

// BenchmarkAnimate is 60 frames of 480 x 270 with something that moves on a picture: what WebP and PNG take, and what comes out, beside the first frame.
func BenchmarkAnimate(b *testing.B) {
	ground := ripples(480, 270)
	g := gif.GIF{Config: image.Config{Width: 480, Height: 270}}
	for i := range 60 {
		m := image.NewPaletted(ground.Rect, palette.Plan9)
		draw.Draw(m, m.Rect, ground, image.Point{}, draw.Src)
		draw.Draw(m, image.Rect(6*i, 2*i, 6*i+80, 2*i+80), image.NewUniform(red), image.Point{}, draw.Src)
		g.Image, g.Delay = append(g.Image, m), append(g.Delay, 5)
	}
	var data bytes.Buffer
	if err := gif.EncodeAll(&data, &g); err != nil {
		b.Fatal(err)
	}
	for _, spec := range []Spec{{Format: WebP}, {Format: WebP, Animated: true}, {Format: PNG, Animated: true}} {
		spec.Sizes = []int{256}
		b.Run(fmt.Sprintf("%s, animated %v", spec.Format, spec.Animated), func(b *testing.B) {
			for b.Loop() {
				res := renderOK(b, data.Bytes(), spec)
				b.ReportMetric(float64(len(res.Renditions[0].Data)), "out-bytes")
			}
		})
	}
}
