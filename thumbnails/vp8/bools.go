package vp8

import (
	"encoding/binary"
	"io"
)

// bools is the arithmetic decoder of one partition. It has the next bits of it in a window of 64, the next one at the top; at the
// partition's end it goes on with zeros and counts them.
type bools struct {
	reading
	buf    []byte
	pos    int
	made   int // zeros that were made up
	in     io.ReaderAt
	at     int64 // where what comes behind buf is
	end    int64
	failed error
}

// reading is where it is.
type reading struct {
	window uint64
	count  int    // bits of the window that count; below them there may be more, the same as in buf
	span   uint32 // the range of the specification less one, 127 to 254
}

// bit takes one value that is false with a probability of prob/256. There must be 15 bits in the window.
func (r reading) bit(prob uint8) (reading, bool) {
	low := r.span * uint32(prob) >> 8
	at := uint64(low+1) << 56
	is := r.window >= at
	if is {
		r.window -= at
		low = r.span - low - 1
	}
	n := norm[low&255]
	return reading{r.window << (n & 7), r.count - int(n), uint32(renewed[low&255])}, is
}

// piece is how much of a partition is in memory.
const piece = 64 << 10

func newBools(in io.ReaderAt, at, end int64) *bools {
	return &bools{reading: reading{span: 254}, in: in, at: at, end: max(at, end)}
}

// norm is by how often a span is to be doubled to be 127 or more again, and renewed what it is then.
var norm, renewed = func() (n, r [256]uint8) {
	for i := range 255 {
		for (i+1)<<n[i] < 128 {
			n[i]++
		}
		r[i] = uint8((i+1)<<n[i] - 1)
	}
	return n, r
}()

// filled has 57 bits or more.
func (b *bools) filled(r reading) reading {
	if b.pos+8 > len(b.buf) {
		return b.filledSlowly(r)
	}
	r.window |= binary.BigEndian.Uint64(b.buf[b.pos:]) >> (r.count & 63)
	step := (64 - r.count) >> 3
	b.pos += step
	r.count += step << 3
	return r
}

func (b *bools) filledSlowly(r reading) reading {
	for r.count <= 56 {
		if b.pos == len(b.buf) {
			b.read()
		}
		if b.pos < len(b.buf) {
			r.window |= uint64(b.buf[b.pos]) << (56 - r.count)
			b.pos++
		} else {
			b.made += 8
		}
		r.count += 8
	}
	return r
}

// read brings the next piece to buf; at the end there is none.
func (b *bools) read() {
	if b.buf == nil {
		b.buf = make([]byte, 0, min(piece, b.end-b.at))
	}
	n := min(int64(cap(b.buf)), b.end-b.at)
	b.buf, b.pos = b.buf[:n], 0
	if n == 0 || b.failed != nil {
		b.buf = b.buf[:0]
		return
	}
	got, err := b.in.ReadAt(b.buf, b.at)
	b.buf, b.at = b.buf[:got], b.at+int64(got)
	if got == 0 || err != nil && err != io.EOF {
		b.at = b.end
		if b.failed = err; err == nil {
			b.failed = io.ErrNoProgress
		}
	}
}

// fault says whether values were taken that nobody wrote, and why.
func (b *bools) fault() error {
	switch {
	case b.count >= b.made:
		return nil
	case b.failed != nil && b.failed != io.EOF:
		return b.failed
	}
	return io.ErrUnexpectedEOF
}

// bit takes one value that is false with a probability of prob/256.
func (b *bools) bit(prob uint8) (is bool) {
	if b.count < 8+7 {
		b.reading = b.filled(b.reading)
	}
	b.reading, is = b.reading.bit(prob)
	return is
}

// flag takes a value that may as well be true as false.
func (b *bools) flag() bool { return b.bit(128) }

// number takes one of n bits, the highest first.
func (b *bools) number(n int) int {
	v := 0
	for range n {
		v <<= 1
		if b.flag() {
			v |= 1
		}
	}
	return v
}

// maybe takes a number with a sign behind it, or 0 when it is not there.
func (b *bools) maybe(n int) int {
	if !b.flag() {
		return 0
	}
	return b.signed(n)
}

func (b *bools) signed(n int) int {
	v := b.number(n)
	if b.flag() {
		return -v
	}
	return v
}
