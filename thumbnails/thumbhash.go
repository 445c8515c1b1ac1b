package thumbnails

import (
	"image"
	"math"
)

// hashSide is the longer side of what a ThumbHash is made of. It keeps up to seven waves on an axis, so more shows nothing.
const hashSide = 32

// thumbHash is a picture in about 25 bytes, in Evan Wallace's format of that name: a page shows the blur that it comes to
// while the picture itself is on its way. It changes nothing of img.
func thumbHash(img image.Image) []byte {
	w, h := fitInside(img.Bounds().Dx(), img.Bounds().Dy(), hashSide)
	small := reduce(unscaled(img), w, h)
	p, transparent := newWaves(small)
	most := 7.0
	if transparent {
		most = 5
	}
	long := float64(max(w, h))
	lx, ly := max(1, int(math.Round(most*float64(w)/long))), max(1, int(math.Round(most*float64(h)/long)))
	l := p.channel(p.light, max(3, lx), max(3, ly))
	bluish, reddish := p.channel(p.yellowBlue, 3, 3), p.channel(p.redGreen, 3, 3)

	wide, shorter := uint32(0), lx
	if w > h {
		wide, shorter = 1, ly
	}
	head := step(63, l.mean) | step(31.5, 1+bluish.mean)<<6 | step(31.5, 1+reddish.mean)<<12 | step(31, l.scale)<<18
	sides := uint32(shorter) | step(63, bluish.scale)<<3 | step(63, reddish.scale)<<9 | wide<<15
	channels := []channel{l, bluish, reddish}
	if transparent {
		head |= 1 << 23
	}
	out := []byte{byte(head), byte(head >> 8), byte(head >> 16), byte(sides), byte(sides >> 8)}
	if transparent {
		a := p.channel(p.alpha, 5, 5)
		out = append(out, byte(step(15, a.mean)|step(15, a.scale)<<4))
		channels = append(channels, a)
	}
	return append(out, nibbles(channels)...)
}

func step(most, v float64) uint32 { return uint32(math.Round(most * v)) }

// nibbles packs the waves of all channels, two in a byte, the lower half first.
func nibbles(channels []channel) (out []byte) {
	n := 0
	for _, c := range channels {
		for _, v := range c.waves {
			if n%2 == 0 {
				out = append(out, byte(step(15, v)))
			} else {
				out[n/2] |= byte(step(15, v)) << 4
			}
			n++
		}
	}
	return out
}

// waves is a picture in four channels; what is transparent has the mean colour.
type waves struct {
	w, h                               int
	light, yellowBlue, redGreen, alpha []float64
}

func newWaves(img *image.NRGBA) (p waves, transparent bool) {
	tx, ty := timesTo8(img.Rect.Dx()), timesTo8(img.Rect.Dy())
	p = waves{w: img.Rect.Dx() * tx, h: img.Rect.Dy() * ty}
	var mean [3]float64
	opaque := 0.0
	for i := 0; i < len(img.Pix); i += 4 {
		a := float64(img.Pix[i+3]) / 255
		for c := range mean {
			mean[c] += float64(a / 255 * float64(img.Pix[i+c]))
		}
		opaque += a
	}
	for c := range mean {
		mean[c] /= max(opaque, 1e-9)
	}
	for n := range p.w * p.h {
		i := n/p.w/ty*img.Stride + n%p.w/tx*4
		a := float64(img.Pix[i+3]) / 255
		var v [3]float64
		for c := range v {
			v[c] = float64(mean[c]*(1-a)) + float64(a/255*float64(img.Pix[i+c]))
		}
		p.light = append(p.light, (v[0]+v[1]+v[2])/3)
		p.yellowBlue = append(p.yellowBlue, (v[0]+v[1])/2-v[2])
		p.redGreen = append(p.redGreen, v[0]-v[1])
		p.alpha = append(p.alpha, a)
	}
	return p, opaque < float64(img.Rect.Dx()*img.Rect.Dy())
}

// timesTo8 is how often a pixel is repeated on a short axis: fewer than eight cannot tell the waves apart.
func timesTo8(pixels int) int { return (pixels + 7) / pixels }

// channel is the mean of a channel, its waves from 0 to 1, and how high the highest is.
type channel struct {
	mean, scale float64
	waves       []float64
}

// channel is a cosine transform of the lowest nx by ny waves, those of a triangle.
func (p waves) channel(values []float64, nx, ny int) (c channel) {
	across := make([]float64, p.w)
	for cy := range ny {
		for cx := 0; cx*ny < nx*(ny-cy); cx++ {
			for x := range across {
				across[x] = math.Cos(math.Pi / float64(p.w) * float64(cx) * (float64(x) + 0.5))
			}
			f := 0.0
			for y := range p.h {
				down := math.Cos(math.Pi / float64(p.h) * float64(cy) * (float64(y) + 0.5))
				for x, wave := range across {
					f += float64(values[y*p.w+x] * wave * down)
				}
			}
			f /= float64(p.w * p.h)
			if cx == 0 && cy == 0 {
				c.mean = f
				continue
			}
			c.waves, c.scale = append(c.waves, f), max(c.scale, math.Abs(f))
		}
	}
	for i := range c.waves {
		c.waves[i] = 0.5 + 0.5*c.waves[i]/max(c.scale, 1e-9)
	}
	return c
}
