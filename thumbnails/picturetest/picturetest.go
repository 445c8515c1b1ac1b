// Package picturetest makes pictures for the tests of decoders, and says how far two are apart.
package picturetest

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Scene is a picture with smooth parts, edges and grain as a PPM of 8 bits, the same each time; grain is how strong that is in a row, in
// standard deviations.
func Scene(w, h int, grain func(y int) float64) []byte {
	r := rand.New(rand.NewPCG(7, uint64(w)))
	b := fmt.Appendf(nil, "P6\n%d %d\n255\n", w, h)
	for y := range h {
		for x := range w {
			fx, fy := float64(x), float64(y)
			edge := 0.0
			if (x/41+y/29)%3 == 0 {
				edge = 55
			}
			g := grain(y) * r.NormFloat64()
			b = append(b, value(120+70*math.Sin(fx/37)+edge+g), value(110+80*math.Cos(fy/23)+g), value(130+60*math.Sin((fx+fy)/61)-edge+g))
		}
	}
	return b
}

func value(v float64) byte { return byte(min(max(v, 0), 255)) }

// PSNR is the peak signal-to-noise ratio of values of 8 bits, in dB; 0 when there are more of one than of the other.
func PSNR(a, b []byte) float64 {
	if len(a) != len(b) {
		return 0
	}
	sum := 1e-9
	for i := range a {
		d := float64(a[i]) - float64(b[i])
		sum += d * d
	}
	return 10 * math.Log10(255*255*float64(len(a))/sum)
}
