package proof

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const assets = "../../testdata/assets"

// sample is a whole file. alike is a prefix of it that is a whole file as well, as no format can help; 0 for none.
type sample struct {
	name, format string
	data         []byte
	alike        int
}

// proven are all samples that must be proven: those of testdata, and those built here.
func proven(t testing.TB) []sample {
	t.Helper()
	out := []sample{}
	for name, format := range map[string]string{
		"photo.jpg": "JPEG", "photo-adobergb.jpg": "JPEG", "progressive.jpg": "JPEG", "cmyk.jpg": "JPEG", "gray.jpg": "JPEG",
		"orientation-6.jpg": "JPEG", "broken/corrupt.jpg": "JPEG", "alpha.png": "PNG", "sixteen-bit.png": "PNG", "palette.png": "PNG",
		"broken/bomb.png": "PNG", "broken/png-named.jpg": "PNG", "animated.gif": "GIF", "broken/bomb.gif": "GIF", "lzw.tif": "TIFF",
		"uncompressed.tif": "TIFF", "lossless.webp": "WebP", "page.pdf": "PDF", "archive.zip": "ZIP", "letter.docx": "OOXML", "clip.mp4": "MP4",
	} {
		out = append(out, sample{name: name, format: format, data: asset(t, name)})
	}
	picture := asset(t, "orientation-1.jpg")
	return append(out,
		sample{name: "multi-picture", format: "JPEG", data: multiPicture(picture, asset(t, "gray.jpg"), 0)},
		sample{name: "multi-picture with a gap", format: "JPEG", data: multiPicture(picture, asset(t, "gray.jpg"), 77)},
		sample{name: "motion photo", format: "JPEG", data: motionPhoto(picture, asset(t, "clip.mp4"))},
		sample{name: "phone trailer", format: "JPEG", data: phoneTrailer(picture), alike: len(picture)},
		sample{name: "index last", format: "MP4", data: indexLast(asset(t, "clip.mp4"))},
		sample{name: "heic", format: "HEIC", data: heic()},
		sample{name: "BigTIFF", format: "TIFF", data: bigTIFF()},
		sample{name: "zip64", format: "ZIP", data: zip64()},
		sample{name: "linearized", format: "PDF", data: linearPDF()},
	)
}

func asset(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(assets, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func segment(pic []byte, marker byte, payload []byte) []byte {
	out := append([]byte{0xff, 0xd8, 0xff, marker}, binary.BigEndian.AppendUint16(nil, uint16(len(payload)+2))...)
	return append(append(out, payload...), pic[2:]...)
}

// multiPicture is two pictures with an index in the first, and gap bytes between them.
func multiPicture(first, second []byte, gap int) []byte {
	le := binary.LittleEndian
	index := func(at uint32) []byte {
		b := append([]byte("MPF\x00II*\x00\x08\x00\x00\x00\x01\x00\x02\xb0\x07\x00"), 32, 0, 0, 0, 26, 0, 0, 0, 0, 0, 0, 0)
		b = append(b, make([]byte, 16)...)
		b = le.AppendUint32(le.AppendUint32(append(b, 0, 0, 0, 0), uint32(len(second))), at)
		return append(b, 0, 0, 0, 0)
	}
	size := len(segment(first, 0xe2, index(0)))
	out := segment(first, 0xe2, index(uint32(size+gap-10))) // 10: SOI, the marker, its length, "MPF"
	return append(append(out, bytes.Repeat([]byte{0}, gap)...), second...)
}

func motionPhoto(pic, film []byte) []byte {
	xmp := `http://ns.adobe.com/xap/1.0/` + "\x00" + `<x:xmpmeta><rdf:Description GCamera:MotionPhoto="1"/></x:xmpmeta>`
	return append(segment(pic, 0xe1, []byte(xmp)), film...)
}

func phoneTrailer(pic []byte) []byte {
	le := binary.LittleEndian
	block := append([]byte{0, 0, 1, 0x0a, 14, 0, 0, 0}, "Image_UTC_Data1715947401000"...)
	dir := le.AppendUint32(le.AppendUint32([]byte("SEFH"), 106), 1)
	dir = append(dir, 0, 0, 1, 0x0a)
	dir = le.AppendUint32(le.AppendUint32(dir, uint32(len(block))), uint32(len(block)))
	out := append(append(bytes.Clone(pic), block...), dir...)
	return append(le.AppendUint32(out, uint32(len(dir))), "SEFT"...)
}

func atom(kind string, body ...byte) []byte {
	return append(append(binary.BigEndian.AppendUint32(nil, uint32(8+len(body))), kind...), body...)
}

// indexLast is the film as a camera writes it: the data first, the index behind it.
func indexLast(film []byte) []byte {
	moov, mdat := bytes.Index(film, []byte("moov"))-4, bytes.Index(film, []byte("mdat"))-4
	index := bytes.Clone(film[moov:mdat])
	binary.BigEndian.PutUint32(index[len(index)-4:], uint32(moov+8))
	return append(append(bytes.Clone(film[:moov]), film[mdat:]...), index...)
}

func heic() []byte {
	out := append(atom("ftyp", []byte("heic\x00\x00\x00\x00mif1heic")...), atom("meta", noise(90)...)...)
	return append(out, atom("mdat", noise(20_001)...)...)
}

// noise is n bytes with no zero among them.
func noise(n int) []byte {
	r, b := rand.New(rand.NewPCG(1, 2)), make([]byte, n)
	for i := range b {
		b[i] = uint8(1 + r.IntN(255))
	}
	return b
}

// bigTIFF has one strip at its end, a directory below the first, and the byte order of a big machine.
func bigTIFF() []byte {
	be := binary.BigEndian
	entry := func(b []byte, tag, kind uint16, v uint64) []byte {
		b = be.AppendUint64(be.AppendUint16(be.AppendUint16(b, tag), kind), 1)
		if kind == 3 {
			v <<= 48
		}
		return be.AppendUint64(b, v)
	}
	b := append([]byte("MM\x00+\x00\x08\x00\x00"), be.AppendUint64(nil, 16)...)
	b = be.AppendUint64(b, 4)
	b = entry(b, 256, 3, 100)
	b = entry(b, 273, 16, 200)
	b = entry(b, 279, 16, 5000)
	b = entry(b, 34665, 16, 120)
	b = be.AppendUint64(b, 0)
	b = append(b, make([]byte, 120-len(b))...)
	b = entry(be.AppendUint64(b, 1), 0x9003, 2, 'x'<<56)
	b = be.AppendUint64(b, 0)
	return append(append(b, make([]byte, 200-len(b))...), noise(5000)...)
}

// zip64 is one stored file whose place the end record can only give by its 64-bit twin.
func zip64() []byte {
	le, body := binary.LittleEndian, noise(500)
	sum, n := crc32.ChecksumIEEE(body), uint32(len(body))
	common := func(b []byte) []byte { // flags, method, time, date, checksum, sizes, length of the name
		b = append(b, 0, 0, 0, 0, 0, 0, 0x21, 0x58)
		b = le.AppendUint32(le.AppendUint32(le.AppendUint32(b, sum), n), n)
		return append(b, 1, 0, 0, 0)
	}
	b := append(append(common([]byte("PK\x03\x04\x2d\x00")), 'a'), body...)
	dir := len(b)
	b = append(common(append(b, "PK\x01\x02\x2d\x03\x2d\x00"...)), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	b = append(append(b, 0, 0, 0, 0), 'a')
	end := len(b)
	b = le.AppendUint64(append(b, "PK\x06\x06"...), 44)
	b = append(b, 45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	for _, v := range []int{1, 1, end - dir, dir} {
		b = le.AppendUint64(b, uint64(v))
	}
	b = le.AppendUint64(append(b, "PK\x06\x07\x00\x00\x00\x00"...), uint64(end))
	b = append(b, 1, 0, 0, 0)
	return append(append(b, "PK\x05\x06\x00\x00\x00\x00"...), "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00"...)
}

// linearPDF has an %%EOF behind its first page, and a cross-reference stream.
func linearPDF() []byte {
	body := strings.Repeat("9 0 obj (words) endobj\n", 300)
	build := func(length int) string {
		head := fmt.Sprintf("%%PDF-1.5\n1 0 obj\n<< /Linearized 1 /L %06d /H [ 500 20 ] /O 3 /E 900 /N 1 /T 800 >>\nendobj\n", length)
		at := len(head)
		first := "2 0 obj\n<< /Type /XRef /Size 9 >>\nstream\nx\nendstream\nendobj\nstartxref\n0\n%%EOF\n"
		return head + first + body + fmt.Sprintf("startxref\n%d\n%%%%EOF\n", at)
	}
	return []byte(build(len(build(0))))
}
