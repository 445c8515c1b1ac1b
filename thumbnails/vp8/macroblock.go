package vp8

// macroblock is what is read of one: 16 x 16 values of brightness, and 8 x 8 of each colour.
type macroblock struct {
	segment int
	skipped bool // it has no coefficients
	whole   bool // brightness is predicted as a whole, not in blocks
	mode    mode
	colour  mode
	modes   [16]mode
	coefs   [25][16]int16 // of brightness, the two colours, and the second order; zeros between macroblocks
	ends    [24]uint8     // behind the last coefficient of each
}

// The kinds of blocks that have probabilities of their own.
const (
	kindRest   = iota // brightness without its first coefficients
	kindSecond        // those, once more
	kindColour
	kindBright
)

// coefficients reads those of the macroblock and reports whether there are any (section 13).
func (d *decoder) coefficients(b *bools, above *surroundings) bool {
	m, left := &d.block, &d.left
	if m.skipped {
		second := [2]uint8{above.coded[8], left.coded[8]}
		above.coded, left.coded = [9]uint8{}, [9]uint8{}
		if !m.whole {
			above.coded[8], left.coded[8] = second[0], second[1]
		}
		m.ends = [24]uint8{}
		return false
	}
	q := &d.quanta[m.segment]
	probs, from := &d.probs[kindBright], 0
	if m.whole {
		n := b.block(&d.probs[kindSecond], above.coded[8]+left.coded[8], 0, q.second, &m.coefs[24])
		coded := uint8(min(n, 1))
		above.coded[8], left.coded[8] = coded, coded
		if n > 0 {
			first(&m.coefs)
			m.coefs[24] = [16]int16{}
		}
		probs, from = &d.probs[kindRest], 1
	}
	some := d.square(b, probs, from, q.bright, 0, 4, above.coded[0:4], left.coded[0:4])
	some = d.square(b, &d.probs[kindColour], 0, q.colour, 16, 2, above.coded[4:6], left.coded[4:6]) || some
	return d.square(b, &d.probs[kindColour], 0, q.colour, 20, 2, above.coded[6:8], left.coded[6:8]) || some
}

// square reads side x side blocks from number i on.
func (d *decoder) square(b *bools, probs *coded, from int, by factors, i, side int, above, left []uint8) (some bool) {
	m := &d.block
	for y := range left {
		near := left[y]
		for x := range above {
			c := &m.coefs[i&31]
			n := b.block(probs, above[x]+near, from, by, c)
			if near = 1; n == from {
				near = 0
				if n = 0; c[0] != 0 {
					n = 1
				}
			}
			above[x] = near
			m.ends[i] = uint8(n)
			some = some || n > 0
			i++
		}
		left[y] = near
	}
	return some
}

// build makes the values of the macroblock on the canvas.
func (d *decoder) build(above, left bool) {
	m, c := &d.block, &d.canvas
	if m.whole {
		predict(c.bright[:], origin, 16, m.mode, above, left)
		for i := range 16 {
			m.add(c.bright[:], origin+i/4*4*pitch+i%4*4, i)
		}
	} else {
		for i := range 16 {
			at := origin + i/4*4*pitch + i%4*4
			predictBlock(c.bright[:], at, m.modes[i])
			m.add(c.bright[:], at, i)
		}
	}
	for colour := range 2 {
		at := origin + colour*red
		predict(c.colour[:], at, 8, m.colour, above, left)
		for i := range 4 {
			m.add(c.colour[:], at+i/2*4*pitch+i%2*4, 16+4*colour+i)
		}
	}
}

// add adds block i, and forgets its coefficients.
func (m *macroblock) add(p []byte, at, i int) {
	switch m.ends[i] {
	case 0:
		return
	case 1:
		addFlat(p[at:], m.coefs[i][0])
		m.coefs[i][0] = 0
	default:
		add(p[at:], &m.coefs[i])
		m.coefs[i] = [16]int16{}
	}
}
