package jpegscale

import (
	"image/jpeg"
	mathbits "math/bits"
)

// keep makes room for the coefficients that the picture needs, and for the marks of all others: bits that
// refine one that is not 0 must be stepped over too.
func (c *component) keep() {
	c.coef = make([]int16, c.wide*c.high*c.pixels())
	if c.pixels() > 1 {
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
	for i := range s.parts {
		p := &s.parts[i]
		if span(s.from, s.to)&p.need != 0 || p.pixels() > 1 && s.before == 0 && s.low > 0 {
			return true
		}
	}
	return false
}

// index of the block, and its kept coefficients.
func (s *scan) room(p *part, x, y int) (int, []int16) {
	i, n := y*p.component.wide+x, p.pixels()
	return i, p.coef[i*n : i*n+n : i*n+n]
}

func (s *scan) firstDC(p *part, x, y int) bool {
	size, ok := s.symbol(p.dc)
	if !ok || size > 16 {
		return false
	}
	p.pred += s.value(int(size))
	_, kept := s.room(p, x, y)
	kept[0] = int16(p.pred << s.low)
	return true
}

func (s *scan) refineDC(p *part, x, y int) bool {
	_, kept := s.room(p, x, y)
	kept[0] |= int16(s.take(1) << s.low)
	return true
}

func (s *scan) firstAC(p *part, x, y int) bool {
	if s.endRun > 0 {
		s.endRun--
		return true
	}
	i, kept := s.room(p, x, y)
	acc, n := s.acc, s.n
	for k := max(s.from, 1); k <= s.to; k++ {
		if n < enough {
			s.acc, s.n = acc, n
			s.fill()
			acc, n = s.acc, s.n
		}
		e := p.ac.find(acc)
		if e == 0 {
			return false
		}
		used, run, size := int(e>>8), int(e>>4&15), int(e&15)
		acc <<= used & 63
		n -= used
		if size == 0 && run < 15 {
			s.endRun = 1<<run + int(acc>>1>>(63-run)) - 1
			acc <<= run & 63
			n -= run
			break
		}
		if k += run; k > s.to {
			break
		}
		if size > 0 {
			p.non0[i] |= 1 << k
			p.put(kept, k, int16(signed(acc, size)<<s.low))
			acc <<= size & 63
			n -= size
		}
	}
	s.acc, s.n = acc, n
	return true
}

// put keeps coefficient k if the picture needs it.
func (c *cell) put(kept []int16, k int, v int16) {
	if c.need>>k&1 != 0 {
		kept[c.places[k&63]] = v
	}
}

// refineAC gives one more bit to each coefficient that is not 0, and makes others not 0.
func (s *scan) refineAC(p *part, x, y int) bool {
	i, kept := s.room(p, x, y)
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
		if k = s.correct(&p.cell, kept, p.non0[i], k, run); v != 0 && k <= s.to {
			p.non0[i] |= 1 << k
			p.put(kept, k, v)
		}
	}
	if s.endRun > 0 {
		s.endRun--
		if p.non0[i]&span(s.from, s.to) != 0 {
			s.correct(&p.cell, kept, p.non0[i], k, all)
		}
	}
	return true
}

// all is more zeros than a block has.
const all = 64

// correct refines the coefficients from k on that are not 0, up to the zero behind zeros others, and returns where
// that is.
func (s *scan) correct(c *cell, kept []int16, non0 uint64, k, zeros int) int {
	band, end := span(k, s.to), s.to+1
	for free := ^non0 & band; free != 0 && zeros < all; free &= free - 1 {
		if zeros == 0 {
			end = mathbits.TrailingZeros64(free)
			break
		}
		zeros--
	}
	acc, n := s.acc, s.n
	for ones := non0 & band & (1<<end - 1); ones != 0; ones &= ones - 1 {
		if n < enough {
			s.acc, s.n = acc, n
			s.fill()
			acc, n = s.acc, s.n
		}
		more := acc>>63 != 0
		acc <<= 1
		n--
		at := mathbits.TrailingZeros64(ones)
		if !more || c.need>>at&1 == 0 {
			continue
		}
		v := &kept[c.places[at&63]]
		if *v < 0 {
			*v -= 1 << s.low
		} else {
			*v += 1 << s.low
		}
	}
	s.acc, s.n = acc, n
	return end
}

// reconstruct makes the planes of what was kept.
func (d *decoder) reconstruct() {
	var work [64]int32
	for i := range d.comps {
		c := &d.comps[i]
		n := c.pixels()
		if c.quant == nil {
			continue // no scan had it
		}
		quant := c.byPlace()
		for b := range c.wide * c.high {
			kept, last := c.coef[b*n:b*n+n], 0
			if c.non0 != nil && c.non0[b]&c.need != 0 {
				last = 1
				c.unpack(&work, kept, &quant)
			}
			work[0] = int32(kept[0]) * quant[0]
			c.inverse(c.at(b%c.wide, b/c.wide), c.stride, &work, last)
		}
	}
}

// unpack puts the coefficients of a block in their places, each times its quantum.
func (c *cell) unpack(work *[64]int32, kept []int16, quant *[64]int32) {
	for y := range c.rows {
		row, to, by := kept[y*c.cols:y*c.cols+c.cols], work[8*y:8*y+c.cols], quant[8*y:8*y+c.cols]
		for x, v := range row {
			to[x] = int32(v) * by[x]
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
