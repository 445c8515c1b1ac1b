package pictures_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"sync"
	"testing"
)

// bomb is a file that is small and wants to be large, endless or circular. Each has a seed in it, so that no two are the same bytes.
type bomb struct {
	name string
	make func(tb testing.TB, seed int) []byte
}

// bombs are all that is thrown. None of them can have a thumbnail.
func bombs() []bomb {
	return []bomb{
		{"square.png", func(_ testing.TB, seed int) []byte { return pngOf(seed, 30000, 30000, zeros(3751*30000)) }},
		{"long.png", func(_ testing.TB, seed int) []byte { return pngOf(seed, 1<<31-1, 1, zeros(1<<20)) }},
		{"empty.png", func(_ testing.TB, seed int) []byte { return pngOf(seed, 65535, 65535, nil) }},
		{"more-than-it-says.png", func(_ testing.TB, seed int) []byte { return pngOf(seed, 100, 100, zeros(200<<20))[:60000] }},
		{"profile.png", func(_ testing.TB, seed int) []byte {
			return pngOf(seed, 20000, 20000, nil, chunk("iCCP", append([]byte("x\x00\x00"), zeros(100<<20)...)))
		}},
		{"text.png", func(_ testing.TB, seed int) []byte {
			return pngOf(seed, 20000, 20000, nil, chunk("zTXt", append([]byte("x\x00\x00"), zeros(100<<20)...)))
		}},
		{"screen.gif", func(_ testing.TB, seed int) []byte { return gifOf(seed, 65535, 65535, 1, 1) }},
		{"frame.gif", func(_ testing.TB, seed int) []byte { return gifOf(seed, 16, 16, 65535, 65535) }},
		{"square.tif", func(_ testing.TB, seed int) []byte { return tiffOf(seed, 60000, 60000, 1, 60000, 0) }},
		{"strips.tif", func(_ testing.TB, seed int) []byte { return tiffOf(seed, 9000, 9000, 8, 1<<32-1, 0) }},
		{"circle.tif", func(_ testing.TB, seed int) []byte { return circleTIFF(seed) }},
		{"strip-of-zeros.tif", stripOfZeros},
		{"canvas.webp", func(_ testing.TB, seed int) []byte { return webpOf(seed, 1<<24, 1<<24) }},
		{"lossless.webp", func(_ testing.TB, seed int) []byte {
			return riff(seed, riffChunk("VP8L", []byte{0x2f, 0xff, 0xff, 0xff, 0x0f, 1, 2, 3}))
		}},
		{"nested.webp", nestedWebP},
		{"square.jpg", func(tb testing.TB, seed int) []byte { return jpegOf(tb, seed, 65535, 65535) }},
		{"wide.jpg", func(tb testing.TB, seed int) []byte { return jpegOf(tb, seed, 65535, 1500) }},
		{"scans.jpg", manyScans},
		{"circle-in-exif.jpg", func(tb testing.TB, seed int) []byte {
			return withSegment(jpegOf(tb, seed, 65000, 65000), 0xe1, append([]byte("Exif\x00\x00"), circleTIFF(seed)...))
		}},
		{"huge.bmp", func(_ testing.TB, seed int) []byte { return bmpOf(seed, 1<<30, -1<<30) }},
		{"huge.psd", func(_ testing.TB, seed int) []byte { return psdOf(seed, 300000, 300000) }},
		{"huge.heic", func(_ testing.TB, seed int) []byte { return heifOf(seed, "heic", 1<<30, 1<<30) }},
		{"huge.avif", func(_ testing.TB, seed int) []byte { return heifOf(seed, "avif", 1<<31, 1<<31) }},
	}
}

var (
	packed     = map[int][]byte{}
	packedLock sync.Mutex
)

// zeros are so many, deflated; a thousandth of it remains.
func zeros(n int) []byte {
	packedLock.Lock()
	defer packedLock.Unlock()
	if packed[n] == nil {
		var b bytes.Buffer
		z := zlib.NewWriter(&b)
		piece := make([]byte, 1<<20)
		for left := n; left > 0; left -= len(piece) {
			_, _ = z.Write(piece[:min(left, len(piece))])
		}
		_ = z.Close()
		packed[n] = b.Bytes()
	}
	return packed[n]
}

func number(seed int) []byte { return binary.BigEndian.AppendUint64(nil, uint64(seed)+1) }

func chunk(kind string, body []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	b = append(append(b, kind...), body...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

// pngOf has one bit for each pixel.
func pngOf(seed int, w, h uint32, data []byte, more ...[]byte) []byte {
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)
	parts := [][]byte{[]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", append(head, 1, 0, 0, 0, 0)), chunk("seEd", number(seed))}
	parts = append(parts, more...)
	if data != nil {
		parts = append(parts, chunk("IDAT", data))
	}
	return bytes.Join(append(parts, chunk("IEND", nil)), nil)
}

func gifOf(seed, screenW, screenH, w, h int) []byte {
	var b bytes.Buffer
	m := image.NewPaletted(image.Rect(0, 0, 1, 1), color.Palette{color.Black, color.White})
	_ = gif.Encode(&b, m, nil)
	data := b.Bytes()
	binary.LittleEndian.PutUint16(data[6:], uint16(screenW))
	binary.LittleEndian.PutUint16(data[8:], uint16(screenH))
	at := bytes.LastIndexByte(data[:len(data)-1], ',')
	binary.LittleEndian.PutUint16(data[at+5:], uint16(w))
	binary.LittleEndian.PutUint16(data[at+7:], uint16(h))
	comment := append([]byte{0x21, 0xfe, 8}, number(seed)...)
	return append(data[:len(data)-1:len(data)-1], append(append(comment, 0), ';')...)
}

// tiffOf is a grey picture in one strip that lies about how many bytes or values it has.
func tiffOf(seed int, w, h uint32, bits, strips, next uint32) []byte {
	fields := [][3]uint32{{256, 4, w}, {257, 4, h}, {258, 3, bits}, {259, 3, 1}, {262, 3, 1}}
	b := append([]byte("II*\x00\x10\x00\x00\x00"), number(seed)...)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(fields)+3))
	for _, f := range fields {
		b = tiffField(b, f[0], f[1], 1, f[2])
	}
	b = tiffField(b, 273, 4, strips, 8)
	b = tiffField(b, 278, 4, 1, h)
	b = tiffField(b, 279, 4, strips, 1<<32-1)
	return binary.LittleEndian.AppendUint32(b, next)
}

func tiffField(b []byte, tag, kind, count, value uint32) []byte {
	b = binary.LittleEndian.AppendUint16(b, uint16(tag))
	b = binary.LittleEndian.AppendUint16(b, uint16(kind))
	b = binary.LittleEndian.AppendUint32(b, count)
	return binary.LittleEndian.AppendUint32(b, value)
}

// circleTIFF has directories that lead to themselves and to each other, by every way there is.
func circleTIFF(seed int) []byte {
	b := append([]byte("II*\x00\x10\x00\x00\x00"), number(seed)...)
	for range 3 {
		b = binary.LittleEndian.AppendUint16(b, 5)
		b = tiffField(b, 254, 4, 1, 1)
		b = tiffField(b, 330, 4, 1, 16)
		b = tiffField(b, 34665, 4, 1, 16)
		b = tiffField(b, 34853, 4, 1, uint32(len(b)-2))
		b = tiffField(b, 34854, 4, 1<<31, 16)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(b)+4))
	}
	for i := 0; i < 3; i++ {
		binary.LittleEndian.PutUint32(b[16+i*66+62:], uint32(16+(i+1)%3*66))
	}
	return b
}

// stripOfZeros is 100 pixels whose strip unpacks to far more.
func stripOfZeros(_ testing.TB, seed int) []byte {
	data := zeros(100 << 20)[:50000]
	b := append([]byte("II*\x00\x00\x00\x00\x00"), number(seed)...)
	b = append(b, data...)
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)))
	b = binary.LittleEndian.AppendUint16(b, 8)
	for _, f := range [][3]uint32{{256, 4, 30000}, {257, 4, 30000}, {258, 3, 8}, {259, 3, 8}, {262, 3, 1}, {273, 4, 16}, {278, 4, 30000}, {279, 4, uint32(len(data))}} {
		b = tiffField(b, f[0], f[1], 1, f[2])
	}
	return binary.LittleEndian.AppendUint32(b, 0)
}

func riffChunk(kind string, body []byte) []byte {
	b := binary.LittleEndian.AppendUint32([]byte(kind), uint32(len(body)))
	b = append(b, body...)
	if len(body)%2 == 1 {
		b = append(b, 0)
	}
	return b
}

func riff(seed int, chunks ...[]byte) []byte {
	return riffChunk("RIFF", bytes.Join(append([][]byte{[]byte("WEBP")}, append(chunks, riffChunk("seed", number(seed)))...), nil))
}

func webpOf(seed, w, h int) []byte {
	w, h = w-1, h-1
	head := []byte{2, 0, 0, 0, byte(w), byte(w >> 8), byte(w >> 16), byte(h), byte(h >> 8), byte(h >> 16)}
	return riff(seed, riffChunk("VP8X", head), riffChunk("ANIM", make([]byte, 6)), riffChunk("ANMF", make([]byte, 64)))
}

// nestedWebP has thousands of frames inside each other.
func nestedWebP(_ testing.TB, seed int) []byte {
	body := make([]byte, 16)
	for range 1000 {
		body = riffChunk("ANMF", append(make([]byte, 16), body...))
	}
	return riff(seed, riffChunk("VP8X", []byte{2, 0, 0, 0, 15, 0, 0, 15, 0, 0}), body)
}

func withSegment(data []byte, marker byte, body []byte) []byte {
	n := len(body) + 2
	out := append([]byte{0xff, 0xd8, 0xff, marker, byte(n >> 8), byte(n)}, body...)
	return append(out, data[2:]...)
}

// jpegOf is a small picture that says it is large.
func jpegOf(tb testing.TB, seed, w, h int) []byte {
	tb.Helper()
	var b bytes.Buffer
	check(tb, jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 16, 16)), nil))
	data := b.Bytes()
	at := bytes.Index(data, []byte{0xff, 0xc0}) + 5
	binary.BigEndian.PutUint16(data[at:], uint16(h))
	binary.BigEndian.PutUint16(data[at+2:], uint16(w))
	return withSegment(data, 0xfe, number(seed))
}

// manyScans is a progressive JPEG of 98 megapixels with thousands of scans, each of which is one code for the end of all blocks.
func manyScans(tb testing.TB, seed int) []byte {
	data := jpegOf(tb, seed, 65535, 1500)
	data[bytes.Index(data, []byte{0xff, 0xc0})+1] = 0xc2
	at := bytes.Index(data, []byte{0xff, 0xda})
	out := bytes.Clone(data[:at])
	for i := range 5000 {
		out = append(out, 0xff, 0xda, 0, 8, 1, 1, 0, byte(1+i%63), byte(1+i%63), 0, 0, 0)
	}
	return append(out, 0xff, 0xd9)
}

func bmpOf(seed int, w, h int32) []byte {
	b := append([]byte("BM\x00\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00"), make([]byte, 36)...)
	binary.LittleEndian.PutUint32(b[18:], uint32(w))
	binary.LittleEndian.PutUint32(b[22:], uint32(h))
	b[26], b[28] = 1, 24
	return append(b, number(seed)...)
}

func psdOf(seed int, w, h uint32) []byte {
	b := append([]byte("8BPS\x00\x02\x00\x00\x00\x00\x00\x00\x00\x03"), binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, h), w)...)
	b = append(b, 0, 8, 0, 3, 0xff, 0xff, 0xff, 0xff)
	return append(b, number(seed)...)
}

func box(kind string, body ...[]byte) []byte {
	all := bytes.Join(body, nil)
	return append(append(binary.BigEndian.AppendUint32(nil, uint32(len(all)+8)), kind...), all...)
}

// heifOf has the boxes that measure a picture, and no picture.
func heifOf(seed int, brand string, w, h uint32) []byte {
	size := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(make([]byte, 4), w), h)
	meta := box("meta", make([]byte, 4),
		box("pitm", make([]byte, 4), []byte{0, 1}),
		box("iprp", box("ipco", box("ispe", size)), box("ipma", make([]byte, 4), []byte{0, 0, 0, 1, 0, 1, 1, 1})))
	return bytes.Join([][]byte{box("ftyp", []byte(brand), make([]byte, 4), []byte("mif1"), []byte(brand)), meta, box("mdat", number(seed))}, nil)
}

// TestBombs_areSmall says what is thrown.
func TestBombs_areSmall(t *testing.T) {
	seen := map[string]bool{}
	for _, b := range bombs() {
		data := b.make(t, 1)
		if len(data) > 200<<10 || bytes.Equal(data, b.make(t, 2)) || seen[b.name] {
			t.Errorf("%s: want a small file, one of a kind, got %d bytes", b.name, len(data))
		}
		seen[b.name] = true
		t.Logf("%s: %d bytes", b.name, len(data))
	}
}
