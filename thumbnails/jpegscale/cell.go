package jpegscale

// cell is what a block of 8 x 8 pixels becomes.
type cell struct {
	cols, rows int
	need       uint64    // coefficients, in zigzag order, that it is made of
	last       int       // of these
	places     [64]uint8 // where each of them is kept
}

func newCell(cols, rows int) cell {
	c := cell{cols: cols, rows: rows}
	for k, at := range natural {
		if x, y := int(at)&7, int(at)>>3; x < cols && y < rows {
			c.need |= 1 << k
			c.last = k
			c.places[k] = uint8(y*cols + x)
		}
	}
	return c
}

// cellOf is that of component i. Colours that a file has at the size of the brightness are halved when that is wanted, and where a half is none are a
// little more.
func (d *decoder) cellOf(i int) cell {
	c, cols, rows := &d.comps[i], d.size.Eighths, d.size.Eighths
	if d.halved && i > 0 {
		if c.h == d.across {
			cols = parts(cols, 2)
		}
		if c.v == d.down {
			rows = parts(rows, 2)
		}
	}
	return newCell(cols, rows)
}

func (c *cell) pixels() int { return c.cols * c.rows }
