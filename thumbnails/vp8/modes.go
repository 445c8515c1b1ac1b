package vp8

// mode is how a block is predicted from its neighbours. Those of macroblocks are the first four.
type mode uint8

const (
	flat mode = iota // the mean of what is above and to the left
	slope
	fromAbove
	fromLeft
	rightDown
	verticalRight
	leftDown
	verticalLeft
	horizontalDown
	horizontalUp
)

// surroundings is what a macroblock leaves for the one below it or to its right.
type surroundings struct {
	modes [4]mode  // of its blocks on that side
	coded [9]uint8 // 1 for blocks with coefficients on that side: four of brightness, two of each colour, the second order's
}

// prelude is what is read of a macroblock before its coefficients (section 19.3).
func (d *decoder) prelude(above *surroundings) {
	b, m := d.modes, &d.block
	if d.segments.mapped {
		p := &d.segments.probs
		m.segment = 0
		if b.bit(p[0]) {
			m.segment = 2
		}
		if b.bit(p[1+m.segment/2]) {
			m.segment++
		}
	}
	m.skipped = d.skips && b.bit(d.skipProb)
	if m.whole = b.bit(145); m.whole {
		m.mode = b.wholeMode()
		for i := range 4 {
			above.modes[i], d.left.modes[i] = m.mode, m.mode
		}
	} else {
		b.blockModes(&m.modes, &above.modes, &d.left.modes)
	}
	m.colour = b.colourMode()
}

// wholeMode is that of the brightness of a macroblock (section 11.2).
func (b *bools) wholeMode() mode {
	if !b.bit(156) {
		if !b.bit(163) {
			return flat
		}
		return fromAbove
	}
	if !b.bit(128) {
		return fromLeft
	}
	return slope
}

func (b *bools) colourMode() mode {
	switch {
	case !b.bit(142):
		return flat
	case !b.bit(114):
		return fromAbove
	case !b.bit(183):
		return fromLeft
	}
	return slope
}

// blockModes are those of the 16 blocks, each by its neighbours' (section 11.3).
func (b *bools) blockModes(modes *[16]mode, above, left *[4]mode) {
	for y := range 4 {
		m := left[y]
		for x := range 4 {
			m = b.blockMode(&modeProbs[above[x]][m])
			above[x], modes[4*y+x] = m, m
		}
		left[y] = m
	}
}

func (b *bools) blockMode(p *[9]uint8) mode {
	switch {
	case !b.bit(p[0]):
		return flat
	case !b.bit(p[1]):
		return slope
	case !b.bit(p[2]):
		return fromAbove
	case !b.bit(p[3]):
		switch {
		case !b.bit(p[4]):
			return fromLeft
		case !b.bit(p[5]):
			return rightDown
		}
		return verticalRight
	case !b.bit(p[6]):
		return leftDown
	case !b.bit(p[7]):
		return verticalLeft
	case !b.bit(p[8]):
		return horizontalDown
	}
	return horizontalUp
}
