package main

import (
	"bytes"
	"encoding/binary"
	"image/jpeg"
)

// exif is what a camera writes about a picture.
type exif struct {
	make, model   string
	orientation   int
	width, height int
}

var camera = exif{make: "Example Optics", model: "Field 7", orientation: 1}

// The types of EXIF values.
const (
	exifByte, exifText, exifShort, exifLong, exifRatio, exifRaw = 1, 2, 3, 4, 5, 7
)

// field is one field of a directory.
type field struct {
	tag, kind uint16
	count     uint32
	data      []byte
}

var le = binary.LittleEndian

func text(tag uint16, s string) field {
	return field{tag, exifText, uint32(len(s) + 1), append([]byte(s), 0)}
}

func short(tag uint16, v int) field {
	return field{tag, exifShort, 1, le.AppendUint16(nil, uint16(v))}
}

func long(tag uint16, v int) field {
	return field{tag, exifLong, 1, le.AppendUint32(nil, uint32(v))}
}

// ratio takes pairs of numerator and denominator.
func ratio(tag uint16, v ...uint32) field {
	f := field{tag, exifRatio, uint32(len(v) / 2), nil}
	for _, n := range v {
		f.data = le.AppendUint32(f.data, n)
	}
	return f
}

// directory lays out fields, in the order of their tags, at offset at: the entries, the offset of the next directory, and
// the values that do not fit.
func directory(at int, next uint32, fields ...field) []byte {
	b := le.AppendUint16(nil, uint16(len(fields)))
	far := at + 2 + 12*len(fields) + 4
	var values []byte
	for _, f := range fields {
		b = le.AppendUint16(le.AppendUint16(b, f.tag), f.kind)
		b = le.AppendUint32(b, f.count)
		if len(f.data) <= 4 {
			b = append(b, append(bytes.Clone(f.data), 0, 0, 0, 0)[:4]...)
			continue
		}
		b = le.AppendUint32(b, uint32(far+len(values)))
		values = append(values, f.data...)
		if len(values)%2 == 1 {
			values = append(values, 0)
		}
	}
	return append(le.AppendUint32(b, next), values...)
}

// bytes is the payload of the APP1 segment. The offsets of the two lower directories depend on the length of what is
// before them, which does not depend on their values: so it is laid out twice.
func (e exif) bytes() []byte {
	taken := "2024:05:17 14:03:21"
	var exifAt, gpsAt int
	var head, shot []byte
	for range 2 {
		head = directory(8, 0, text(0x010f, e.make), text(0x0110, e.model), short(0x0112, e.orientation),
			ratio(0x011a, 72, 1), ratio(0x011b, 72, 1), short(0x0128, 2), text(0x0131, "1.04"), text(0x0132, taken),
			text(0x013b, "A. Person"), short(0x0213, 1), text(0x8298, "(c) A. Person"), long(0x8769, exifAt), long(0x8825, gpsAt))
		exifAt = 8 + len(head)
		shot = directory(exifAt, 0, ratio(0x829a, 1, 250), ratio(0x829d, 56, 10), short(0x8827, 200),
			field{0x9000, exifRaw, 4, []byte("0232")}, text(0x9003, taken), text(0x9004, taken), text(0x9011, "+02:00"),
			field{0x9101, exifRaw, 4, []byte{1, 2, 3, 0}},
			ratio(0x920a, 35, 1), field{0xa000, exifRaw, 4, []byte("0100")},
			short(0xa001, 1), long(0xa002, e.width), long(0xa003, e.height), text(0xa434, "35mm f/2"))
		gpsAt = exifAt + len(shot)
	}
	gps := directory(gpsAt, 0, field{0, exifByte, 4, []byte{2, 3, 0, 0}}, text(1, "N"), ratio(2, 52, 1, 31, 1, 1200, 100),
		text(3, "E"), ratio(4, 13, 1, 24, 1, 3600, 100), field{5, exifByte, 1, []byte{0}}, ratio(6, 34, 1))
	out := append([]byte("Exif\x00\x00II*\x00"), 8, 0, 0, 0)
	return append(append(append(out, head...), shot...), gps...)
}

// withSegment puts a segment behind SOI.
func withSegment(pic []byte, marker byte, payload []byte) []byte {
	out := append([]byte{0xff, 0xd8, 0xff, marker}, binary.BigEndian.AppendUint16(nil, uint16(len(payload)+2))...)
	return append(append(out, payload...), pic[2:]...)
}

// oriented is a picture that shows up as quadrants once the orientation o is heeded.
func oriented(o int) ([]byte, error) {
	w, h := 320, 240
	if o >= 5 {
		w, h = h, w
	}
	shown := quadrants(320, 240)
	m := quadrants(w, h)
	for y := range h {
		for x := range w {
			sx, sy := shownAt(o, x, y, w, h)
			m.SetRGBA(x, y, shown.RGBAAt(sx, sy))
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 85}); err != nil {
		return nil, err
	}
	meta := camera
	meta.orientation, meta.width, meta.height = o, w, h
	return withSegment(b.Bytes(), 0xe1, meta.bytes()), nil
}

// shownAt is where the stored pixel (x, y) of a w by h picture is shown under orientation o: EXIF says which side of the
// shown picture the stored row 0 and column 0 are.
func shownAt(o, x, y, w, h int) (int, int) {
	switch o {
	case 2: // top right
		return w - 1 - x, y
	case 3: // bottom right
		return w - 1 - x, h - 1 - y
	case 4: // bottom left
		return x, h - 1 - y
	case 5: // left top
		return y, x
	case 6: // right top
		return h - 1 - y, x
	case 7: // right bottom
		return h - 1 - y, w - 1 - x
	case 8: // left bottom
		return y, w - 1 - x
	}
	return x, y
}
