package jpegscale

import "image/jpeg"

// scan is one pass over all or some components.
type scan struct {
	*decoder
	bits
	parts       []part
	wide, high  int // MCUs
	from, to    int // coefficients, in zigzag order
	before, low int // bits that came before, bits that are still to come
	block       func(p *part, x, y int) bool
	endRun      int // blocks whose band is at its end
	work        [64]int32
}

// part is what one component has in a scan.
type part struct {
	*component
	across, down int // blocks in an MCU
	dc, ac       *huffman
	pred         int32
}

// scan reads SOS and decodes what follows it, or steps over that.
func (d *decoder) scan(p []byte) error {
	if d.comps == nil {
		return jpeg.FormatError("missing SOF marker")
	}
	d.scans++
	if err := d.lim.scan(d.scans); err != nil {
		return err
	}
	d.start()
	s := &scan{decoder: d, bits: newBits(d.in), from: 0, to: 63}
	if err := s.read(p); err != nil {
		return err
	}
	if s.wanted() {
		s.run()
	}
	return nil
}

// read reads SOS.
func (s *scan) read(p []byte) error {
	if len(p) < 1 || p[0] < 1 || p[0] > 4 || len(p) != 4+2*int(p[0]) {
		return jpeg.FormatError("SOS has wrong length")
	}
	n := int(p[0])
	for i := range n {
		if err := s.addPart(p[1+2*i], p[2+2*i]>>4, p[2+2*i]&15); err != nil {
			return err
		}
	}
	s.layOut()
	switch {
	case s.progressive:
		return s.band(p[1+2*n:])
	case s.keeps:
		s.block = s.kept
	default:
		s.block = s.sequential
	}
	return nil
}

func (s *scan) addPart(id, dc, ac byte) error {
	if dc > 3 || ac > 3 {
		return jpeg.FormatError("bad Huffman table number")
	}
	for i := range s.parts {
		if s.parts[i].id == id {
			return jpeg.FormatError("repeated component selector")
		}
	}
	for i := range s.comps {
		if c := &s.comps[i]; c.id == id {
			s.parts = append(s.parts, part{component: c, across: c.h, down: c.v, dc: &s.tables[0][dc], ac: &s.tables[1][ac]})
			c.latch(s.quantOf(c), s.progressive)
			return nil
		}
	}
	return jpeg.FormatError("unknown component selector")
}

func (d *decoder) quantOf(c *component) *[64]int32 { return &d.quant[c.table] }

// latch keeps the quantization table that holds now: it may be defined anew between scans. What is refined by several
// scans has that of its first.
func (c *component) latch(q *[64]int32, first bool) {
	if c.quant == nil || !first {
		c.quantOwn = *q
		c.quant = &c.quantOwn
	}
}

// layOut counts MCUs. One component alone has one block in each, and no blocks beyond the picture.
func (s *scan) layOut() {
	if len(s.parts) > 1 || len(s.comps) == 1 {
		s.wide, s.high = parts(s.width, 8*s.across), parts(s.height, 8*s.down)
		return
	}
	p := &s.parts[0]
	s.wide, s.high = alone(s.width, p.h, s.across), alone(s.height, p.v, s.down)
	p.across, p.down = 1, 1
}

// alone is the blocks of size pixels, of which n of most are in a component.
func alone(size, n, most int) int { return parts(parts(size*n, most), 8) }

// run decodes the intervals between restart markers. One that is damaged ends, the others do not.
func (s *scan) run() {
	total := s.wide * s.high
	step := s.restart
	if step == 0 {
		step = total
	}
	for n, first := 0, 0; first < total; n++ {
		s.interval(first, min(first+step, total))
		if first += step; first >= total {
			break
		}
		lost, ok := s.resume(n & 7)
		if !ok {
			return
		}
		n += lost
		first += lost * step
	}
	for i := range s.parts {
		if s.low == 0 {
			s.parts[i].done |= span(s.from, s.to)
		}
	}
}

// interval decodes MCUs that depend on each other.
func (s *scan) interval(first, last int) {
	s.begin()
	s.endRun = 0
	for i := range s.parts {
		s.parts[i].pred = 0
	}
	y, x := first/s.wide, first%s.wide
	for range last - first {
		known := s.mcu(x, y)
		if s.spent() {
			s.note(s.short())
			return
		}
		if !known {
			s.note(jpeg.FormatError("bad Huffman code"))
			return
		}
		if x++; x == s.wide {
			x, y = 0, y+1
		}
	}
}

// short is the error of data that ends before the picture.
func (s *scan) short() error {
	if s.in.err != nil && len(s.in.data) == 0 {
		return s.in.ended()
	}
	return jpeg.FormatError("short Huffman data")
}

func (s *scan) mcu(x, y int) bool {
	for i := range s.parts {
		p := &s.parts[i]
		for v := range p.down {
			for h := range p.across {
				if !s.block(p, x*p.across+h, y*p.down+v) {
					return false
				}
			}
		}
	}
	return true
}

// resume goes to behind the restart marker that is due. Of a marker a little ahead the intervals between are lost; one
// that is a little behind is stepped over; any other ends the scan.
func (s *scan) resume(due int) (lost int, ok bool) {
	for {
		m, err := s.in.marker()
		if err != nil {
			s.note(err)
			return 0, false
		}
		if m < rst0 || m > rst7 {
			s.in.unread(m)
			s.note(jpeg.FormatError("missing restart marker"))
			return 0, false
		}
		ahead := (int(m) - rst0 - due) & 7
		if ahead > 0 {
			s.note(jpeg.FormatError("bad restart marker"))
		}
		if ahead < 6 {
			return ahead, true
		}
	}
}

// span is the coefficients of a band as bits.
func span(from, to int) uint64 { return ^uint64(0) >> (63 - to + from) << from }
