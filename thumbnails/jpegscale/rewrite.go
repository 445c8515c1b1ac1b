package jpegscale

import (
	"bytes"
	"image/jpeg"
	mathbits "math/bits"
	"slices"
)

// Progressive rewrites a JPEG of grey or YCbCr so that its beginning is the whole picture, coarsely. The coefficients stay as they are,
// and so does every pixel; their codes are made to measure, so that the file is mostly a little smaller. Metadata is left out. A damaged
// file is an error, and what is not known here is a [jpeg.UnsupportedError].
func Progressive(data []byte, lim Limits) ([]byte, error) {
	d := newDecoder(bytes.NewReader(data), Size{Eighths: 8}, lim)
	d.keeps = true
	if err := d.segments(); err != nil {
		return nil, err
	}
	switch {
	case d.damage != nil:
		return nil, d.damage
	case d.adobe || len(d.comps) == 4:
		return nil, jpeg.UnsupportedError("colours of Adobe")
	case !d.complete():
		return nil, jpeg.FormatError("missing scan")
	}
	w := &rewriter{decoder: d, codeWriter: codeWriter{out: make([]byte, 0, len(data))}}
	w.head()
	w.scans()
	return append(w.out, 0xff, eoi), nil
}

// rewriter writes what the decoder kept.
type rewriter struct {
	*decoder
	codeWriter
}

func (w *rewriter) segment(marker byte, payload ...byte) {
	n := len(payload) + 2
	w.out = append(append(w.out, 0xff, marker, byte(n>>8), byte(n)), payload...)
}

// head is all before the first scan. Each component has a quantization table of its own.
func (w *rewriter) head() {
	w.out = append(w.out, 0xff, soi)
	sof := []byte{8, byte(w.height >> 8), byte(w.height), byte(w.width >> 8), byte(w.width), byte(len(w.comps))}
	for i := range w.comps {
		c := &w.comps[i]
		w.segment(dqt, quantTable(byte(i), c.quant)...)
		sof = append(sof, c.id, byte(c.h<<4|c.v), byte(i))
	}
	w.segment(sof2, sof...)
}

func quantTable(at byte, quant *[64]int32) []byte {
	wide := slices.Max(quant[:]) > 255
	table := []byte{at}
	if wide {
		table[0] |= 1 << 4
	}
	for _, q := range quant {
		if wide {
			table = append(table, byte(q>>8))
		}
		table = append(table, byte(q))
	}
	return table
}

// coarse is the last of the coefficients, in zigzag order, that are sent before the colours: with them brightness is sharp enough to look at.
const coarse = 5

// scans are the means of the blocks, then brightness coarsely, then colours, then the rest. Each has one component, and codes of its own.
func (w *rewriter) scans() {
	for i := range w.comps {
		w.rewrite(&w.comps[i], 0, 0)
	}
	w.rewrite(&w.comps[0], 1, coarse)
	for i := range w.comps[1:] {
		w.rewrite(&w.comps[1+i], 1, 63)
	}
	w.rewrite(&w.comps[0], coarse+1, 63)
}

// rewrite writes one band of one component: once to count the symbols, and once with their codes.
func (w *rewriter) rewrite(c *component, from, to int) {
	band, class := w.means, byte(0)
	if from > 0 {
		band, class = w.details, 1
	}
	w.counting = true
	w.counts = [symbols + 1]int{}
	band(c, from, to)
	w.counting = false
	w.segment(dht, append([]byte{class << 4}, w.build()...)...)
	w.segment(sos, 1, c.id, 0, byte(from), byte(to), 0)
	band(c, from, to)
	w.flush()
}

// blocks calls f for the blocks that the picture needs, in their order: a component alone has none beyond it.
func (w *rewriter) blocks(c *component, f func(i int)) {
	wide, high := alone(w.width, c.h, w.across), alone(w.height, c.v, w.down)
	for y := range high {
		for x := range wide {
			f(y*c.wide + x)
		}
	}
}

func (w *rewriter) means(c *component, _, _ int) {
	before := int32(0)
	w.blocks(c, func(i int) {
		mean := int32(c.coef[64*i])
		w.put(0, mean-before)
		before = mean
	})
}

func (w *rewriter) details(c *component, from, to int) {
	ended := 0 // blocks, or their ends, that have nothing
	w.blocks(c, func(i int) {
		ones, next := c.non0[i]&span(from, to), from
		if ones != 0 {
			w.ends(ended)
			ended = 0
		}
		for ; ones != 0; ones &= ones - 1 {
			k := mathbits.TrailingZeros64(ones)
			zeros := k - next
			for ; zeros > 15; zeros -= 16 {
				w.put(15, 0)
			}
			w.put(zeros, int32(c.coef[64*i+int(natural[k])]))
			next = k + 1
		}
		if next <= to {
			ended++
		}
		if ended == mostEnded {
			w.ends(ended)
			ended = 0
		}
	})
	w.ends(ended)
}

// mostEnded is how many ends one code can have.
const mostEnded = 1<<15 - 1

// ends writes that n blocks have no more in this band.
func (w *rewriter) ends(n int) {
	if n > 0 {
		size := mathbits.Len(uint(n)) - 1
		w.code(byte(size<<4), uint64(n-1<<size), size)
	}
}
