package vp8

import (
	"fmt"
	"image"
	"io"
)

// Size is what a picture is decoded to.
type Size struct {
	Scale  int  // 1, 2, 4 or 8: one value is the average of as many columns and lines, and a part of that is one
	Halved bool // colours are half as wide and high as brightness at all scales; otherwise at 1/1 alone
}

// Decode decodes the key frame of size bytes in r.
//
// When the file is cut off or damaged there are both a picture, with what was decoded before that and middle grey behind it, and an
// error: [io.ErrUnexpectedEOF] or what r failed with. A header that is not understood, or is over the limits, has no picture.
func Decode(r io.ReaderAt, size int64, to Size, lim Limits) (*image.YCbCr, error) {
	if to.Scale != 1 && to.Scale != 2 && to.Scale != 4 && to.Scale != 8 {
		return nil, fmt.Errorf("decode at 1/%d: only 1, 2, 4 and 8 are possible", to.Scale)
	}
	d := &decoder{in: r, size: size}
	if err := d.start(lim); err != nil {
		return nil, err
	}
	d.prepare(to)
	err := d.rows()
	return d.picture(to), err
}

// Scaled is size pixels at 1/scale: a part of a pixel is one.
func Scaled(size, scale int) int { return (size + scale - 1) / scale }

// decoder is what is known of a frame on the way through it.
type decoder struct {
	in   io.ReaderAt
	size int64

	w, h         int
	across, down int // macroblocks
	modes        *bools
	tokens       []*bools
	segments     segments
	filter       filter
	quanta       [4]quantum
	probs        [4]coded
	skips        bool
	whole        bool // at 1/1
	skipProb     uint8

	above  []surroundings
	left   surroundings
	block  macroblock
	canvas canvas
	tops   tops
	edges  []edge   // how the macroblocks of a row are filtered
	sheets [3]sheet // brightness, blue and red
}

// tops is what is above the row, before the filter: that is what predictions are made of.
type tops struct{ bright, blue, red []byte }

// prepare allocates all there is to allocate, once the size is known to be within the limits.
func (d *decoder) prepare(to Size) {
	d.above, d.edges = make([]surroundings, d.across), make([]edge, d.across)
	d.tops = tops{make([]byte, 16*d.across+4), make([]byte, 8*d.across), make([]byte, 8*d.across)}
	for _, t := range [][]byte{d.tops.bright, d.tops.blue, d.tops.red} {
		for i := range t {
			t[i] = 127
		}
	}
	colour := max(to.Scale/2, 1)
	if to.Halved {
		colour = to.Scale
	}
	d.whole = to.Scale == 1
	d.filter.prepare(&d.segments, to.Scale)
	d.sheets[0] = newSheet(d.w, d.h, 16, to.Scale, d)
	for i := 1; i < 3; i++ {
		d.sheets[i] = newSheet((d.w+1)/2, (d.h+1)/2, 8, colour, d)
	}
}

// rows decodes all rows of macroblocks, or those before the damage.
func (d *decoder) rows() error {
	for y := range d.down {
		b := d.tokens[y%len(d.tokens)]
		d.row(b, y)
		err := d.modes.fault()
		if err == nil {
			err = b.fault()
		}
		if err != nil {
			for i := range d.sheets {
				d.sheets[i].blank(y, d.filter.on)
			}
			return err
		}
		d.filterRow(y)
		for i := range d.sheets {
			d.sheets[i].finish(y, y == d.down-1, d.filter.on)
		}
	}
	return nil
}

func (d *decoder) row(b *bools, y int) {
	d.left = surroundings{}
	for x := range d.across {
		above := &d.above[x]
		d.prelude(above)
		some := d.coefficients(b, above)
		d.frame(x, y)
		d.build(y > 0, x > 0)
		d.keep(x, y)
		d.edges[x] = d.filter.edge(&d.block, some)
	}
}

// frame puts on the canvas what is above the macroblock and to its left.
func (d *decoder) frame(x, y int) {
	c := &d.canvas
	for i := range 17 {
		v := uint8(129)
		if x > 0 {
			v = c.bright[i*pitch+23]
		}
		c.bright[i*pitch+7] = v
	}
	for i := range 9 {
		blue, reddish := uint8(129), uint8(129)
		if x > 0 {
			blue, reddish = c.colour[i*pitch+15], c.colour[i*pitch+31]
		}
		c.colour[i*pitch+7], c.colour[i*pitch+23] = blue, reddish
	}
	if y == 0 {
		c.bright[7], c.colour[7], c.colour[23] = 127, 127, 127
	}
	above := c.bright[8:28]
	copy(above, d.tops.bright[16*x:])
	if y > 0 && x == d.across-1 {
		put4(above[16:], uint64(above[15])*ones)
	}
	for i := 4; i < 16; i += 4 {
		put4(c.bright[i*pitch+24:], get4(above[16:]))
	}
	copy(c.colour[8:16], d.tops.blue[8*x:])
	copy(c.colour[24:32], d.tops.red[8*x:])
}

// keep takes the macroblock from the canvas to the sheets, and its last row to what will be above.
func (d *decoder) keep(x, y int) {
	c := &d.canvas
	d.sheets[0].take(c.bright[origin:], x, y)
	d.sheets[1].take(c.colour[origin:], x, y)
	d.sheets[2].take(c.colour[origin+red:], x, y)
	const last = origin + 15*pitch
	copy(d.tops.bright[16*x:][:16], c.bright[last:])
	const colours = origin + 7*pitch
	copy(d.tops.blue[8*x:][:8], c.colour[colours:])
	copy(d.tops.red[8*x:][:8], c.colour[colours+red:])
}

func (d *decoder) picture(to Size) *image.YCbCr {
	ratio := image.YCbCrSubsampleRatio420
	if to.Scale > 1 && !to.Halved {
		ratio = image.YCbCrSubsampleRatio444
	}
	s := &d.sheets
	return &image.YCbCr{
		Y: s[0].out, Cb: s[1].out, Cr: s[2].out, YStride: s[0].pitch, CStride: s[1].pitch,
		SubsampleRatio: ratio, Rect: image.Rect(0, 0, Scaled(d.w, to.Scale), Scaled(d.h, to.Scale)),
	}
}
