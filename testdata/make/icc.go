package main

import (
	"bytes"
	"encoding/binary"
	"image/jpeg"
)

var be = binary.BigEndian

// wideGamut is a picture whose numbers mean nothing without its profile: primaries and gamma of Adobe RGB (1998).
func wideGamut() ([]byte, error) {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, quadrants(320, 240), &jpeg.Options{Quality: 85}); err != nil {
		return nil, err
	}
	return withSegment(b.Bytes(), 0xe2, append([]byte("ICC_PROFILE\x00\x01\x01"), profile()...)), nil
}

// profile is a version 2 ICC profile with a matrix and a gamma.
func profile() []byte {
	tags := []struct{ name, data string }{
		{"desc", described("Wide test space")},
		{"cprt", "text\x00\x00\x00\x00no rights reserved\x00\x00"},
		{"wtpt", xyz(0x0000f351, 0x00010000, 0x000116cc)},
		{"rXYZ", xyz(0x00009c18, 0x00004fa5, 0x000004fc)},
		{"gXYZ", xyz(0x0000348d, 0x0000a02c, 0x00000f95)},
		{"bXYZ", xyz(0x00002631, 0x0000102f, 0x0000be9c)},
		{"rTRC", gamma(0x0233)},
		{"gTRC", gamma(0x0233)},
		{"bTRC", gamma(0x0233)},
	}
	table, data := be.AppendUint32(nil, uint32(len(tags))), []byte(nil)
	for _, t := range tags {
		table = append(table, t.name...)
		table = be.AppendUint32(table, uint32(128+4+12*len(tags)+len(data)))
		table = be.AppendUint32(table, uint32(len(t.data)))
		data = append(data, t.data...)
		for len(data)%4 != 0 {
			data = append(data, 0)
		}
	}
	head := make([]byte, 128)
	be.PutUint32(head, uint32(128+len(table)+len(data)))
	copy(head[8:], "\x02\x10\x00\x00mntrRGB XYZ ")
	for i, v := range []uint16{2024, 1, 1, 0, 0, 0} {
		be.PutUint16(head[24+2*i:], v)
	}
	copy(head[36:], "acsp")
	copy(head[68:], xyz(0x0000f6d6, 0x00010000, 0x0000d32d)[8:])
	return append(append(head, table...), data...)
}

func xyz(x, y, z uint32) string {
	return string(be.AppendUint32(be.AppendUint32(be.AppendUint32([]byte("XYZ \x00\x00\x00\x00"), x), y), z))
}

func gamma(v uint16) string {
	return string(be.AppendUint16([]byte("curv\x00\x00\x00\x00\x00\x00\x00\x01"), v))
}

// described is a description in ASCII, with an empty one in Unicode and for the Mac, as version 2 wants.
func described(s string) string {
	b := be.AppendUint32([]byte("desc\x00\x00\x00\x00"), uint32(len(s)+1))
	return string(append(append(b, s...), make([]byte, 1+4+4+2+1+67)...))
}
