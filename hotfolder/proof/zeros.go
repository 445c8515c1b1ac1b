package proof

import (
	"bytes"
	"context"
	"encoding/binary"
)

const (
	lookAtAll = 8 << 20 // up to here every page is looked at
	samples   = 256     // above, so many
)

var blank [page]byte

// zeroPage is where the first whole page of b that is all zero begins, or -1. b begins at a page of the file.
func zeroPage(b []byte) int {
	for i := 0; i+page <= len(b); i += page {
		if binary.LittleEndian.Uint64(b[i:]) == 0 && bytes.Equal(b[i:i+page], blank[:]) {
			return i
		}
	}
	return -1
}

// span is a part of the file, [from, to).
type span struct{ from, to int64 }

// written doubts a file that has a page of zeros within the spans: no compressed data does, and space that was set aside
// and not written yet reads so. Pages are where a file system keeps them, not where the span begins.
func written(ctx context.Context, s *source, spans ...span) error {
	var total int64
	for _, p := range spans {
		total += p.to - p.from
	}
	step := int64(page)
	if total > lookAtAll {
		step = total / samples / page * page
	}
	for _, p := range spans {
		if err := spanWritten(ctx, s, p, step); err != nil {
			return err
		}
	}
	return nil
}

// spanWritten looks at a page in every step of p, and at its last one.
func spanWritten(ctx context.Context, s *source, p span, step int64) error {
	last := p.to/page*page - page
	for at := (p.from + page - 1) / page * page; at <= last; at += step {
		if at+step > last {
			step = max(page, last-at)
		}
		b, err := s.bytes(ctx, at, page)
		if err != nil {
			return err
		}
		if zeroPage(b) == 0 {
			return zerosAt(at)
		}
	}
	return nil
}

func zerosAt(at int64) error {
	return doubtf("has only zeros at byte %d, like space that is not written yet", at)
}

// liveEnd doubts a file whose last byte that means something is zero: filled from the front, a file that is not written
// to its end has zeros there.
func liveEnd(ctx context.Context, s *source, end int64) error {
	b, err := s.bytes(ctx, end-1, 1)
	if err == nil && b[0] == 0 {
		return doubt("ends with a zero byte, like space that is not written yet")
	}
	return err
}

// tail judges what follows the end mark of a format that allows nothing there.
func tail(ctx context.Context, s *source, mark string, end int64) error {
	if end == s.size {
		return nil
	}
	b, err := s.bytes(ctx, end, int(min(s.size-end, 512)))
	switch {
	case err != nil:
		return err
	case bytes.Equal(b, blank[:len(b)]):
		return faultf("has zeros behind its %s at byte %d", mark, end)
	}
	return doubtf("has %d bytes of another kind behind its %s at byte %d", s.size-end, mark, end)
}
