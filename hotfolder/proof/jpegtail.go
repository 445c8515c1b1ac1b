package proof

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
)

// marks in the XMP of a phone's picture that a film follows it.
var motionMarks = [][]byte{
	[]byte(`MicroVideo="1"`), []byte(`MotionPhoto="1"`), []byte(`MicroVideo>1<`), []byte(`MotionPhoto>1<`),
}

// announced looks into an APP1 segment, a page at a time, for the word that a film follows.
func (j *jpeg) announced(ctx context.Context, at, end int64) error {
	const overlap = 32
	for ; at < end && !j.motion; at += page - overlap {
		b, err := j.s.bytes(ctx, at, int(min(page, end-at)))
		if err != nil {
			return err
		}
		for _, mark := range motionMarks {
			j.motion = j.motion || bytes.Contains(b, mark)
		}
	}
	return nil
}

// index reads the multi-picture index (CIPA DC-007) of an APP2 segment: where further pictures begin, and how long they
// are. An index that makes no sense is left out; then what follows the picture must explain itself.
func (j *jpeg) index(ctx context.Context, at, end int64) error {
	if end-at < 16 {
		return nil
	}
	b, err := j.s.bytes(ctx, at, int(min(end-at, page)))
	if err != nil || string(b[:4]) != "MPF\x00" {
		return err
	}
	b, at = b[4:], at+4 // its offsets count from here
	var o binary.ByteOrder = binary.BigEndian
	if string(b[:2]) == "II" {
		o = binary.LittleEndian
	}
	ifd := int64(o.Uint32(b[4:]))
	if ifd+2 > int64(len(b)) {
		return nil
	}
	for i := range int64(o.Uint16(b[ifd:])) {
		e := ifd + 2 + 12*i
		if e+12 > int64(len(b)) {
			return nil
		}
		if o.Uint16(b[e:]) == 0xb002 {
			j.entries(b, o, at, int64(o.Uint32(b[e+8:])), int64(o.Uint32(b[e+4:])))
		}
	}
	return nil
}

// entries takes the picture entries, 16 bytes each: flags, length, offset, and two that depend on it. Offset 0 is the
// first picture.
func (j *jpeg) entries(b []byte, o binary.ByteOrder, base, from, length int64) {
	for e := from; e+16 <= min(from+length, int64(len(b))); e += 16 {
		size, offset := int64(o.Uint32(b[e+4:])), int64(o.Uint32(b[e+8:]))
		if offset != 0 && len(j.pictures) < maxPictures {
			j.pictures = append(j.pictures, base+offset)
			j.ends = append(j.ends, base+offset+size)
		}
	}
}

// next is where the next picture begins when one ended at end, or -1. Cameras leave some bytes between two pictures, which
// only the index can explain.
func (j *jpeg) next(ctx context.Context, end int64) int64 {
	const gap = 64 << 10
	for _, at := range j.pictures {
		if at >= end && at-end < gap {
			return at
		}
	}
	if b, err := j.s.bytes(ctx, end, 3); err == nil && string(b) == "\xff\xd8\xff" {
		return end
	}
	return -1
}

// trailer judges what is behind the last picture.
func (j *jpeg) trailer(ctx context.Context, end int64) (string, error) {
	for _, e := range j.ends {
		if e > j.s.size {
			return "", faultf("has an index with a picture up to byte %d, the file ends at byte %d", e, j.s.size)
		}
	}
	film, err := j.film(ctx, end)
	switch {
	case err != nil:
		return "", err
	case film != "":
	case j.motion && end == j.s.size:
		return "", fault("announces a film behind the picture that is not there")
	default:
		if err := j.phone(ctx, end); err != nil {
			return "", err
		}
	}
	if j.s.zero >= 0 {
		return "", zerosAt(j.s.zero)
	}
	return fmt.Sprintf("ends with EOI at byte %d%s", end-2, film), nil
}

// film walks an MP4 that follows the picture, and says so.
func (j *jpeg) film(ctx context.Context, end int64) (string, error) {
	if b, err := j.s.bytes(ctx, end, 12); err != nil || string(b[4:8]) != "ftyp" {
		return "", ignoreFault(err)
	}
	j.s.readHeaders()
	how, err := mediaFrom(ctx, j.s, end)
	return " and a film that " + how, err
}

// phone accepts the trailer that Samsung's cameras write: blocks, a directory "SEFH" that counts back to them, its length,
// and "SEFT" as the last bytes. It must explain all bytes since EOI.
func (j *jpeg) phone(ctx context.Context, end int64) error {
	const foot = 8
	b, err := j.s.bytes(ctx, max(end, j.s.size-foot), int(min(foot, j.s.size-end)))
	if err != nil || len(b) < foot || string(b[4:]) != "SEFT" {
		if err == nil {
			err = tail(ctx, j.s, "EOI", end)
		}
		return err
	}
	dir := j.s.size - foot - int64(binary.LittleEndian.Uint32(b))
	if dir < end || j.s.size-foot-dir > page {
		return doubt("has a phone's trailer that leads out of it")
	}
	if b, err = j.s.bytes(ctx, dir, int(j.s.size-foot-dir)); err != nil {
		return err
	}
	if len(b) < 12 || string(b[:4]) != "SEFH" {
		return doubt("has a phone's trailer without a directory")
	}
	reach := int64(0)
	for e := b[12:]; len(e) >= 12; e = e[12:] {
		reach = max(reach, int64(binary.LittleEndian.Uint32(e[4:])))
	}
	if dir-reach != end {
		return doubtf("has bytes behind EOI at byte %d that its phone's trailer does not know", end)
	}
	return nil
}

// ignoreFault keeps only errors of the reader.
func ignoreFault(err error) error {
	if _, ok := err.(fault); ok {
		return nil
	}
	return err
}

// orFault is err, or the fault when there is none.
func orFault(err error, format string, args ...any) error {
	if err != nil {
		return err
	}
	return faultf(format, args...)
}
