package main

import (
	"image"
	"math/bits"
)

// encodeWebP writes a lossless WebP of literals only: every channel has 256 codes of 8 bits. It is as large as the pixels
// and as simple as the format allows.
func encodeWebP(m *image.NRGBA) []byte {
	w := &lowBits{}
	w.put(0x2f, 8)
	w.put(uint32(m.Rect.Dx()-1), 14)
	w.put(uint32(m.Rect.Dy()-1), 14)
	w.put(1, 1) // alpha is used
	w.put(0, 3) // version
	w.put(0, 1) // no transform
	w.put(0, 1) // no color cache
	w.put(0, 1) // one group of codes
	w.literals(256 + 24)
	for range 3 {
		w.literals(256)
	}
	w.put(1, 1) // distances: a simple code
	w.put(0, 1) // of one symbol
	w.put(0, 1) // of one bit
	w.put(0, 1) // which is 0
	for i := 0; i < len(m.Pix); i += 4 {
		for _, c := range []int{1, 0, 2, 3} { // green, red, blue, alpha
			w.put(uint32(bits.Reverse8(m.Pix[i+c])), 8)
		}
	}
	chunk := append([]byte("VP8L"), le.AppendUint32(nil, uint32(len(w.bytes())))...)
	if chunk = append(chunk, w.bytes()...); len(chunk)%2 == 1 {
		chunk = append(chunk, 0)
	}
	out := le.AppendUint32([]byte("RIFF"), uint32(4+len(chunk)))
	return append(append(out, "WEBP"...), chunk...)
}

// lowBits packs bits from the low end of each byte on.
type lowBits struct {
	out  []byte
	acc  uint32
	fill int
}

func (w *lowBits) put(v uint32, n int) {
	w.acc |= v << w.fill
	for w.fill += n; w.fill >= 8; w.fill -= 8 {
		w.out = append(w.out, uint8(w.acc))
		w.acc >>= 8
	}
}

// bytes is what was put, filled up with zeros.
func (w *lowBits) bytes() []byte {
	if w.fill == 0 {
		return w.out
	}
	return append(w.out[:len(w.out):len(w.out)], uint8(w.acc))
}

// literals describes a code of n symbols, the first 256 of 8 bits, the others unused. The lengths are themselves coded,
// by a code of two symbols, 0 and 8, of one bit each.
func (w *lowBits) literals(n int) {
	order := []int{17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8}
	w.put(0, 1) // no simple code
	w.put(uint32(len(order)-4), 4)
	for _, length := range order {
		w.put(uint32(b2i(length == 0 || length == 8)), 3)
	}
	w.put(0, 1) // lengths for all symbols follow
	for i := range n {
		w.put(uint32(b2i(i < 256)), 1)
	}
}
