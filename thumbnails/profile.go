package thumbnails

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"io"
)

const (
	// maxProfile bounds a colour profile; those of printing presses have two or three megabytes.
	maxProfile = 8 << 20
	// minProfile is a header and the number of tags.
	minProfile = 132
)

// profileOf is the colour profile inside an image, or nil. A profile that is cut off or hidden well is none: an image is
// not refused because of its metadata.
func profileOf(s *source, m measured) (profile []byte) {
	if m.profile != nil {
		return m.profile
	}
	_ = s.limited(headerBytes, func() (err error) {
		switch m.mime {
		case "image/jpeg":
			profile, err = jpegProfile(s)
		case "image/png":
			profile, err = pngProfile(s)
		case "image/webp":
			profile, err = s.bytes(m.webp.profile)
		case "image/tiff":
			profile, err = tiffProfile(s)
		case psdType:
			profile, err = psdProfile(s)
		}
		return err
	})
	return profile
}

// bytes reads a span; one that is no profile by its size is nothing.
func (s *source) bytes(in span) ([]byte, error) {
	if in.n < minProfile || in.n > maxProfile {
		return nil, nil
	}
	b := make([]byte, in.n)
	if _, err := s.ReadAt(b, in.off); err != nil {
		return nil, err
	}
	return b, nil
}

// jpegProfile puts the pieces of APP2 segments together; each says which it is, and of how many.
func jpegProfile(s *source) ([]byte, error) {
	const mark = "ICC_PROFILE\x00"
	pieces := map[byte][]byte{}
	var all byte
	err := jpegSegments(s, func(marker byte, body span) (bool, error) {
		if marker != 0xe2 || body.n < int64(len(mark)+2) {
			return true, nil
		}
		b := make([]byte, body.n)
		if _, err := s.ReadAt(b, body.off); err != nil {
			return false, err
		}
		if rest, ok := bytes.CutPrefix(b, []byte(mark)); ok {
			pieces[rest[0]], all = rest[2:], rest[1]
		}
		return len(pieces) < int(all), nil
	})
	var whole []byte
	for i := 1; err == nil && i <= int(all); i++ {
		piece, ok := pieces[byte(i)]
		if !ok {
			return nil, nil
		}
		whole = append(whole, piece...)
	}
	return whole, err
}

// jpegSegments calls f for each segment before the first scan until f has enough.
func jpegSegments(s *source, f func(marker byte, body span) (more bool, err error)) error {
	var head [4]byte
	for off := int64(2); ; {
		if _, err := s.ReadAt(head[:], off); err != nil {
			return err
		}
		switch {
		case head[0] != 0xff || head[1] == 0xda || head[1] == 0xd9:
			return nil
		case head[1] == 0xff: // a fill byte
			off++
			continue
		}
		n := int64(binary.BigEndian.Uint16(head[2:]))
		if more, err := f(head[1], span{off + 4, max(n-2, 0)}); err != nil || !more {
			return err
		}
		off += 2 + max(n, 2)
	}
}

// pngProfile unpacks iCCP, which stands before the pixels: a name, a zero, the method, and zlib.
func pngProfile(s *source) (profile []byte, err error) {
	err = pngChunks(s, func(kind string, body span) (bool, error) {
		if kind != "iCCP" {
			return kind != "IDAT", nil
		}
		b, err := s.bytes(span{body.off, max(min(body.n, maxProfile), minProfile)})
		if err != nil {
			return false, err
		}
		_, b, ok := bytes.Cut(b[:min(body.n, int64(len(b)))], []byte{0})
		if ok && len(b) > 0 && b[0] == 0 {
			profile, err = inflated(b[1:], maxProfile)
		}
		return false, err
	})
	return profile, err
}

// pngChunks calls f for each chunk before the end until f has enough.
func pngChunks(s *source, f func(kind string, body span) (more bool, err error)) error {
	var head [8]byte
	for off := int64(8); ; {
		if _, err := s.ReadAt(head[:], off); err != nil {
			return err
		}
		body := span{off + 8, int64(binary.BigEndian.Uint32(head[:]))}
		if string(head[4:]) == "IEND" {
			return nil
		}
		if more, err := f(string(head[4:]), body); err != nil || !more {
			return err
		}
		off += 12 + body.n
	}
}

// inflated is what zlib has packed; more than most bytes are nothing.
func inflated(b []byte, most int64) ([]byte, error) {
	z, err := zlib.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	all, err := io.ReadAll(io.LimitReader(z, most+1))
	if int64(len(all)) > most {
		return nil, nil
	}
	return all, err
}

// tiffProfile is a tag of the first picture.
func tiffProfile(s *source) ([]byte, error) {
	r, at, ok := newTIFFReader(s)
	if !ok {
		return nil, nil
	}
	d, _, err := r.directory(at)
	if err != nil {
		return nil, err
	}
	off, n, _ := d.value(tagProfile)
	return s.bytes(span{off, n})
}
