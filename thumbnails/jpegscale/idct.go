package jpegscale

// inverse turns the coefficients of work that a cell is made of into its pixels. last is 0 when all but the first are 0.
// Work may be changed.
//
// All sizes, which are 1, 2, 3, 4 and 8 points, are the same transform: the orthonormal cosine transform of so many points, each pass scaled by the root of
// their number, so that the sum at the end is 8 times the pixel. Constants have 13 bits of fraction; between the passes there
// are two.
func (c *cell) inverse(dst []byte, stride int, work *[64]int32, last int) {
	if last == 0 {
		flat(dst, stride, c.cols, c.rows, dot(work[0]))
		return
	}
	columns(work, c.cols, c.rows)
	rows(dst, stride, work, c.cols, c.rows)
}

// columns is the first pass: cols transforms of n points each.
func columns(f *[64]int32, cols, n int) {
	switch n {
	case 1:
		for x := range cols {
			f[x] <<= 2
		}
	case 2:
		columns2(f, cols)
	case 3:
		columns3(f, cols)
	case 4:
		columns4(f, cols)
	default:
		columns8(f, cols)
	}
}

// rows is the second pass: each of n points makes n pixels.
func rows(dst []byte, stride int, f *[64]int32, n, rows int) {
	switch n {
	case 1:
		for y := range rows {
			dst[y*stride] = level((f[8*y] + 16) >> 5)
		}
	case 2:
		rows2(dst, stride, f, rows)
	case 3:
		rows3(dst, stride, f, rows)
	case 4:
		rows4(dst, stride, f, rows)
	default:
		rows8(dst, stride, f, rows)
	}
}

// The bits that each pass takes away, and half of the last of them; the second brings the middle to grey.
const (
	first, second         = 13 - 2, 13 + 2 + 3
	firstHalf, secondHalf = 1 << (first - 1), 1<<(second-1) + grey<<second
)

// dot is the pixel that the mean of a block makes, rounded as djpeg does.
func dot(dc int32) byte { return level((dc + 4) >> 3) }

// level is a pixel from its distance to the middle.
func level(v int32) byte { return cut(v + grey) }

// cut is v in the range of a byte: a comparison that mostly says yes costs less than two.
func cut(v int32) byte {
	if uint32(v) > 255 {
		v = ^(v >> 31)
	}
	return byte(v)
}

func flat(dst []byte, stride, cols, rows int, v byte) {
	for y := range rows {
		row := dst[y*stride : y*stride+cols]
		for x := range row {
			row[x] = v
		}
	}
}
