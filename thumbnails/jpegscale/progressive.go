package jpegscale

import "image/jpeg"

// keep makes room for the coefficients that a picture of this side needs, and for the marks of all others: bits that
// refine one that is not 0 must be stepped over too.
func (c *component) keep(side int) {
	c.coef = make([]int16, c.wide*c.high*side*side)
	if side > 1 {
		c.non0 = make([]uint64, c.wide*c.high)
	}
}

// band reads which coefficients the scan has, and which of their bits.
func (s *scan) band(p []byte) error {
	s.from, s.to, s.before, s.low = int(p[0]), int(p[1]), int(p[2]>>4), int(p[2]&15)
	switch {
	case s.from == 0 && s.to != 0 || s.from > s.to || s.to > 63:
		return jpeg.FormatError("bad spectral selection bounds")
	case s.from > 0 && len(s.parts) > 1:
		return jpeg.FormatError("progressive AC coefficients for more than one component")
	case s.before != 0 && s.before != s.low+1:
		return jpeg.FormatError("bad successive approximation values")
	}
	switch {
	case s.from == 0 && s.before == 0:
		s.block = s.firstDC
	case s.from == 0:
		s.block = s.refineDC
	case s.before == 0:
		s.block = s.firstAC
	default:
		s.block = s.refineAC
	}
	return nil
}

// wanted reports whether the picture needs the scan. One without needed coefficients is read only when a later one may
// refine its coefficients together with needed ones: where those bits are depends on which are 0.
func (s *scan) wanted() bool {
	if span(s.from, s.to)&s.need != 0 {
		return true
	}
	return s.side > 1 && s.before == 0 && s.low > 0
}

// index of the block, and its kept coefficients.
func (s *scan) kept(p *part, x, y int) (int, []int16) {
	i, n := y*p.component.wide+x, s.side*s.side
	return i, p.coef[i*n : i*n+n : i*n+n]
}

func (s *scan) firstDC(p *part, x, y int) bool {
	size, ok := s.symbol(p.dc)
	if !ok || size > 16 {
		return false
	}
	p.pred += s.value(int(size))
	_, kept := s.kept(p, x, y)
	kept[0] = int16(p.pred << s.low)
	return true
}

func (s *scan) refineDC(p *part, x, y int) bool {
	_, kept := s.kept(p, x, y)
	kept[0] |= int16(s.take(1) << s.low)
	return true
}

func (s *scan) firstAC(p *part, x, y int) bool {
	if s.endRun > 0 {
		s.endRun--
		return true
	}
	i, kept := s.kept(p, x, y)
	for k := s.from; k <= s.to; k++ {
		code, ok := s.symbol(p.ac)
		if !ok {
			return false
		}
		run, size := int(code>>4), int(code&15)
		if size == 0 && run < 15 {
			s.endRun = 1<<run + s.take(run) - 1
			return true
		}
		if k += run; k > s.to {
			break
		}
		if v := s.value(size); size > 0 {
			p.non0[i] |= 1 << k
			s.put(kept, k, int16(v<<s.low))
		}
	}
	return true
}

// put keeps coefficient k if the picture needs it.
func (s *scan) put(kept []int16, k int, v int16) {
	if s.need>>k&1 != 0 {
		kept[int(natural[k]>>3)*s.side+int(natural[k]&7)] = v
	}
}

// refineAC gives one more bit to each coefficient that is not 0, and makes others not 0.
func (s *scan) refineAC(p *part, x, y int) bool {
	i, kept := s.kept(p, x, y)
	k := s.from
	for ; s.endRun == 0 && k <= s.to; k++ {
		code, ok := s.symbol(p.ac)
		if !ok || code&15 > 1 {
			return false
		}
		run := int(code >> 4)
		v := int16(0)
		switch {
		case code&15 == 1:
			v = int16(2*s.take(1)-1) << s.low
		case run < 15:
			s.endRun = 1<<run + s.take(run)
		}
		if s.endRun > 0 {
			break
		}
		if k = s.correct(kept, p.non0[i], k, run); v != 0 && k <= s.to {
			p.non0[i] |= 1 << k
			s.put(kept, k, v)
		}
	}
	if s.endRun > 0 {
		s.endRun--
		if p.non0[i]&span(s.from, s.to) != 0 {
			s.correct(kept, p.non0[i], k, 64)
		}
	}
	return true
}

// correct refines the coefficients from k on that are not 0, up to the zero behind zeros others, and returns where
// that is.
func (s *scan) correct(kept []int16, non0 uint64, k, zeros int) int {
	for ; k <= s.to; k++ {
		if non0>>k&1 == 0 {
			if zeros == 0 {
				break
			}
			zeros--
			continue
		}
		if s.take(1) == 0 || s.need>>k&1 == 0 {
			continue
		}
		v := &kept[int(natural[k]>>3)*s.side+int(natural[k]&7)]
		if *v < 0 {
			*v -= 1 << s.low
		} else {
			*v += 1 << s.low
		}
	}
	return k
}

// reconstruct makes the planes of what was kept.
func (d *decoder) reconstruct() {
	var work [64]int32
	n := d.side * d.side
	for i := range d.comps {
		c := &d.comps[i]
		if c.quant == nil {
			continue // no scan had it
		}
		quant := c.byPlace()
		for b := range c.wide * c.high {
			last := 0
			for j, v := range c.coef[b*n : b*n+n] {
				at := j/d.side*8 + j%d.side
				if work[at] = int32(v) * quant[at]; v != 0 {
					last = j
				}
			}
			inverse(c.at(b%c.wide, b/c.wide, d.side), c.stride, d.side, &work, last)
		}
	}
}

// byPlace is the quantization table as rows and columns.
func (c *component) byPlace() (q [64]int32) {
	for k, at := range natural {
		q[at] = c.quant[k]
	}
	return q
}
