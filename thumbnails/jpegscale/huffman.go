package jpegscale

// lutBits is the length of codes that are found by one look.
const lutBits = 9

// huffman is a table of codes. The zero value has none.
type huffman struct {
	lut    [1 << lutBits]uint16 // length<<8 | symbol, by the next bits; 0 is a longer code or none
	limit  [17]uint32           // behind the codes of a length, as 16 bits
	offset [17]int              // of the first symbol of a length, less its code
	values [256]byte
	skips  *skips // made when they are wanted
}

// find is length<<8 | symbol of the code that acc begins with, 0 when there is none.
func (h *huffman) find(acc uint64) uint16 {
	if e := h.lut[acc>>(64-lutBits)]; e != 0 {
		return e
	}
	return h.long(uint32(acc >> 48))
}

// long finds codes that are not in the lut; top is 16 bits.
func (h *huffman) long(top uint32) uint16 {
	for n := lutBits + 1; n <= 16; n++ {
		if top < h.limit[n] {
			at := h.offset[n] + int(top>>(16-n))
			return uint16(n)<<8 | uint16(h.values[at&255])
		}
	}
	return 0
}

// build reads the table from counts by length and values. Codes beyond what their bits allow, which image/jpeg does not mind either, cannot
// be met.
func (h *huffman) build(counts, values []byte) {
	*h = huffman{}
	copy(h.values[:], values)
	code, at := uint32(0), 0
	for n := 1; n <= 16; n++ {
		count := int(counts[n-1])
		some := min(count, 1<<n-int(code))
		h.offset[n] = at - int(code)
		if n <= lutBits {
			h.enter(code, n, values[at:at+some])
		}
		code += uint32(some)
		at += count
		h.limit[n] = code << (16 - n)
		code <<= 1
	}
}

// enter fills the lut with codes of n bits that follow each other.
func (h *huffman) enter(code uint32, n int, values []byte) {
	for i, v := range values {
		from := (code + uint32(i)) << (lutBits - n)
		for j := range uint32(1) << (lutBits - n) {
			h.lut[from+j] = uint16(n)<<8 | uint16(v)
		}
	}
}
