package proof

import (
	"context"
	"encoding/binary"
	"fmt"
)

const maxBoxes = 1 << 16

// media is what a walk over the boxes of an ISO media file (MP4, MOV, HEIC, AVIF) has met.
type media struct {
	s         *source
	boxes     int
	filled    []span // every box with a meaning, for the look for zeros
	data      []span // mdat
	moov      span
	tracks    int
	meta      bool
	fragments bool
	index     bool  // mfra, which ends a fragmented film
	chunk     int64 // the furthest chunk that a track refers to
}

// box is one box: its type and its payload.
type box struct {
	kind     string
	from, to int64
}

func walkMedia(ctx context.Context, s *source) (string, error) { return mediaFrom(ctx, s, 0) }

// mediaFrom walks the boxes from base to the end of the file, which the last one must meet exactly. It reads headers,
// chunk tables and samples only.
func mediaFrom(ctx context.Context, s *source, base int64) (string, error) {
	m := &media{s: s}
	if err := m.top(ctx, base); err != nil {
		return "", err
	}
	switch {
	case m.fragments && !m.index:
		return "", doubt("is a film in fragments, which may go on")
	case len(m.data) == 0:
		return "", fault("has no mdat yet")
	case m.tracks == 0 && !m.meta:
		return "", fault("has no moov yet")
	}
	if m.tracks > 0 {
		if err := m.leads(base); err != nil {
			return "", err
		}
	}
	if err := liveEnd(ctx, s, s.size); err != nil {
		return "", err
	}
	return fmt.Sprintf("has boxes up to byte %d, with index and data", s.size), written(ctx, s, m.filled...)
}

func (m *media) top(ctx context.Context, at int64) error {
	for at < m.s.size {
		b, err := m.box(ctx, at, m.s.size)
		if err != nil {
			return err
		}
		switch b.kind {
		case "mdat":
			m.data = append(m.data, span{b.from, b.to})
		case "moov":
			m.moov = span{b.from, b.to}
			if err := m.tree(ctx, m.moov, 0); err != nil {
				return err
			}
		case "meta":
			m.meta = true
		case "moof":
			m.fragments = true
		case "mfra":
			m.index = true
		}
		if b.kind != "free" && b.kind != "skip" && b.kind != "wide" {
			m.filled = append(m.filled, span{at, b.to})
		}
		at = b.to
	}
	return nil
}

// box reads the header of the box at at, which must end within end.
func (m *media) box(ctx context.Context, at, end int64) (box, error) {
	if m.boxes++; m.boxes > maxBoxes {
		return box{}, doubtf("has more than %d boxes", maxBoxes)
	}
	h, err := m.s.bytes(ctx, at, 8)
	if err != nil {
		return box{}, err
	}
	n, b := int64(binary.BigEndian.Uint32(h)), box{string(h[4:]), at + 8, 0}
	switch {
	case b.kind == "\x00\x00\x00\x00":
		return box{}, faultf("has no box at byte %d", at)
	case n == 0:
		return box{}, doubtf("has a box of open length at byte %d", at)
	case n == 1:
		long, err := m.s.u64(ctx, binary.BigEndian, at+8)
		if err != nil {
			return box{}, err
		}
		n, b.from = int64(min(long, 1<<62)), at+16
	}
	b.to = at + n
	if n < b.from-at || b.to > end {
		return box{}, faultf("has a box at byte %d that ends at byte %d, beyond %d", at, b.to, end)
	}
	return b, nil
}

// tree walks the boxes that lead to the chunk tables of the tracks. They must fill their parents exactly, which zeros
// do not.
func (m *media) tree(ctx context.Context, in span, depth int) error {
	for at := in.from; at < in.to; {
		b, err := m.box(ctx, at, in.to)
		if err != nil {
			return err
		}
		switch b.kind {
		case "trak", "mdia", "minf", "stbl":
			if b.kind == "trak" {
				m.tracks++
			}
			if depth < 8 {
				err = m.tree(ctx, span{b.from, b.to}, depth+1)
			}
		case "stco":
			err = m.chunks(ctx, b, 4)
		case "co64":
			err = m.chunks(ctx, b, 8)
		}
		if err != nil {
			return err
		}
		at = b.to
	}
	return nil
}

// chunks reads a table of chunk offsets of width bytes each and keeps the furthest.
func (m *media) chunks(ctx context.Context, b box, width int64) error {
	n, err := m.s.u32(ctx, binary.BigEndian, b.from+4)
	if err != nil {
		return err
	}
	if b.from+8+int64(n)*width > b.to {
		return faultf("has a chunk table at byte %d that is longer than its box", b.from)
	}
	for at := b.from + 8; n > 0; n-- {
		e, err := m.s.bytes(ctx, at, int(width))
		if err != nil {
			return err
		}
		offset := uint64(binary.BigEndian.Uint32(e))
		if width == 8 {
			offset = binary.BigEndian.Uint64(e)
		}
		if offset == 0 {
			return faultf("has a chunk table at byte %d with an empty place", b.from)
		}
		m.chunk = max(m.chunk, int64(min(offset, 1<<62)))
		at += width
	}
	return nil
}

// leads checks that the furthest chunk of the tracks, which count from base, lies in data that is there.
func (m *media) leads(base int64) error {
	for _, d := range m.data {
		if at := base + m.chunk; m.chunk == 0 || d.from <= at && at < d.to {
			return nil
		}
	}
	return faultf("has an index that leads to byte %d, where no data is", m.chunk)
}
