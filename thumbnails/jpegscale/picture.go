package jpegscale

import (
	"image"
	"image/color"
)

// ratio is the picture type's name for a sampling.
func ratio(x, y int) (image.YCbCrSubsampleRatio, bool) {
	r, ok := map[[2]int]image.YCbCrSubsampleRatio{
		{1, 1}: image.YCbCrSubsampleRatio444, {2, 1}: image.YCbCrSubsampleRatio422, {2, 2}: image.YCbCrSubsampleRatio420,
		{1, 2}: image.YCbCrSubsampleRatio440, {4, 1}: image.YCbCrSubsampleRatio411, {4, 2}: image.YCbCrSubsampleRatio410,
	}[[2]int{x, y}]
	return r, ok
}

// picture is the planes as an image.
func (d *decoder) picture() image.Image {
	rect := image.Rect(0, 0, Scaled(d.width, d.size.Eighths), Scaled(d.height, d.size.Eighths))
	switch {
	case len(d.comps) == 1:
		return &image.Gray{Pix: d.comps[0].pix, Stride: d.comps[0].stride, Rect: rect}
	case len(d.comps) == 4:
		return d.inks(rect)
	case d.halved:
		return d.planes(rect)
	case d.isRGB():
		return d.rgb(rect)
	}
	return d.ycbcr(rect)
}

func (d *decoder) ycbcr(rect image.Rectangle) *image.YCbCr {
	y, cb, cr := &d.comps[0], &d.comps[1], &d.comps[2]
	r, _ := ratio(y.h/cb.h, y.v/cb.v)
	return &image.YCbCr{Y: y.pix, Cb: cb.pix, Cr: cr.pix, YStride: y.stride, CStride: cb.stride, SubsampleRatio: r, Rect: rect}
}

// isRGB follows image/jpeg: JFIF is never RGB, Adobe says it, and some say it by the components' names.
func (d *decoder) isRGB() bool {
	switch {
	case d.jfif:
		return false
	case d.adobe && d.transform == 0:
		return true
	}
	return d.comps[0].id == 'R' && d.comps[1].id == 'G' && d.comps[2].id == 'B'
}

func (d *decoder) rgb(rect image.Rectangle) *image.RGBA {
	m := image.NewRGBA(rect)
	for i := range d.comps {
		d.spread(m.Pix, rect, i, 0)
	}
	for i := 3; i < len(m.Pix); i += 4 {
		m.Pix[i] = 255
	}
	return m
}

// inks is a picture of four inks. Adobe writes all of them inverted; so what it codes as YCbCr is the inks when read as
// colours. Without its marker they are as they are.
func (d *decoder) inks(rect image.Rectangle) *image.CMYK {
	m := image.NewCMYK(rect)
	inverted := byte(0)
	if d.adobe {
		inverted = 255
	}
	if d.adobe && d.transform != 0 {
		colours(m, d.ycbcr(rect))
		d.spread(m.Pix, rect, 3, inverted)
		return m
	}
	for i := range d.comps {
		d.spread(m.Pix, rect, i, inverted)
	}
	return m
}

func colours(m *image.CMYK, from *image.YCbCr) {
	for y := range m.Rect.Dy() {
		for x := range m.Rect.Dx() {
			yo, co := from.YOffset(x, y), from.COffset(x, y)
			p := m.Pix[y*m.Stride+4*x:]
			p[0], p[1], p[2] = color.YCbCrToRGB(from.Y[yo], from.Cb[co], from.Cr[co])
		}
	}
}

// spread writes a component into each fourth byte, xored with flip.
func (d *decoder) spread(pix []byte, rect image.Rectangle, at int, flip byte) {
	c := &d.comps[at]
	px, py := d.across/c.h, d.down/c.v
	for y := range rect.Dy() {
		row := c.pix[y/py*c.stride:]
		out := pix[y*rect.Dx()*4:]
		for x := range rect.Dx() {
			out[4*x+at] = row[x/px] ^ flip
		}
	}
}
