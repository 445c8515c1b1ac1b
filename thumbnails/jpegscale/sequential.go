package jpegscale

// sequential decodes a block of a sequential file and puts it into its plane.
func (s *scan) sequential(p *part, x, y int) bool {
	size, ok := s.symbol(p.dc)
	if !ok || size > 16 {
		return false
	}
	p.pred += s.value(int(size))
	if p.last == 0 {
		p.pix[y*p.stride+x] = dot(p.pred * p.quant[0])
		return s.skip(p.ac, 1)
	}
	clear(s.work[:8*p.rows])
	s.work[0] = p.pred * p.quant[0]
	last, ok := s.coefficients(&s.work, p.quant, p.ac, p.last)
	p.inverse(p.at(x, y), p.stride, &s.work, last)
	return ok
}

// kept keeps the coefficients of a block of a sequential file: they are coded as in a first scan of a progressive one.
func (s *scan) kept(p *part, x, y int) bool { return s.firstDC(p, x, y) && s.firstAC(p, x, y) }

// coefficients decodes those from 1 to last of a block, each times its quantum, and steps over the others. It returns
// the last one that is not 0.
func (b *bits) coefficients(work, quant *[64]int32, h *huffman, last int) (non0 int, ok bool) {
	acc, n := b.acc, b.n
	k := 1
	for ; k <= last; k++ {
		if n < enough {
			b.acc, b.n = acc, n
			b.fill()
			acc, n = b.acc, b.n
		}
		e := h.find(acc)
		if e == 0 {
			return non0, false
		}
		used, run, size := int(e>>8), int(e>>4&15), int(e&15)
		acc <<= used & 63
		n -= used
		if size == 0 {
			if run < 15 {
				b.acc, b.n = acc, n
				return non0, true
			}
			k += 15
			continue
		}
		if k += run; k > 63 {
			break // image/jpeg leaves the value there
		}
		work[natural[k]] = signed(acc, size) * quant[k]
		non0 = k
		acc <<= size & 63
		n -= size
	}
	b.acc, b.n = acc, n
	return non0, b.skip(h, k)
}
