package jpegscale

import "image/jpeg"

// frame is what the header says.
type frame struct {
	progressive   bool
	width, height int // of the original
	comps         []component
	across, down  int // pixels of an MCU are 8 times these
}

// component is one channel, and what it has been decoded to.
type component struct {
	id, table  byte
	h, v       int // blocks of it in an MCU
	wide, high int // blocks, up to whole MCUs

	cell
	pix    []byte
	stride int

	done     uint64 // coefficients, in zigzag order, that are known to their last bit
	quant    *[64]int32
	coef     []int16  // progressive: what is kept of each block
	non0     []uint64 // progressive: which coefficients of each block are not 0
	quantOwn [64]int32
}

// header reads SOF.
func (d *decoder) header(p []byte, progressive bool) error {
	if d.comps != nil {
		return jpeg.FormatError("multiple SOF markers")
	}
	if len(p) < 6 || len(p) != 6+3*int(p[5]) {
		return jpeg.FormatError("SOF has wrong length")
	}
	if p[0] != 8 {
		return jpeg.UnsupportedError("precision")
	}
	d.progressive = progressive
	d.height, d.width = int(p[1])<<8|int(p[2]), int(p[3])<<8|int(p[4])
	if err := d.lim.size(d.width, d.height); err != nil {
		return err
	}
	if n := p[5]; n != 1 && n != 3 && n != 4 {
		return jpeg.UnsupportedError("number of components")
	}
	for p = p[6:]; len(p) > 0; p = p[3:] {
		c := component{id: p[0], h: int(p[1] >> 4), v: int(p[1] & 15), table: p[2]}
		if err := d.add(c); err != nil {
			return err
		}
	}
	if err := d.sampling(); err != nil {
		return err
	}
	d.geometry()
	return nil
}

func (d *decoder) add(c component) error {
	for i := range d.comps {
		if d.comps[i].id == c.id {
			return jpeg.FormatError("repeated component identifier")
		}
	}
	if c.table > 3 {
		return jpeg.FormatError("bad quantization table number")
	}
	if c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 {
		return jpeg.FormatError("luma/chroma subsampling ratio")
	}
	d.comps = append(d.comps, c)
	return nil
}

// sampling refuses what no picture type can hold: the colours must share one sampling that divides the first's, and
// black must have the first's. A single component has one block in an MCU whatever it says.
func (d *decoder) sampling() error {
	c := d.comps
	if len(c) == 1 {
		c[0].h, c[0].v = 1, 1
		return nil
	}
	same := func(a, b component) bool { return a.h == b.h && a.v == b.v }
	if !same(c[1], c[2]) || c[0].h%c[1].h != 0 || c[0].v%c[1].v != 0 || len(c) == 4 && !same(c[0], c[3]) {
		return jpeg.UnsupportedError("luma/chroma subsampling ratio")
	}
	if _, ok := ratio(c[0].h/c[1].h, c[0].v/c[1].v); !ok {
		return jpeg.UnsupportedError("luma/chroma subsampling ratio")
	}
	return nil
}

// geometry counts the blocks.
func (d *decoder) geometry() {
	d.across, d.down = d.comps[0].h, d.comps[0].v
	for i := range d.comps {
		c := &d.comps[i]
		c.wide = parts(d.width, 8*d.across) * c.h
		c.high = parts(d.height, 8*d.down) * c.v
	}
}

// grey is the value where nothing is known.
const grey = 128

// start makes the planes.
func (d *decoder) start() {
	if d.started {
		return
	}
	d.started = true
	d.halved = d.size.Halved && len(d.comps) == 3 && !d.isRGB()
	for i := range d.comps {
		c := &d.comps[i]
		c.cell = d.cellOf(i)
		if d.progressive || d.keeps {
			c.keep()
		}
		if d.keeps {
			continue
		}
		c.stride = c.wide * c.cols
		c.pix = make([]byte, c.stride*c.high*c.rows)
		c.pix[0] = grey
		for n := 1; n < len(c.pix); n *= 2 {
			copy(c.pix[n:], c.pix[:n])
		}
	}
}

// at is where block (x, y) begins in the plane.
func (c *component) at(x, y int) []byte { return c.pix[y*c.rows*c.stride+x*c.cols:] }
