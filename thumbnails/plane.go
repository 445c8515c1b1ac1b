package thumbnails

import (
	"image"

	"hotfolderd/thumbnails/jpegscale"
)

// plane is one channel of a picture as it was decoded: the values that it has, each for its pixels of the original.
type plane struct {
	pix    []byte
	stride int
	have   image.Point
	x, y   jpegscale.Pace
}

func (p plane) line(y int) []byte { return p.pix[y*p.stride:][:p.have.X] }

// planes are those of a picture that is kept in planes: grey, or brightness, blue and red. Of others there are none.
func (d decoded) planes() []plane {
	switch m := d.Image.(type) {
	case *image.Gray:
		at := m.Rect.Min
		return []plane{d.plane(m.Pix[m.PixOffset(at.X, at.Y):], m.Stride, 1, 1)}
	case *image.YCbCr:
		at := m.Rect.Min
		c := m.COffset(at.X, at.Y)
		px, py := subsampling(m)
		return []plane{
			d.plane(m.Y[m.YOffset(at.X, at.Y):], m.YStride, 1, 1),
			d.plane(m.Cb[c:], m.CStride, px, py),
			d.plane(m.Cr[c:], m.CStride, px, py),
		}
	case *jpegscale.Planes:
		all := make([]plane, len(m.Of))
		for i, p := range m.Of {
			all[i] = plane{p.Pix, p.Stride, image.Pt(p.Width, p.Height), p.X, p.Y}
		}
		return all
	}
	return nil
}

// plane has one value for px by py pixels of what was decoded.
func (d decoded) plane(pix []byte, stride, px, py int) plane {
	size := d.Bounds().Size()
	have := image.Pt((size.X+px-1)/px, (size.Y+py-1)/py)
	return plane{pix, stride, have, jpegscale.Pace{Values: d.eighths, Pixels: 8 * px}, jpegscale.Pace{Values: d.eighths, Pixels: 8 * py}}
}

// pace is that of what has one value for each pixel that was decoded.
func (d decoded) pace() jpegscale.Pace { return jpegscale.Pace{Values: d.eighths, Pixels: 8} }

// subsampling is how many pixels share one value of colour, across and down.
func subsampling(m *image.YCbCr) (x, y int) {
	switch m.SubsampleRatio {
	case image.YCbCrSubsampleRatio422:
		return 2, 1
	case image.YCbCrSubsampleRatio420:
		return 2, 2
	case image.YCbCrSubsampleRatio440:
		return 1, 2
	case image.YCbCrSubsampleRatio411:
		return 4, 1
	case image.YCbCrSubsampleRatio410:
		return 4, 2
	}
	return 1, 1
}

// boxed is the plane with the averages of x by y values in place of these; the last may be of fewer.
func (p plane) boxed(x, y int) plane {
	if x == 1 && y == 1 {
		return p
	}
	have := image.Pt((p.have.X+x-1)/x, (p.have.Y+y-1)/y)
	out := plane{make([]byte, have.X*have.Y), have.X, have, p.x, p.y}
	out.x.Pixels *= x
	out.y.Pixels *= y
	sums := make([]uint64, have.X)
	for i := range have.Y {
		clear(sums)
		rows := min(y, p.have.Y-i*y)
		for r := range rows {
			addBoxes(sums, p.line(i*y+r), x)
		}
		averages(out.line(i), sums, x*rows, (p.have.X-(have.X-1)*x)*rows)
	}
	return out
}

func addBoxes(sums []uint64, row []byte, n int) {
	last := len(sums) - 1
	for x := range last {
		var s uint64
		for _, v := range row[:n] {
			s += uint64(v)
		}
		sums[x] += s
		row = row[n:]
	}
	for _, v := range row {
		sums[last] += uint64(v)
	}
}

// averages are of n values each, but of the last.
func averages(dst []byte, sums []uint64, n, last int) {
	half, by := uint64(n/2), (1<<32+uint64(n)-1)/uint64(n)
	dst = dst[:len(sums)]
	for x, s := range sums {
		dst[x] = byte((s + half) * by >> 32)
	}
	end := len(sums) - 1
	dst[end] = byte((int(sums[end]) + last/2) / last)
}
