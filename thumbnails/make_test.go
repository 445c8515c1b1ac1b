package thumbnails

import (
	"bytes"
	"context"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"testing"
)

// The images of the tests are made here, byte by byte where no encoder makes them.

var (
	red    = color.NRGBA{R: 220, A: 255}
	green  = color.NRGBA{G: 180, A: 255}
	blue   = color.NRGBA{B: 230, A: 255}
	yellow = color.NRGBA{R: 230, G: 220, A: 255}
)

// quarters is an image of four fields: red and green above blue and yellow.
func quarters(w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetNRGBA(x, y, [4]color.NRGBA{red, green, blue, yellow}[2*y/h*2+2*x/w])
		}
	}
	return m
}

func asJPEG(tb testing.TB, m image.Image) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 95}); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func asPNG(tb testing.TB, m image.Image) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// exif is a block that holds nothing but an orientation.
func exif(orientation int) []byte {
	b := []byte("MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00")
	b[19] = byte(orientation)
	return b
}

func jpegWithEXIF(data, block []byte) []byte {
	payload := append([]byte("Exif\x00\x00"), block...)
	out := append([]byte{}, data[:2]...)
	out = append(out, 0xff, 0xe1, byte((len(payload)+2)>>8), byte(len(payload)+2))
	return append(append(out, payload...), data[2:]...)
}

// pngWithEXIF puts the block behind the header.
func pngWithEXIF(data, block []byte) []byte {
	const head = 8 + 25
	out := append([]byte{}, data[:head]...)
	return append(append(out, pngChunk("eXIf", block)...), data[head:]...)
}

// pngHeader is all of a PNG but its pixels.
func pngHeader(w, h uint32) []byte {
	b := binary.BigEndian.AppendUint32(nil, w)
	b = append(binary.BigEndian.AppendUint32(b, h), 1, 0, 0, 0, 0)
	return append([]byte("\x89PNG\r\n\x1a\n"), pngChunk("IHDR", b)...)
}

// tiffWith is an uncompressed RGB TIFF with an orientation.
func tiffWith(m *image.NRGBA, orientation int) []byte {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	var pix []byte
	for i := 0; i < len(m.Pix); i += 4 {
		pix = append(pix, m.Pix[i:i+3]...)
	}
	const bits, data = 8, 14
	b := []byte("II*\x00\x00\x00\x00\x00\x08\x00\x08\x00\x08\x00")
	b = append(b, pix...)
	if len(b)%2 == 1 {
		b = append(b, 0)
	}
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)))
	fields := [][4]uint32{
		{256, 4, 1, uint32(w)},
		{257, 4, 1, uint32(h)},
		{258, 3, 3, bits},
		{259, 3, 1, 1},
		{262, 3, 1, 2},
		{273, 4, 1, data},
		{274, 3, 1, uint32(orientation)},
		{277, 3, 1, 3},
		{278, 4, 1, uint32(h)},
		{279, 4, 1, uint32(len(pix))},
	}
	b = binary.LittleEndian.AppendUint16(b, uint16(len(fields)))
	for _, f := range fields {
		b = binary.LittleEndian.AppendUint16(b, uint16(f[0]))
		b = binary.LittleEndian.AppendUint16(b, uint16(f[1]))
		b = binary.LittleEndian.AppendUint32(b, f[2])
		b = binary.LittleEndian.AppendUint32(b, f[3])
	}
	return append(b, 0, 0, 0, 0)
}

// bitWriter writes bits from low to high.
type bitWriter struct {
	b []byte
	n int
}

func (w *bitWriter) put(v uint32, bits int) {
	for i := range bits {
		if w.n%8 == 0 {
			w.b = append(w.b, 0)
		}
		w.b[w.n/8] |= byte(v>>i&1) << (w.n % 8)
		w.n++
	}
}

// vp8l is a lossless picture of two colours that differ in green only: on where lit says so.
func vp8l(w, h int, r, off, on, b, a uint8, lit func(x, y int) bool) []byte {
	var o bitWriter
	o.put(0x2f, 8)
	o.put(uint32(w-1), 14)
	o.put(uint32(h-1), 14)
	o.put(1, 1)
	o.put(0, 3+3) // version; no transform, no colour cache, no groups
	o.put(0b111, 3)
	o.put(uint32(off), 8)
	o.put(uint32(on), 8)
	for _, v := range []uint8{r, b, a, 0} {
		o.put(0b101, 3)
		o.put(uint32(v), 8)
	}
	for y := range h {
		for x := range w {
			if lit(x, y) {
				o.put(1, 1)
			} else {
				o.put(0, 1)
			}
		}
	}
	return o.b
}

func riffChunk(kind string, body []byte) []byte {
	b := binary.LittleEndian.AppendUint32([]byte(kind), uint32(len(body)))
	b = append(b, body...)
	if len(body)%2 == 1 {
		b = append(b, 0)
	}
	return b
}

func vp8x(flags byte, w, h int) []byte {
	w, h = w-1, h-1
	return riffChunk("VP8X", []byte{flags, 0, 0, 0, byte(w), byte(w >> 8), byte(w >> 16), byte(h), byte(h >> 8), byte(h >> 16)})
}

func riff(chunks ...[]byte) []byte {
	return riffChunk("RIFF", append([]byte("WEBP"), bytes.Join(chunks, nil)...))
}

// fourInks is a JPEG of w x h in one colour with four components, as Photoshop writes them: transform 0 is CMYK, 2 is
// YCCK; the stored values are inverted inks.
func fourInks(w, h int, transform byte, stored [4]uint8) []byte {
	b := []byte("\xff\xd8\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00")
	b = append(b, transform)
	b = append(append(b, 0xff, 0xdb, 0, 67, 0), bytes.Repeat([]byte{1}, 64)...)
	b = append(b, 0xff, 0xc0, 0, 20, 8, byte(h>>8), byte(h), byte(w>>8), byte(w), 4, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0, 4, 0x11, 0)
	b = append(b, 0xff, 0xc4, 0, 31, 0, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
	b = append(b, 0xff, 0xc4, 0, 20, 0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	b = append(b, 0xff, 0xda, 0, 14, 4, 1, 0, 2, 0, 3, 0, 4, 0, 0, 63, 0)
	var bits string
	for block := range (w + 7) / 8 * ((h + 7) / 8) * 4 {
		diff := 0
		if block < 4 {
			diff = 8 * (int(stored[block]) - 128)
		}
		bits += dcBits(diff) + "0"
	}
	for len(bits)%8 != 0 {
		bits += "1"
	}
	for i := 0; i < len(bits); i += 8 {
		var v byte
		for _, c := range bits[i : i+8] {
			v = v<<1 | byte(c-'0')
		}
		if b = append(b, v); v == 0xff {
			b = append(b, 0)
		}
	}
	return append(b, 0xff, 0xd9)
}

// dcBits is a DC difference in the code of fourInks: four bits of category, then the value.
func dcBits(diff int) string {
	n := 0
	for v := max(diff, -diff); v > 0; v >>= 1 {
		n++
	}
	v := diff
	if diff < 0 {
		v += 1<<n - 1
	}
	s := ""
	for i := 3; i >= 0; i-- {
		s += string('0' + byte(n>>i&1))
	}
	for i := n - 1; i >= 0; i-- {
		s += string('0' + byte(v>>i&1))
	}
	return s
}

// render renders in this process and fails the test on any error.
func renderOK(tb testing.TB, data []byte, spec Spec) Result {
	tb.Helper()
	res, err := NewImaging().Render(context.Background(), bytes.NewReader(data), int64(len(data)), spec, Limits{})
	if err != nil {
		tb.Fatalf("Render: %v", err)
	}
	return res
}

// picture decodes one rendition.
func picture(tb testing.TB, r Rendition) image.Image {
	tb.Helper()
	m, kind, err := image.Decode(bytes.NewReader(r.Data))
	if err != nil {
		tb.Fatalf("a rendition that cannot be decoded: %v", err)
	}
	if kind != r.Format || m.Bounds().Dx() != r.Width || m.Bounds().Dy() != r.Height {
		tb.Fatalf("the rendition says %s %dx%d, its data are %s %v", r.Format, r.Width, r.Height, kind, m.Bounds())
	}
	return m
}

// near fails the test unless the pixel has the colour, give or take.
func near(tb testing.TB, m image.Image, x, y int, want color.NRGBA, give int) {
	tb.Helper()
	got := color.NRGBAModel.Convert(m.At(x, y)).(color.NRGBA)
	for _, p := range [][2]uint8{{want.R, got.R}, {want.G, got.G}, {want.B, got.B}, {want.A, got.A}} {
		if d := int(p[0]) - int(p[1]); d > give || d < -give {
			tb.Errorf("pixel %d,%d: want %v, got %v", x, y, want, got)
			return
		}
	}
}
