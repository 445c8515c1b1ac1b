package thumbnails

// averager averages a plane to boxes, row by row.
type averager struct {
	plane
	xs, ys axis
	sums   []uint64
	out    []byte
}

func newAverager(p plane, xs, ys axis) *averager {
	n := len(xs.cells)
	return &averager{plane: p, xs: xs, ys: ys, sums: make([]uint64, n), out: make([]byte, n)}
}

// row is valid until the next call. One and two values a box are what large thumbnails of photographs need: their
// colours and their brightness; they have ways of their own.
func (a *averager) row(y int) []byte {
	switch {
	case a.xs.exact == 1 && a.ys.exact == 1:
		return a.line(y)[:len(a.out)]
	case a.xs.exact == 2 && a.ys.exact == 2:
		halve(a.out, a.line(2*y), a.line(2*y+1))
		return a.out
	}
	clear(a.sums)
	c := a.ys.cells[y]
	for r := c.from; r < c.to; r++ {
		addValues(a.sums, a.line(r), a.xs, c.weight(r))
	}
	rows := a.ys.span(y)
	for x, s := range a.sums {
		a.out[x] = rounded(s, 1/float64(rows*a.xs.span(x)))
	}
	return a.out
}

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
