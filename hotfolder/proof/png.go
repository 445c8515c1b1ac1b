package proof

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

const pngMagic = "\x89PNG\r\n\x1a\n"

// walkPNG goes by the lengths of the chunks to IEND and compares every checksum, which costs one read of the file and
// proves every byte of it, in whatever order it was written.
func walkPNG(ctx context.Context, s *source) (string, error) {
	s.readWhole()
	for at, first := int64(len(pngMagic)), true; ; first = false {
		head, err := s.bytes(ctx, at, 8)
		if err != nil {
			return "", err
		}
		n, kind := int64(binary.BigEndian.Uint32(head)), string(head[4:])
		switch {
		case first && kind != "IHDR":
			return "", faultf("has no IHDR at byte %d", at)
		case n > s.size-at-12:
			return "", faultf("ends inside the chunk at byte %d", at)
		}
		if err := checksum(ctx, s, at+4, at+8+n); err != nil {
			return "", err
		}
		at += 12 + n
		if kind == "IEND" {
			return fmt.Sprintf("ends with IEND at byte %d, all checksums right", at-12), tail(ctx, s, "IEND", at)
		}
	}
}

// checksum compares the CRC of [from, to) with the four bytes behind.
func checksum(ctx context.Context, s *source, from, to int64) error {
	sum := uint32(0)
	for at := from; at < to; {
		b, err := s.rest(ctx, at)
		if err != nil {
			return err
		}
		b = b[:min(int64(len(b)), to-at)]
		sum = crc32.Update(sum, crc32.IEEETable, b)
		at += int64(len(b))
	}
	want, err := s.bytes(ctx, to, 4)
	if err == nil && !bytes.Equal(want, binary.BigEndian.AppendUint32(nil, sum)) {
		return faultf("has a wrong checksum at byte %d", to)
	}
	return err
}
