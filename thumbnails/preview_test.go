package thumbnails

import (
	"bytes"
	"context"
	"encoding/binary"
	"testing"
)

// rawFile is a TIFF as cameras write it: a small picture first, larger ones in JPEG below it, and a lossless one that is the raw data.
func rawFile(small []byte, jpegs ...[]byte) []byte {
	b := append([]byte("II*\x00\x08\x00\x00\x00"), make([]byte, 200)...)
	at := make([]uint32, len(jpegs))
	for i, j := range jpegs {
		at[i] = uint32(len(b))
		b = append(b, j...)
	}
	below := uint32(len(b))
	for i := range jpegs {
		b = binary.LittleEndian.AppendUint32(b, below+uint32(4*len(jpegs)+30*i))
	}
	for i, j := range jpegs {
		b = append(b, tiffDirectory([4]uint32{tagJPEG, 4, 1, at[i]}, [4]uint32{tagJPEGBytes, 4, 1, uint32(len(j))})...)
	}
	strip := uint32(len(b))
	b = append(b, small...)
	copy(b[8:], tiffDirectory(
		[4]uint32{tagSubfileType, 4, 1, 1}, [4]uint32{256, 4, 1, 1}, [4]uint32{257, 4, 1, 1}, [4]uint32{tagCompression, 3, 1, 1},
		[4]uint32{tagStrips, 4, 1, strip}, [4]uint32{tagStripBytes, 4, 1, uint32(len(small))}, [4]uint32{274, 3, 1, 6},
		[4]uint32{tagDirectories, 4, uint32(len(jpegs)), below},
	))
	return b
}

// tiffDirectory has 6 bytes and 12 for each field: tag, type, count, value.
func tiffDirectory(fields ...[4]uint32) []byte {
	b := binary.LittleEndian.AppendUint16(nil, uint16(len(fields)))
	for _, f := range fields {
		b = binary.LittleEndian.AppendUint16(b, uint16(f[0]))
		b = binary.LittleEndian.AppendUint16(b, uint16(f[1]))
		b = binary.LittleEndian.AppendUint32(b, f[2])
		b = binary.LittleEndian.AppendUint32(b, f[3])
	}
	return append(b, 0, 0, 0, 0)
}

func TestRender_takesTheLargestPictureOfARawFile(t *testing.T) {
	lossless := bytes.Clone(asJPEG(t, quarters(800, 600)))
	at := bytes.Index(lossless, []byte{0xff, 0xc0})
	lossless[at+1] = 0xc3
	data := rawFile([]byte{1, 2, 3}, asJPEG(t, quarters(64, 48)), asJPEG(t, quarters(320, 240)), lossless)
	res := renderOK(t, data, Spec{Sizes: []int{120}, Format: PNG})
	if res.Width != 240 || res.Height != 320 {
		t.Errorf("it is %d x %d; the picture of 320 x 240, turned upright, was meant", res.Width, res.Height)
	}
	got := picture(t, res.Renditions[0])
	near(t, got, 20, 20, blue, 8) // turned clockwise: what was below left is above left
	near(t, got, 70, 20, red, 8)
}

// TestRender_aPreviewInAFinishedTIFFIsNotTaken: scanners and programs put small ones into files that can be decoded.
func TestRender_aPreviewInAFinishedTIFFIsNotTaken(t *testing.T) {
	data := tiffWith(quarters(40, 20), 1)
	if in, ok := previewOf(newSource(context.Background(), bytes.NewReader(data), int64(len(data)))); ok {
		t.Errorf("%v was taken", in)
	}
}

func FuzzPreview(f *testing.F) {
	f.Add(rawFile([]byte{1, 2, 3}, asJPEG(f, quarters(64, 48)), asJPEG(f, quarters(16, 8))))
	f.Add(tiffWith(quarters(8, 8), 1))
	f.Fuzz(func(_ *testing.T, data []byte) {
		previewOf(newSource(context.Background(), bytes.NewReader(data), int64(len(data))))
	})
}
