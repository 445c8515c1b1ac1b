package thumbnails

import "image"

// reduce averages boxes of pixels to an image of w x h, which must not be larger than img. It is one pass over the
// rows, made to bring a decoded original cheaply near its thumbnails. Boxes have whole pixels as edges, spread so that
// the picture keeps its place: cell i covers the pixels from i*W/w up to (i+1)*W/w.
func reduce(img image.Image, w, h int) *image.NRGBA {
	dst := image.NewNRGBA(image.Rect(0, 0, w, h))
	switch m := img.(type) {
	case *image.YCbCr:
		reduceYCbCr(dst, m)
	default:
		reduceRows(dst, rowsOf(img), img.Bounds().Size(), opaqueType(img))
	}
	return dst
}

// edges are the n+1 borders of n cells over size pixels. With more cells than pixels some cells are empty; readers
// take the pixel at the cell's border then.
func edges(n, size int) []int {
	e := make([]int, n+1)
	for i := range e {
		e[i] = int(int64(i) * int64(size) / int64(n))
	}
	return e
}

// reduceYCbCr averages the three planes, each at its own resolution, and converts only what is left.
func reduceYCbCr(dst *image.NRGBA, m *image.YCbCr) {
	w, h := dst.Rect.Dx(), dst.Rect.Dy()
	at, size := m.Rect.Min, m.Rect.Size()
	cw, ch := chromaSize(m)
	c := m.COffset(at.X, at.Y)
	planes := [3]*plane{
		newPlane(m.Y[m.YOffset(at.X, at.Y):], m.YStride, size.X, size.Y, w, h),
		newPlane(m.Cb[c:], m.CStride, cw, ch, w, h),
		newPlane(m.Cr[c:], m.CStride, cw, ch, w, h),
	}
	for y := range h {
		yy, cb, cr := planes[0].row(y), planes[1].row(y), planes[2].row(y)
		out := dst.Pix[y*dst.Stride : y*dst.Stride+4*w]
		for x := range yy {
			putYCbCr(out[4*x:4*x+4:4*x+4], yy[x], cb[x], cr[x])
		}
	}
}

// chromaSize is the size of the colour planes that belong to the image's rectangle.
func chromaSize(m *image.YCbCr) (w, h int) {
	r := m.Rect
	last := m.COffset(r.Max.X-1, r.Max.Y-1) - m.COffset(r.Min.X, r.Min.Y)
	return last%m.CStride + 1, last/m.CStride + 1
}

// plane averages one channel.
type plane struct {
	pix    []byte
	stride int
	xs, ys []int
	sums   []uint64
	out    []byte
}

func newPlane(pix []byte, stride, w, h, dw, dh int) *plane {
	return &plane{pix: pix, stride: stride, xs: edges(dw, w), ys: edges(dh, h), sums: make([]uint64, dw), out: make([]byte, dw)}
}

// row is valid until the next call.
func (p *plane) row(y int) []byte {
	top, bottom := p.ys[y], max(p.ys[y+1], p.ys[y]+1)
	clear(p.sums)
	for r := top; r < bottom; r++ {
		sumCells(p.sums, p.pix[r*p.stride:], p.xs)
	}
	var inv uint64
	cells := -1
	for x, s := range p.sums {
		if n := max(p.xs[x+1]-p.xs[x], 1) * (bottom - top); n != cells {
			cells, inv = n, (1<<32)/uint64(n)
		}
		p.out[x] = uint8((s*inv + 1<<31) >> 32)
	}
	return p.out
}

// sumCells adds one row. Cells of one and two pixels are what large thumbnails need; they have their own loops.
func sumCells(sums []uint64, row []byte, xs []int) {
	n := len(sums)
	switch xs[n] {
	case n:
		for x, v := range row[:n] {
			sums[x] += uint64(v)
		}
		return
	case 2 * n:
		row = row[:2*n]
		for x := range sums {
			sums[x] += uint64(row[2*x]) + uint64(row[2*x+1])
		}
		return
	}
	for x := range sums {
		from, to := xs[x], max(xs[x+1], xs[x]+1)
		var s uint64
		for _, v := range row[from:to] {
			s += uint64(v)
		}
		sums[x] += s
	}
}

// reduceRows averages any image. Colours are weighted by alpha, so that what is invisible has no colour to give.
func reduceRows(dst *image.NRGBA, read rowReader, size image.Point, opaque bool) {
	w, h := dst.Rect.Dx(), dst.Rect.Dy()
	xs, ys := edges(w, size.X), edges(h, size.Y)
	row, sums := make([]byte, 4*size.X), make([]uint64, 4*w)
	for y := range h {
		out := dst.Pix[y*dst.Stride : y*dst.Stride+4*w]
		if size.X == w && size.Y == h {
			read(y, out)
			continue
		}
		clear(sums)
		for r := ys[y]; r < ys[y+1]; r++ {
			read(r, row)
			if opaque {
				addOpaque(sums, row, xs)
			} else {
				addWeighted(sums, row, xs)
			}
		}
		average(out, sums, xs, uint64(ys[y+1]-ys[y]))
	}
}

// addOpaque and addWeighted both leave colours multiplied by alpha and alpha itself in sums.
func addOpaque(sums []uint64, row []byte, xs []int) {
	for x := range len(sums) / 4 {
		var r, g, b uint64
		for i := 4 * xs[x]; i < 4*xs[x+1]; i += 4 {
			p := row[i : i+3 : i+3]
			r, g, b = r+uint64(p[0]), g+uint64(p[1]), b+uint64(p[2])
		}
		s := sums[4*x : 4*x+4 : 4*x+4]
		s[0], s[1], s[2], s[3] = s[0]+255*r, s[1]+255*g, s[2]+255*b, s[3]+255*uint64(xs[x+1]-xs[x])
	}
}

func addWeighted(sums []uint64, row []byte, xs []int) {
	for x := range len(sums) / 4 {
		s := sums[4*x : 4*x+4 : 4*x+4]
		for i := 4 * xs[x]; i < 4*xs[x+1]; i += 4 {
			p := row[i : i+4 : i+4]
			a := uint64(p[3])
			s[0], s[1], s[2], s[3] = s[0]+a*uint64(p[0]), s[1]+a*uint64(p[1]), s[2]+a*uint64(p[2]), s[3]+a
		}
	}
}

func average(out []byte, sums []uint64, xs []int, rows uint64) {
	for x := range len(sums) / 4 {
		s, d := sums[4*x:4*x+4:4*x+4], out[4*x:4*x+4:4*x+4]
		a := s[3]
		if a == 0 {
			d[0], d[1], d[2], d[3] = 0, 0, 0, 0
			continue
		}
		n := rows * uint64(xs[x+1]-xs[x])
		d[0], d[1], d[2], d[3] = uint8((s[0]+a/2)/a), uint8((s[1]+a/2)/a), uint8((s[2]+a/2)/a), uint8((a+n/2)/n)
	}
}
