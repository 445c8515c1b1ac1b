package proof

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
)

const (
	zipEnd    = 22 // bytes of the end record without its comment
	zipEnd64  = 56
	zipLoc64  = 20
	zipEntry  = 46
	zipLocal  = 30
	zipSearch = zipEnd + 1<<16
)

// zipDir is where the directory of a ZIP is, and where it must end.
type zipDir struct {
	from, size, end int64
	entries         int64
}

// walkZIP wants the end record, whose comment must end with the file, directly behind the directory, and the directory
// where the record says. A file cut behind a ZIP that is stored inside it fails at that: the offsets do not fit.
func walkZIP(ctx context.Context, s *source) (string, error) {
	at, err := zipFoot(ctx, s)
	if err != nil {
		return "", err
	}
	d, err := zipDirectory(ctx, s, at)
	if err != nil {
		return "", err
	}
	if at+zipEnd < s.size { // a comment
		if err := liveEnd(ctx, s, s.size); err != nil {
			return "", err
		}
	}
	if d.from+d.size != d.end {
		return "", faultf("has no directory that ends at byte %d", d.end)
	}
	if err := d.walk(ctx, s); err != nil {
		return "", err
	}
	return fmt.Sprintf("ends with its directory at byte %d", d.from), written(ctx, s, span{0, s.size})
}

// zipFoot finds the end record: the last one whose comment ends exactly with the file. It goes backwards a page at a time.
func zipFoot(ctx context.Context, s *source) (int64, error) {
	const overlap = zipEnd
	for end := s.size; end > max(0, s.size-zipSearch-page); end -= page - overlap {
		from := max(0, end-page)
		b, err := s.bytes(ctx, from, int(end-from))
		if err != nil {
			return 0, err
		}
		for i := bytes.LastIndex(b, []byte("PK\x05\x06")); i >= 0; i = bytes.LastIndex(b[:i], []byte("PK\x05\x06")) {
			if i+zipEnd <= len(b) && from+int64(i)+zipEnd+int64(binary.LittleEndian.Uint16(b[i+20:])) == s.size {
				return from + int64(i), nil
			}
		}
	}
	return 0, fault("has no directory at its end")
}

// zipDirectory reads the end record at at, and the one of ZIP64 when there is one.
func zipDirectory(ctx context.Context, s *source, at int64) (zipDir, error) {
	b, err := s.bytes(ctx, at, zipEnd)
	if err != nil {
		return zipDir{}, err
	}
	le := binary.LittleEndian
	if le.Uint16(b[4:]) != le.Uint16(b[6:]) {
		return zipDir{}, doubt("is one part of several")
	}
	d := zipDir{int64(le.Uint32(b[16:])), int64(le.Uint32(b[12:])), at, int64(le.Uint16(b[10:]))}
	loc, err := s.bytes(ctx, at-zipLoc64, zipLoc64)
	if err != nil || string(loc[:4]) != "PK\x06\x07" {
		return d, ignoreFault(err)
	}
	far := int64(min(le.Uint64(loc[8:]), 1<<62))
	if b, err = s.bytes(ctx, far, zipEnd64); err != nil {
		return zipDir{}, err
	}
	if string(b[:4]) != "PK\x06\x06" || far+12+int64(min(le.Uint64(b[4:]), 1<<61)) != at-zipLoc64 {
		return zipDir{}, faultf("has no ZIP64 record at byte %d", far)
	}
	word := func(i int) int64 { return int64(min(le.Uint64(b[i:]), 1<<61)) }
	d64 := zipDir{from: word(48), size: word(40), end: far, entries: word(32)}
	if !twin(d.from, d64.from, 1<<32-1) || !twin(d.size, d64.size, 1<<32-1) || !twin(d.entries, d64.entries, 1<<16-1) {
		return zipDir{}, faultf("has two end records that differ at byte %d", at)
	}
	return d64, nil
}

// twin says that a number of the end record refers to its 64-bit twin, or is the same.
func twin(short, long, full int64) bool { return short == full || short == long }

// walk goes through the entries of the directory, and to the local headers of some hundred of them.
func (d zipDir) walk(ctx context.Context, s *source) error {
	at, n, step := d.from, int64(0), d.entries/samples+1
	for ; at < d.end; n++ {
		b, err := s.bytes(ctx, at, zipEntry)
		if err != nil {
			return err
		}
		if string(b[:4]) != "PK\x01\x02" {
			return faultf("has no directory entry at byte %d", at)
		}
		le := binary.LittleEndian
		length, local := int64(le.Uint32(b[20:])), int64(le.Uint32(b[42:]))
		at += zipEntry + int64(le.Uint16(b[28:])) + int64(le.Uint16(b[30:])) + int64(le.Uint16(b[32:]))
		if local == 0xffffffff || length == 0xffffffff || n%step != 0 && n != d.entries-1 {
			continue
		}
		if err := zipFile(ctx, s, local, length, d.from); err != nil {
			return err
		}
	}
	if at != d.end || n != d.entries {
		return faultf("has a directory of %d entries, its end says %d", n, d.entries)
	}
	return nil
}

// zipFile checks that a file of length bytes begins at at and ends before the directory.
func zipFile(ctx context.Context, s *source, at, length, directory int64) error {
	b, err := s.bytes(ctx, at, zipLocal)
	if err != nil {
		return err
	}
	le := binary.LittleEndian
	end := at + zipLocal + int64(le.Uint16(b[26:])) + int64(le.Uint16(b[28:])) + length
	if string(b[:4]) != "PK\x03\x04" || end > directory {
		return faultf("has no file at byte %d that ends before its directory", at)
	}
	return nil
}
