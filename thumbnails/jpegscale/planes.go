package jpegscale

import (
	"image"
	"image/color"
)

// Planes is a picture of YCbCr whose colours have a sampling of their own: that of the file, or less.
type Planes struct {
	Rect image.Rectangle
	Of   [3]Plane // brightness, blue, red
}

// Plane is the values of one component. Those on the right and lower edge may stand for pixels of which the picture has a part only.
type Plane struct {
	Pix           []byte
	Stride        int
	Width, Height int
	X, Y          Pace
}

// Pace is how many values there are for how many pixels of the original.
type Pace struct{ Values, Pixels int }

// Bounds are those of the brightness.
func (p *Planes) Bounds() image.Rectangle { return p.Rect }

// ColorModel is that of YCbCr.
func (p *Planes) ColorModel() color.Model { return color.YCbCrModel }

// At takes the colours that are nearest.
func (p *Planes) At(x, y int) color.Color {
	value := func(c *Plane) uint8 {
		return c.Pix[nearest(y, c.Y, p.Of[0].Y, c.Height)*c.Stride+nearest(x, c.X, p.Of[0].X, c.Width)]
	}
	return color.YCbCr{Y: value(&p.Of[0]), Cb: value(&p.Of[1]), Cr: value(&p.Of[2])}
}

func nearest(i int, pace, bright Pace, n int) int {
	return min((2*i+1)*pace.Values*bright.Pixels/(2*pace.Pixels*bright.Values), n-1)
}

func (d *decoder) planes(rect image.Rectangle) *Planes {
	p := &Planes{Rect: rect}
	for i := range p.Of {
		c := &d.comps[i]
		x, y := Pace{c.cols * c.h, 8 * d.across}, Pace{c.rows * c.v, 8 * d.down}
		p.Of[i] = Plane{c.pix, c.stride, x.of(d.width), y.of(d.height), x, y}
	}
	return p
}

// of is the values for so many pixels.
func (p Pace) of(pixels int) int { return parts(pixels*p.Values, p.Pixels) }
