package thumbnails

import (
	"encoding/binary"
	"slices"
)

// The raw files of most cameras are TIFFs whose pictures nobody but the camera's maker can develop. Each has a JPEG inside that the
// camera made; the largest is what people want to see.

// maxDirectories bounds how many directories of a TIFF are looked at; raw files have up to a dozen.
const maxDirectories = 64

// jpeg is where the directory has one, in one of the two ways that cameras write.
func (d directory) jpeg() (span, bool) {
	off, _, ok := d.value(tagJPEG)
	n, _, sized := d.value(tagJPEGBytes)
	if ok && sized {
		return span{off, n}, true
	}
	compression, _, _ := d.value(tagCompression)
	off, count, ok := d.value(tagStrips)
	n, _, sized = d.value(tagStripBytes)
	return span{off, n}, ok && sized && count == 1 && (compression == 6 || compression == 7)
}

// raw reports whether the first directory has a small picture only, or one that only its maker can develop.
func (d directory) raw() bool {
	kind, _, _ := d.value(tagSubfileType)
	compression, _, _ := d.value(tagCompression)
	if colours, _, _ := d.value(tagPhotometric); compression == tiffJPEG && kind&1 == 0 && colours <= 6 {
		return false
	}
	return kind&1 == 1 || !slices.Contains([]int64{0, 1, 2, 3, 4, 5, 8, 32773, 32946}, compression)
}

// previewOf is the largest JPEG inside a raw file; ok is false for other TIFFs, and when there is none.
func previewOf(s *source) (best span, ok bool) {
	r, at, ok := newTIFFReader(s)
	if !ok {
		return best, false
	}
	queue, seen, most := []int64{at}, 0, 0
	for ; len(queue) > 0 && seen < maxDirectories; seen++ {
		d, next, err := r.directory(queue[0])
		queue = queue[1:]
		if err != nil {
			continue
		}
		if seen == 0 && !d.raw() {
			return best, false
		}
		if in, has := d.jpeg(); has {
			if pixels := jpegPixels(s, in); pixels > most {
				best, most = in, pixels
			}
		}
		if next != 0 {
			queue = append(queue, next)
		}
		queue = append(queue, d.below()...)
	}
	return best, most > 0
}

// below is where the directories are that belong to one.
func (d directory) below() []int64 {
	all, _ := d.values(tagDirectories, maxDirectories)
	return all
}

// jpegPixels is how many pixels a JPEG says it has; none when there is no JPEG, or one that only holds raw data (lossless).
func jpegPixels(s *source, in span) (pixels int) {
	if in.n < 4 || in.off < 0 || in.off+in.n > s.size {
		return 0
	}
	part := s.part(in)
	var head [2]byte
	if _, err := part.ReadAt(head[:], 0); err != nil || head != [2]byte{0xff, 0xd8} {
		return 0
	}
	_ = jpegSegments(part, func(marker byte, body span) (bool, error) {
		if marker < 0xc0 || marker > 0xc2 || body.n < 6 {
			return true, nil
		}
		var b [5]byte
		_, err := part.ReadAt(b[:], body.off)
		pixels = int(binary.BigEndian.Uint16(b[1:])) * int(binary.BigEndian.Uint16(b[3:]))
		return false, err
	})
	return pixels
}
