package thumbnails

import (
	"image"

	"hotfolderd/thumbnails/jpegscale"
)

// reduce averages boxes of pixels to an image of w x h, which must not be larger than the original, part of a pixel or not. It is one pass over the
// rows, made to bring a decoded original cheaply near its thumbnails. All boxes have the same size; pixels that lie in
// two of them count in both by their share, so that the picture keeps its place to the last fraction.
func reduce(img decoded, w, h int) *image.NRGBA {
	dst := image.NewNRGBA(image.Rect(0, 0, w, h))
	if p := img.planes(); len(p) == 3 {
		reduceYCbCr(dst, p, img.size)
	} else {
		reduceRows(dst, img.rows(), img)
	}
	return dst
}

// whole is the weight of a pixel that lies in one box only.
const whole = 1 << 10

// cell is the pixels of one box on one axis: from up to, but not including, to. The first and the last may be shared
// with the neighbours; with a single pixel only first counts.
type cell struct {
	from, to    int
	first, last uint64
}

// weight of pixel i.
func (c cell) weight(i int) uint64 {
	switch i {
	case c.from:
		return c.first
	case c.to - 1:
		return c.last
	}
	return whole
}

// axis is the boxes of one direction.
type axis struct {
	cells []cell
	exact int // pixels in each box when it is a whole number, else 0
}

// newAxis divides size pixels of the original among n boxes of values. With more boxes than values some boxes are parts of one.
func newAxis(n, size int, pace jpegscale.Pace) axis {
	a := axis{cells: make([]cell, n)}
	values, all := size*pace.Values, n*pace.Pixels
	if values%all == 0 {
		a.exact = values / all
	}
	at := func(i int) uint64 { return uint64(i) * uint64(values) * whole / uint64(all) }
	for i := range a.cells {
		begin, end := at(i), at(i+1)
		c := cell{from: int(begin / whole), to: int((end + whole - 1) / whole)}
		c.first = min(end, uint64(c.from+1)*whole) - begin
		c.last = end - max(begin, uint64(c.to-1)*whole)
		a.cells[i] = c
	}
	return a
}

// span is the weight of box i.
func (a axis) span(i int) uint64 {
	c := a.cells[i]
	if c.to-c.from == 1 {
		return c.first
	}
	return c.first + c.last + uint64(c.to-c.from-2)*whole
}

// reduceYCbCr averages the three planes, each at its own resolution, and converts only what is left.
func reduceYCbCr(dst *image.NRGBA, planes []plane, size image.Point) {
	w, h := dst.Rect.Dx(), dst.Rect.Dy()
	var all [3]*averager
	for i, p := range planes {
		all[i] = newAverager(p, newAxis(w, size.X, p.x), newAxis(h, size.Y, p.y))
	}
	for y := range h {
		ycbcrRow(dst.Pix[y*dst.Stride:y*dst.Stride+4*w], all[0].row(y), all[1].row(y), all[2].row(y))
	}
}

// reduceRows averages any image. Colours are weighted by alpha, so that what is invisible has no colour to give.
func reduceRows(dst *image.NRGBA, read rowReader, img decoded) {
	w, h := dst.Rect.Dx(), dst.Rect.Dy()
	xs, ys := newAxis(w, img.size.X, img.pace()), newAxis(h, img.size.Y, img.pace())
	row, sums := make([]byte, 4*img.Bounds().Dx()), make([]uint64, 4*w)
	for y := range h {
		out := dst.Pix[y*dst.Stride : y*dst.Stride+4*w]
		if xs.exact == 1 && ys.exact == 1 {
			read(y, out)
			continue
		}
		clear(sums)
		c := ys.cells[y]
		for r := c.from; r < c.to; r++ {
			read(r, row)
			addPixels(sums, row, xs, c.weight(r))
		}
		average(out, sums, xs, ys.span(y))
	}
}

// addPixels leaves colours multiplied by alpha, and alpha itself, in sums. The sums of 25 million pixels fit.
func addPixels(sums []uint64, row []byte, xs axis, weight uint64) {
	for x, c := range xs.cells {
		s := sums[4*x : 4*x+4 : 4*x+4]
		for i := c.from; i < c.to; i++ {
			p := row[4*i : 4*i+4 : 4*i+4]
			a := uint64(p[3]) * weight * c.weight(i)
			s[0], s[1], s[2], s[3] = s[0]+a*uint64(p[0]), s[1]+a*uint64(p[1]), s[2]+a*uint64(p[2]), s[3]+a
		}
	}
}

func average(out []byte, sums []uint64, xs axis, rows uint64) {
	for x := range xs.cells {
		s, d := sums[4*x:4*x+4:4*x+4], out[4*x:4*x+4:4*x+4]
		if s[3] == 0 {
			d[0], d[1], d[2], d[3] = 0, 0, 0, 0
			continue
		}
		inv := 1 / float64(s[3])
		d[0], d[1], d[2] = rounded(s[0], inv), rounded(s[1], inv), rounded(s[2], inv)
		d[3] = rounded(s[3], 1/float64(rows*xs.span(x)))
	}
}

// rounded is sum*inv as a byte. The conversion between the two steps keeps all processors to the same result.
func rounded(sum uint64, inv float64) uint8 {
	return uint8(min(float64(float64(int64(sum))*inv)+0.5, 255))
}
