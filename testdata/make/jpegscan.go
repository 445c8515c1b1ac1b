package main

import "math/bits"

// jpegWriter writes segments and scans.
type jpegWriter struct {
	out  []byte
	acc  uint32
	fill int
}

func (w *jpegWriter) segment(marker byte, payload []byte) {
	w.out = be.AppendUint16(append(w.out, 0xff, marker), uint16(len(payload)+2))
	w.out = append(w.out, payload...)
}

func (w *jpegWriter) frame(ps []plane, progressive bool) {
	b := append(be.AppendUint16(be.AppendUint16([]byte{8}, uint16(ps[0].h)), uint16(ps[0].w)), uint8(len(ps)))
	for i, p := range ps {
		b = append(b, uint8(i+1), 0x11, uint8(b2i(p.color)))
	}
	w.segment(uint8(0xc0+2*b2i(progressive)), b)
}

// start writes the head of a scan of the given components over the coefficients from to to, with low bits left out.
func (w *jpegWriter) start(ps []plane, first, from, to, approx int) {
	b := []byte{uint8(len(ps))}
	for i, p := range ps {
		t := uint8(b2i(p.color))
		b = append(b, uint8(first+i+1), t<<4|t)
	}
	w.segment(0xda, append(b, uint8(from), uint8(to), uint8(approx)))
}

// scan writes one scan; first is the number of its first component in the frame.
func (w *jpegWriter) scan(ps []plane, blocks [][]block, from, to, first, low int) {
	w.start(ps, first, from, to, low)
	last := make([]int, len(ps))
	for i := range blocks[0] {
		for k, p := range ps {
			table := b2i(p.color)
			if from == 0 {
				dc := blocks[k][i][0] >> low
				w.coded(dcCodes[table], 0, dc-last[k])
				last[k] = dc
			}
			if to > 0 {
				w.ac(acCodes[table], &blocks[k][i], max(from, 1), to)
			}
		}
	}
	w.flush()
}

// refine writes the lowest bit of every DC.
func (w *jpegWriter) refine(ps []plane, blocks [][]block) {
	w.start(ps, 0, 0, 0, 0x10)
	for i := range blocks[0] {
		for k := range ps {
			w.bits(uint32(blocks[k][i][0]&1), 1)
		}
	}
	w.flush()
}

func (w *jpegWriter) ac(codes []code, b *block, from, to int) {
	run := 0
	for k := from; k <= to; k++ {
		if b[k] == 0 {
			run++
			continue
		}
		for ; run > 15; run -= 16 {
			w.code(codes[0xf0])
		}
		w.coded(codes, run, b[k])
		run = 0
	}
	if run > 0 {
		w.code(codes[0])
	}
}

// coded writes a value behind the code of its length and the zeros before it.
func (w *jpegWriter) coded(codes []code, run, v int) {
	n := bits.Len(uint(max(v, -v)))
	w.code(codes[run<<4|n])
	if v < 0 {
		v--
	}
	w.bits(uint32(v)&(1<<n-1), n)
}

func (w *jpegWriter) code(c code) { w.bits(c.bits, c.n) }

func (w *jpegWriter) bits(v uint32, n int) {
	w.acc = w.acc<<n | v
	for w.fill += n; w.fill >= 8; w.fill -= 8 {
		b := uint8(w.acc >> (w.fill - 8))
		if w.out = append(w.out, b); b == 0xff {
			w.out = append(w.out, 0)
		}
	}
}

func (w *jpegWriter) flush() {
	if w.fill > 0 {
		w.bits(1<<(8-w.fill)-1, 8-w.fill)
	}
	w.acc = 0
}

// code is one Huffman code.
type code struct {
	bits uint32
	n    int
}

// spec is a Huffman table as a file has it: how many codes of each length, and their values.
type spec struct {
	counts [16]byte
	values []byte
}

// codes numbers them as the format says: in order, longer ones behind shorter ones.
func (s spec) codes() []code {
	out := make([]code, 256)
	next, i := uint32(0), 0
	for n, count := range s.counts {
		for range count {
			out[s.values[i]] = code{next, n + 1}
			next++
			i++
		}
		next <<= 1
	}
	return out
}
