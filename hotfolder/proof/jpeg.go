package proof

import (
	"bytes"
	"context"
	"encoding/binary"
)

const (
	maxSegments = 1 << 16
	maxPictures = 64 // in one file: multi-picture files, gain maps
)

// jpeg is what the walk over a JPEG has met.
type jpeg struct {
	s        *source
	segments int
	motion   bool    // the metadata announces a film behind the picture
	pictures []int64 // where the multi-picture index says that further pictures begin
	ends     []int64 // and where they end
}

// walkJPEG goes from SOI by the markers and through the entropy-coded data to EOI. Behind EOI only what is itself whole is
// accepted: further pictures, a film, the trailer of a phone. Zeros there are what a writer leaves that sets a size first.
func walkJPEG(ctx context.Context, s *source) (string, error) {
	s.readWhole()
	j := &jpeg{s: s}
	at := int64(0)
	for range maxPictures {
		end, err := j.picture(ctx, at)
		if err != nil {
			return "", err
		}
		if at = j.next(ctx, end); at < 0 {
			return j.trailer(ctx, end)
		}
	}
	return "", doubtf("holds more than %d pictures", maxPictures)
}

// picture walks one picture that begins at at, and returns where its EOI ends.
func (j *jpeg) picture(ctx context.Context, at int64) (int64, error) {
	if b, err := j.s.bytes(ctx, at, 2); err != nil || string(b) != "\xff\xd8" {
		return 0, orFault(err, "has no picture at byte %d", at)
	}
	at += 2
	for scans := 0; ; {
		m, err := j.s.bytes(ctx, at, 2)
		if err != nil {
			return 0, err
		}
		marker := m[1]
		switch {
		case m[0] != 0xff:
			return 0, faultf("has no marker at byte %d", at)
		case marker == 0xff: // fill
			at++
			continue
		case marker == 0xd9 && scans == 0:
			return 0, faultf("ends at byte %d without a picture", at)
		case marker == 0xd9:
			return at + 2, nil
		case marker == 0xf7: // JPEG-LS stuffs bits, not bytes
			return 0, doubt("is a JPEG-LS")
		}
		if at, err = j.segment(ctx, at, marker); err != nil {
			return 0, err
		}
		if marker == 0xda {
			scans++
			if at, err = j.scan(ctx, at); err != nil {
				return 0, err
			}
		}
	}
}

// segment passes over one segment, and returns where the next marker or the scan begins.
func (j *jpeg) segment(ctx context.Context, at int64, marker byte) (int64, error) {
	if j.segments++; j.segments > maxSegments {
		return 0, doubtf("holds more than %d segments", maxSegments)
	}
	n, err := j.s.u16(ctx, binary.BigEndian, at+2)
	if err != nil {
		return 0, err
	}
	if n < 2 || marker < 0xc0 || marker >= 0xd0 && marker <= 0xd8 {
		return 0, faultf("has no segment at byte %d", at)
	}
	end := at + 2 + int64(n)
	if end > j.s.size {
		return 0, faultf("ends inside the segment at byte %d", at)
	}
	switch marker {
	case 0xe1:
		err = j.announced(ctx, at+4, end)
	case 0xe2:
		err = j.index(ctx, at+4, end)
	}
	return end, err
}

// scan passes over entropy-coded data to the next marker that is not a restart.
func (j *jpeg) scan(ctx context.Context, at int64) (int64, error) {
	for {
		b, err := j.s.rest(ctx, at)
		if err != nil {
			return 0, cut(err, j.s.size)
		}
		i := marker(b)
		at += int64(i)
		switch {
		case i == len(b):
		case i == len(b)-1: // the byte that decides is not in the window
			m, err := j.s.bytes(ctx, at, 2)
			if err != nil {
				return 0, cut(err, j.s.size)
			}
			switch {
			case stuffed(m[1]):
				at += 2
			case m[1] == 0xff:
				at++
			default:
				return at, nil
			}
		default:
			return at, nil
		}
	}
}

// marker is where the first marker of b is, or an 0xFF that is its last byte, or len(b).
func marker(b []byte) int {
	for at := 0; ; {
		i := bytes.IndexByte(b[at:], 0xff)
		if i < 0 {
			return len(b)
		}
		at += i
		switch {
		case at == len(b)-1:
			return at
		case stuffed(b[at+1]):
			at += 2
		case b[at+1] == 0xff:
			at++
		default:
			return at
		}
	}
}

// stuffed says that an 0xFF before b belongs to the data: a stuffed zero, or a restart marker.
func stuffed(b byte) bool { return b == 0 || b >= 0xd0 && b <= 0xd7 }

// cut says of a picture without end where it ends instead.
func cut(err error, size int64) error {
	if _, ok := err.(fault); ok {
		return faultf("ends at byte %d inside its picture, without EOI", size)
	}
	return err
}
