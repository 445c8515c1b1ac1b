package main

import (
	"image"
	"math"
)

// plane is one component of a picture, of the full size: no component is subsampled here.
type plane struct {
	w, h  int
	pix   []uint8
	color bool // quantized and coded with the tables for color
}

func luma(m *image.RGBA) []plane { return ycc(m)[:1] }

// ycc converts to the YCbCr of JFIF.
func ycc(m *image.RGBA) []plane {
	return planes(m, []bool{false, true, true}, func(r, g, b int) [4]int {
		y := (19595*r + 38470*g + 7471*b + 1<<15) >> 16
		return [4]int{y, 128 + (b-y)*36984>>16, 128 + (r-y)*46727>>16}
	})
}

// cmyk takes as much black out as there is. The numbers are inverted, as in every file with an Adobe marker.
func cmyk(m *image.RGBA) []plane {
	return planes(m, []bool{false, false, false, false}, func(r, g, b int) [4]int {
		white := max(r, g, b, 1)
		return [4]int{r * 255 / white, g * 255 / white, b * 255 / white, white}
	})
}

func planes(m *image.RGBA, color []bool, convert func(r, g, b int) [4]int) []plane {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	out := make([]plane, len(color))
	for i := range out {
		out[i] = plane{w, h, make([]uint8, w*h), color[i]}
	}
	for i := range w * h {
		v := convert(int(m.Pix[4*i]), int(m.Pix[4*i+1]), int(m.Pix[4*i+2]))
		for k := range out {
			out[k].pix[i] = clamp(v[k])
		}
	}
	return out
}

// block is the quantized coefficients of 8 by 8 pixels in zigzag order.
type block [64]int

// encodeJPEG writes baseline, or progressive by spectral selection, with the bits of DC in two scans. One component is
// gray, three are YCbCr, four are CMYK with the marker of Adobe.
func encodeJPEG(ps []plane, quality int, progressive bool) []byte {
	w := &jpegWriter{out: []byte{0xff, 0xd8}}
	if len(ps) == 4 {
		w.segment(0xee, []byte("Adobe\x00\x64\x00\x00\x00\x00\x00"))
	} else {
		w.segment(0xe0, []byte("JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"))
	}
	quant := [2][64]int{scaled(lumaQuant, quality), scaled(colorQuant, quality)}
	for i, q := range quant {
		w.segment(0xdb, quantSegment(i, q))
	}
	w.frame(ps, progressive)
	for i := range 2 {
		w.segment(0xc4, append(append([]byte{uint8(i)}, dcSpec[i].counts[:]...), dcSpec[i].values...))
		w.segment(0xc4, append(append([]byte{uint8(0x10 | i)}, acSpec[i].counts[:]...), acSpec[i].values...))
	}
	blocks := make([][]block, len(ps))
	for i, p := range ps {
		blocks[i] = p.blocks(quant[b2i(p.color)])
	}
	if !progressive {
		w.scan(ps, blocks, 0, 63, 0, 0)
	} else {
		w.scan(ps, blocks, 0, 0, 0, 1)
		for i := range ps {
			w.scan(ps[i:i+1], blocks[i:i+1], 1, 5, i, 0)
			w.scan(ps[i:i+1], blocks[i:i+1], 6, 63, i, 0)
		}
		w.refine(ps, blocks)
	}
	return append(w.out, 0xff, 0xd9)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// blocks transforms and quantizes a plane, row by row; the border is repeated.
func (p plane) blocks(quant [64]int) []block {
	var out []block
	for y := 0; y < p.h; y += 8 {
		for x := 0; x < p.w; x += 8 {
			var px [64]int
			for i := range px {
				px[i] = int(p.pix[min(y+i/8, p.h-1)*p.w+min(x+i%8, p.w-1)]) - 128
			}
			f, b := dct(px), block{}
			for k := range b {
				b[k] = divide(f[zigzag[k]], quant[k])
			}
			out = append(out, b)
		}
	}
	return out
}

func divide(v, q int) int {
	if v < 0 {
		return -((-v + q/2) / q)
	}
	return (v + q/2) / q
}

// cosines are the basis of the transform with 13 bits behind the point. Rounded, they do not depend on the machine.
var cosines = func() (c [64]int) {
	for u := range 8 {
		for x := range 8 {
			f := math.Cos(float64(2*x+1)*float64(u)*math.Pi/16) / 2
			if u == 0 {
				f = math.Sqrt(0.125)
			}
			c[8*u+x] = int(math.Round(f * 8192))
		}
	}
	return c
}()

// dct is the transform by its definition: rows, then columns.
func dct(px [64]int) (f [64]int) {
	var rows [64]int
	for y := range 8 {
		for u := range 8 {
			for x := range 8 {
				rows[8*y+u] += px[8*y+x] * cosines[8*u+x]
			}
		}
	}
	for v := range 8 {
		for u := range 8 {
			sum := 1 << 25
			for y := range 8 {
				sum += rows[8*y+u] * cosines[8*v+y]
			}
			f[8*v+u] = sum >> 26
		}
	}
	return f
}
