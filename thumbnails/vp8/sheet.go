package vp8

// sheet is one plane on its way from macroblocks to the picture. At 1/1 the row that is worked on is a part of the picture. Otherwise it is in
// a band of its own, with some lines of the one above, and goes into the picture as averages once nothing will change it any more.
type sheet struct {
	w, h   int // of what is seen
	side   int // of a macroblock
	by     int // lines and columns that make one
	out    []byte
	pitch  int // of out
	band   []byte
	stride int // of band
	lead   int // lines in the band above the row
	whole  bool
}

func newSheet(w, h, side, by int, d *decoder) sheet {
	s := sheet{w: w, h: h, side: side, by: by, stride: side * d.across, lead: side / 2}
	if s.whole = d.whole; s.whole {
		s.pitch = s.stride
		s.out = make([]byte, s.pitch*side*d.down)
		s.band = s.out
		return s
	}
	s.pitch = Scaled(w, by)
	s.out = make([]byte, s.pitch*Scaled(h, by))
	s.band = make([]byte, (side+s.lead)*s.stride)
	return s
}

// begin is where in the band row y begins.
func (s *sheet) begin(y int) int {
	if s.whole {
		return y * s.side * s.stride
	}
	return s.lead * s.stride
}

// take takes a macroblock of row y from the canvas.
func (s *sheet) take(from []byte, x, y int) {
	at := s.begin(y) + s.side*x
	for range s.side - 1 {
		copy(s.band[at:at+s.side], from)
		at, from = at+s.stride, from[pitch:]
	}
	copy(s.band[at:at+s.side], from)
}

// finish takes into the picture what is ready once row y is there: when the filter is on, it may still change the last lines.
func (s *sheet) finish(y int, last, filtered bool) {
	if s.whole {
		return
	}
	from, to := y*s.side, (y+1)*s.side
	if filtered {
		from = max(from-s.lead, 0)
		if !last {
			to -= s.lead
		}
	}
	s.average(y, from, to)
	if filtered {
		copy(s.band, s.band[s.side*s.stride:])
	}
}

// blank takes what there is before row y, and middle grey from there on.
func (s *sheet) blank(y int, filtered bool) {
	at := y * s.side * s.stride
	if !s.whole {
		if filtered && y > 0 {
			s.average(y, y*s.side-s.lead, y*s.side)
		}
		at = Scaled(y*s.side, s.by) * s.pitch
	}
	for i := min(at, len(s.out)); i < len(s.out); i++ {
		s.out[i] = 128
	}
}

// average makes the lines of the picture that the lines from up to to come to, while the band has row y. What is not seen in the last
// line and column has no say.
func (s *sheet) average(y, from, to int) {
	for line := from; line < min(to, s.h); line += s.by {
		at := s.begin(y) + (line-y*s.side)*s.stride
		rows := s.band[at : at+s.by*s.stride]
		for n := s.h - line; n < s.by; n++ {
			copy(rows[n*s.stride:], rows[(n-1)*s.stride:n*s.stride])
		}
		if part := s.w % s.by; part != 0 {
			for n := range s.by {
				row := rows[n*s.stride : (n+1)*s.stride]
				for x := s.w; x < s.w-part+s.by; x++ {
					row[x] = row[s.w-1]
				}
			}
		}
		averages(s.out[line/s.by*s.pitch:][:s.pitch], rows, s.stride, s.by)
	}
}

// averages makes one of by columns and lines.
func averages(dst, rows []byte, stride, by int) {
	switch by {
	case 1:
		copy(dst, rows)
	case 2:
		halves(dst, rows[:stride], rows[stride:])
	case 4:
		for x := range dst {
			dst[x] = uint8((fours(rows[4*x:], stride) + 8) >> 4)
		}
	default:
		for x := range dst {
			dst[x] = uint8((eights(rows[8*x:], stride) + 32) >> 6)
		}
	}
}

// fours is the sum of four columns of four lines.
func fours(rows []byte, stride int) (sum uint64) {
	for n := range 4 {
		v := get4(rows[n*stride:])
		sum += v&evens + v>>8&evens
	}
	return sum&0xffff + sum>>16
}

// eights is the sum of eight columns of eight lines.
func eights(rows []byte, stride int) (sum uint64) {
	for n := range 8 {
		v := get8(rows[n*stride:])
		sum += v&evens + v>>8&evens
	}
	return sum * 0x0001000100010001 >> 48
}

// halves averages two lines.
func halves(dst, a, b []byte) {
	x := 0
	for ; x+4 <= len(dst); x += 4 {
		v, w := get8(a[2*x:]), get8(b[2*x:])
		v = (v&evens + v>>8&evens + w&evens + w>>8&evens + 0x0002000200020002) >> 2 & evens
		v = (v | v>>8) & 0x0000ffff0000ffff
		put4(dst[x:], v|v>>16)
	}
	for ; x < len(dst); x++ {
		dst[x] = uint8((int(a[2*x]) + int(a[2*x+1]) + int(b[2*x]) + int(b[2*x+1]) + 2) >> 2)
	}
}
