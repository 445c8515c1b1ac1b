package jpegscale

import "encoding/binary"

// skipBits is how many bits are looked at to step over codes. The values behind the codes need not be seen.
const skipBits = 12

// skips says, by the next bits, how far all codes that show in them lead: the coefficients in the low byte, the bits in
// the next one, and whether the last code ends the block. 0 is a code that is longer, or none.
type skips [1 << skipBits]uint32

const blockEnds = 1 << 16

// skipping is the table's skips.
func (h *huffman) skipping() *skips {
	if h.skips == nil {
		h.skips = new(skips)
		for i := range h.skips {
			h.skips[i] = h.follow(uint32(i) << (16 - skipBits))
		}
	}
	return h.skips
}

// follow steps over codes as long as they lie within the first skipBits of top, which is 16 bits.
func (h *huffman) follow(top uint32) uint32 {
	var passed, used uint32
	for used < skipBits {
		e := uint32(h.find(uint64(top<<used&0xffff) << 48))
		n := e >> 8
		if e == 0 || used+n > skipBits {
			break
		}
		run, size := e>>4&15, e&15
		used += n + size
		if size == 0 && run < 15 {
			return passed | used<<8 | blockEnds
		}
		passed += run + 1
	}
	return passed | used<<8
}

// skip steps over a block's coefficients from k to its end.
func (b *bits) skip(h *huffman, k int) bool {
	table := h.skipping()
	acc, n := b.acc, b.n
	for k < 64 {
		if n < enough {
			if b.pos+8 <= len(b.buf) {
				acc |= binary.BigEndian.Uint64(b.buf[b.pos:]) >> (n & 63)
				step := (63 - n) >> 3
				b.pos += step
				n += step << 3
			} else {
				b.acc, b.n = acc, n
				b.fillSlowly()
				acc, n = b.acc, b.n
			}
		}
		e := table[acc>>(64-skipBits)]
		next := k + int(e&0xff)
		if e == 0 || next > 63 {
			// One code alone: it is long, or the block ends within what the table steps over.
			one := uint32(h.find(acc))
			if one == 0 {
				return false
			}
			run, size := one>>4&15, one&15
			e = run + 1 | (one>>8+size)<<8
			switch {
			case size == 0 && run < 15:
				e |= blockEnds
			case size > 0 && k+int(run) > 63:
				e = one>>8<<8 | blockEnds // as in coefficients
			}
			next = k + int(e&0xff)
		}
		used := int(e >> 8 & 0xff)
		acc <<= used & 63
		n -= used
		if e&blockEnds != 0 {
			break
		}
		k = next
	}
	b.acc, b.n = acc, n
	return true
}
