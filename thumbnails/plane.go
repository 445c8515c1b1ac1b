package thumbnails

// plane averages one channel of an image, row by row.
type plane struct {
	pix    []byte
	stride int
	xs, ys axis
	sums   []uint64
	out    []byte
}

func newPlane(pix []byte, stride int, xs, ys axis) *plane {
	n := len(xs.cells)
	return &plane{pix: pix, stride: stride, xs: xs, ys: ys, sums: make([]uint64, n), out: make([]byte, n)}
}

// row is valid until the next call. One and two pixels a box are what large thumbnails of photographs need: their
// colours and their brightness; they have ways of their own.
func (p *plane) row(y int) []byte {
	switch {
	case p.xs.exact == 1 && p.ys.exact == 1:
		return p.line(y)[:len(p.out)]
	case p.xs.exact == 2 && p.ys.exact == 2:
		halve(p.out, p.line(2*y), p.line(2*y+1))
		return p.out
	}
	clear(p.sums)
	c := p.ys.cells[y]
	for r := c.from; r < c.to; r++ {
		addValues(p.sums, p.line(r), p.xs, c.weight(r))
	}
	rows := p.ys.span(y)
	for x, s := range p.sums {
		p.out[x] = rounded(s, 1/float64(rows*p.xs.span(x)))
	}
	return p.out
}

func (p *plane) line(y int) []byte { return p.pix[y*p.stride:] }

func halve(out, top, bottom []byte) {
	top, bottom = top[:2*len(out)], bottom[:2*len(out)]
	for x := range out {
		t, b := top[2*x:2*x+2:2*x+2], bottom[2*x:2*x+2:2*x+2]
		out[x] = uint8((uint32(t[0]) + uint32(t[1]) + uint32(b[0]) + uint32(b[1]) + 2) >> 2)
	}
}

func addValues(sums []uint64, row []byte, xs axis, weight uint64) {
	for x := range xs.cells {
		c := &xs.cells[x]
		cut := row[c.from:c.to]
		s := uint64(cut[0]) * c.first
		if last := len(cut) - 1; last > 0 {
			var inner uint64
			for _, v := range cut[1:last] {
				inner += uint64(v)
			}
			s += inner*whole + uint64(cut[last])*c.last
		}
		sums[x] += s * weight
	}
}
