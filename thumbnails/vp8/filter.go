package vp8

// filter is the loop filter: it smooths the edges between macroblocks and blocks (sections 9.6 and 15).
type filter struct {
	on     bool
	simple bool
	level  int
	sharp  int
	deltas bool
	frame  int // added for all macroblocks of a key frame
	blocks int // added for those that are predicted in blocks
	edges  [4][2]edge
}

func (f *filter) read(b *bools) {
	f.simple = b.flag()
	f.level, f.sharp = b.number(6), b.number(3)
	if f.deltas = b.flag(); !f.deltas || !b.flag() {
		return
	}
	f.frame = b.maybe(6)
	for range 3 {
		b.maybe(6) // of frames that are made from others
	}
	f.blocks = b.maybe(6)
	for range 3 {
		b.maybe(6)
	}
}

// edge is how the edges of a macroblock are filtered: not at all when its level is 0.
type edge struct {
	level    int // what the two sides may differ by
	inner    int // what values on one side may differ by
	variance int // from where on that is taken for detail
	inside   bool
}

// slight is the level up to which the filter is left out at 1/2: its traces are gone then. At 1/4 and 1/8 all of them are.
const slight = 30

// prepare finds what the four segments have. A level of 0 for the whole frame leaves all of them alone.
func (f *filter) prepare(s *segments, scale int) {
	if f.level == 0 || scale > 2 {
		return
	}
	for i := range f.edges {
		level := s.of(f.level, s.strength, i)
		if f.deltas {
			level += f.frame
		}
		f.edges[i][0] = f.edgeOf(level, scale)
		if f.deltas {
			level += f.blocks
		}
		f.edges[i][1] = f.edgeOf(level, scale)
		f.edges[i][1].inside = true
		f.on = f.on || f.edges[i][0].level > 0 || f.edges[i][1].level > 0
	}
}

func (f *filter) edgeOf(level, scale int) edge {
	if level = min(level, 63); level <= 0 || scale == 2 && level <= slight {
		return edge{}
	}
	inner := level
	if f.sharp > 4 {
		inner >>= 2
	} else if f.sharp > 0 {
		inner >>= 1
	}
	if f.sharp > 0 {
		inner = min(inner, 9-f.sharp)
	}
	e := edge{inner: max(inner, 1)}
	e.level = 2*level + e.inner
	switch {
	case level >= 40:
		e.variance = 2
	case level >= 15:
		e.variance = 1
	}
	return e
}

// edge is that of a macroblock; some says whether it has coefficients.
func (f *filter) edge(m *macroblock, some bool) edge {
	blocks := 0
	if !m.whole {
		blocks = 1
	}
	e := f.edges[m.segment][blocks]
	e.inside = e.inside || some
	return e
}

// filterRow filters row y, and the last lines of the one above.
func (d *decoder) filterRow(y int) {
	if !d.filter.on {
		return
	}
	sheets := d.sheets[:]
	if d.filter.simple {
		sheets = sheets[:1]
	}
	for x := range d.across {
		e := &d.edges[x]
		if e.level == 0 {
			continue
		}
		for i := range sheets {
			d.filter.macroblock(&sheets[i], e, x, y)
		}
	}
}

// macroblock filters the edges of one: to its left, the upright ones in it, above it, and the lying ones in it.
func (f *filter) macroblock(s *sheet, e *edge, x, y int) {
	at := s.begin(y) + s.side*x
	between, within := edge.between, edge.within
	if f.simple {
		between, within = edge.betweenSimply, edge.withinSimply
	}
	if x > 0 {
		between(*e, s.band, at, s.side, s.stride, 1)
	}
	if e.inside {
		for i := 4; i < s.side; i += 4 {
			within(*e, s.band, at+i, s.side, s.stride, 1)
		}
	}
	if y > 0 {
		between(*e, s.band, at, s.side, 1, s.stride)
	}
	if e.inside {
		for i := 4; i < s.side; i += 4 {
			within(*e, s.band, at+i*s.stride, s.side, 1, s.stride)
		}
	}
}

// between filters n places of an edge between macroblocks: at is the first value behind it, along leads to the next place, and over from one
// side to the other.
func (e edge) between(p []byte, at, n, along, over int) {
	e.level += 4
	for ; n > 0; n, at = n-1, at+along {
		w := p[at-4*over : at+3*over+1]
		p1, p0, q0, q1 := int(w[2*over]), int(w[3*over]), int(w[4*over]), int(w[5*over])
		if e.apart(p1, p0, q0, q1) {
			continue
		}
		p2, q2 := int(w[over]), int(w[6*over])
		if e.rough(int(w[0]), p2, p1, p0) || e.rough(int(w[7*over]), q2, q1, q0) {
			continue
		}
		a := signed8(signed8(p1-q1) + 3*(q0-p0))
		if e.detailed(p1, p0, q0, q1) {
			w[3*over], w[4*over] = inner(p0, q0, a)
			continue
		}
		a1, a2, a3 := (27*a+63)>>7, (18*a+63)>>7, (9*a+63)>>7
		w[over], w[2*over], w[3*over] = inByte(p2+a3), inByte(p1+a2), inByte(p0+a1)
		w[4*over], w[5*over], w[6*over] = inByte(q0-a1), inByte(q1-a2), inByte(q2-a3)
	}
}

// within filters an edge within a macroblock.
func (e edge) within(p []byte, at, n, along, over int) {
	for ; n > 0; n, at = n-1, at+along {
		w := p[at-4*over : at+3*over+1]
		p1, p0, q0, q1 := int(w[2*over]), int(w[3*over]), int(w[4*over]), int(w[5*over])
		if e.apart(p1, p0, q0, q1) || e.rough(int(w[0]), int(w[over]), p1, p0) || e.rough(int(w[7*over]), int(w[6*over]), q1, q0) {
			continue
		}
		if e.detailed(p1, p0, q0, q1) {
			w[3*over], w[4*over] = inner(p0, q0, signed8(p1-q1)+3*(q0-p0))
			continue
		}
		a := 3 * (q0 - p0)
		a1, a2 := min(max((a+4)>>3, -16), 15), min(max((a+3)>>3, -16), 15)
		a3 := (a1 + 1) >> 1
		w[2*over], w[3*over] = inByte(p1+a3), inByte(p0+a2)
		w[4*over], w[5*over] = inByte(q0-a1), inByte(q1-a3)
	}
}

func (e edge) betweenSimply(p []byte, at, n, along, over int) {
	e.level += 4
	e.withinSimply(p, at, n, along, over)
}

func (e edge) withinSimply(p []byte, at, n, along, over int) {
	for ; n > 0; n, at = n-1, at+along {
		w := p[at-2*over : at+over+1]
		p1, p0, q0, q1 := int(w[0]), int(w[over]), int(w[2*over]), int(w[3*over])
		if !e.apart(p1, p0, q0, q1) {
			w[over], w[2*over] = inner(p0, q0, signed8(p1-q1)+3*(q0-p0))
		}
	}
}

// apart reports whether the two sides differ too much for a mere fault of the coding.
func (e edge) apart(p1, p0, q0, q1 int) bool {
	return 2*distance(p0, q0)+distance(p1, q1)>>1 > e.level
}

// rough reports whether values on one side, the last of them at the edge, differ too much.
func (e edge) rough(v3, v2, v1, v0 int) bool {
	most, twice := e.inner, uint(2*e.inner)
	return uint(v3-v2+most) > twice || uint(v2-v1+most) > twice || uint(v1-v0+most) > twice
}

// detailed reports whether there is more at the edge than a step.
func (e edge) detailed(p1, p0, q0, q1 int) bool {
	most, twice := e.variance, uint(2*e.variance)
	return uint(p1-p0+most) > twice || uint(q1-q0+most) > twice
}

// inner changes the two values at the edge.
func inner(p0, q0, a int) (uint8, uint8) {
	return inByte(p0 + min(max((a+3)>>3, -16), 15)), inByte(q0 - min(max((a+4)>>3, -16), 15))
}

func distance(a, b int) int { return max(a-b, b-a) }

func signed8(v int) int { return min(max(v, -128), 127) }
