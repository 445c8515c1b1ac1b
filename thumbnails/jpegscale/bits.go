package jpegscale

import "encoding/binary"

// bits is the entropy-coded data of one interval as a row of bits. At its end it goes on with zeros, and counts them.
type bits struct {
	acc  uint64 // the next bit is the highest; below n there may be more, the same as in buf
	n    int    // bits of acc that count
	buf  []byte
	pos  int
	from *input
	open bool // there may be more than buf
	made int  // zeros that were made up
}

// clean is how many bytes are freed of their stuffing at once.
const clean = 32 << 10

func newBits(in *input) bits { return bits{from: in, buf: make([]byte, 0, clean)} }

// begin forgets the interval before.
func (b *bits) begin() {
	b.acc, b.n, b.pos, b.made, b.open = 0, 0, 0, 0, true
	b.buf = b.buf[:0]
}

// spent reports whether bits were taken that nobody wrote.
func (b *bits) spent() bool { return b.n < b.made }

// enough is the number of bits that [bits.fill] provides: a code of 16 and a value of 16.
const enough = 32

// fill makes n at least 56.
func (b *bits) fill() {
	if b.pos+8 > len(b.buf) {
		b.fillSlowly()
		return
	}
	b.acc |= binary.BigEndian.Uint64(b.buf[b.pos:]) >> (b.n & 63)
	step := (63 - b.n) >> 3
	b.pos += step
	b.n += step << 3
}

func (b *bits) fillSlowly() {
	for b.n <= 56 {
		if b.pos == len(b.buf) && b.open {
			b.buf, b.open = b.from.entropy(b.buf[:0])
			b.pos = 0
		}
		if b.pos < len(b.buf) {
			b.acc |= uint64(b.buf[b.pos]) << (56 - b.n)
			b.pos++
		} else {
			b.made += 8
		}
		b.n += 8
	}
}

// take takes the next n bits, at most 16, as a number.
func (b *bits) take(n int) int {
	if b.n < enough {
		b.fill()
	}
	v := int(b.acc >> 1 >> (63 - n))
	b.acc <<= n
	b.n -= n
	return v
}

// value takes n bits, at most 16, as JPEG writes numbers with a sign.
func (b *bits) value(n int) int32 {
	if n == 0 {
		return 0
	}
	v := signed(b.acc, n)
	b.acc <<= n
	b.n -= n
	return v
}

// signed is the number in the first n bits of acc: those that begin with 0 are negative.
func signed(acc uint64, n int) int32 {
	negative := ^int32(int64(acc) >> 63)
	return int32(acc>>((64-n)&63)) + negative&(1-1<<(n&31))
}

// symbol takes one code; what no code begins with is not ok.
func (b *bits) symbol(h *huffman) (byte, bool) {
	if b.n < enough {
		b.fill()
	}
	e := h.find(b.acc)
	b.acc <<= e >> 8
	b.n -= int(e >> 8)
	return byte(e), e != 0
}
