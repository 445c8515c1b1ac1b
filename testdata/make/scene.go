package main

import (
	"image"
	"image/color"
)

// scene is something like a photo: a sky with a sun and clouds, two ridges of hills, a meadow with grain. It uses
// integers only, so that every machine makes the same picture.
func scene(w, h int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			// Positions in a picture of 4096 by 4096, so that the scene is the same at every size.
			m.SetRGBA(x, y, scenePixel(x*4096/w, y*4096/h, x, y))
		}
	}
	return m
}

func scenePixel(u, v, x, y int) color.RGBA {
	far := 2300 + hill(u, 900, 300) - 150
	near := 2750 + hill(u+777, 500, 350) - 175
	grain := int(hash(x, y)%17) - 8
	switch {
	case v < far:
		return sky(u, v, grain/2)
	case v < near:
		return shade(70+(v-far)/24, 96+(v-far)/20, 120, grain)
	}
	blades := noise(u*6, v*3, 64)/4 + noise(u, v, 256)/4
	return shade(48+blades/2, 80+blades, 32+blades/4, grain)
}

func sky(u, v, grain int) color.RGBA {
	du, dv := u-3000, v-900
	if d := du*du + dv*dv; d < 240*240 {
		return shade(255, 240, 190, 0)
	}
	cloud := max(0, (noise(u, v*2, 700)+noise(u, v*2, 230)/2+noise(u, v*2, 80)/4)/2-96)
	return shade(90+v/40+cloud, 140+v/48+cloud, 214+v/120+cloud/4, grain)
}

// hill is a smooth line between 0 and height.
func hill(u, scale, height int) int {
	return (noise(u, 0, scale)*3/4 + noise(u, 99, scale/4)/4) * height / 255
}

// noise is value noise between 0 and 255 with features of the given scale.
func noise(x, y, scale int) int {
	gx, gy := x/scale, y/scale
	fx, fy := smooth(x%scale*256/scale), smooth(y%scale*256/scale)
	top := lerp(int(hash(gx, gy)&255), int(hash(gx+1, gy)&255), fx)
	low := lerp(int(hash(gx, gy+1)&255), int(hash(gx+1, gy+1)&255), fx)
	return lerp(top, low, fy)
}

func smooth(f int) int { return f * f * (768 - 2*f) / 65536 }

func lerp(a, b, f int) int { return a + (b-a)*f/256 }

func hash(x, y int) uint32 {
	h := uint32(x)*0x9e3779b1 ^ uint32(y)*0x85ebca77
	h ^= h >> 15
	h *= 0x2c1b3c6d
	h ^= h >> 12
	h *= 0x297a2d39
	return h ^ h>>15
}

func shade(r, g, b, grain int) color.RGBA {
	return color.RGBA{clamp(r + grain), clamp(g + grain), clamp(b + grain), 255}
}

func clamp(v int) uint8 { return uint8(max(0, min(255, v))) }

// quadrants is a picture whose up and left cannot be mistaken: red top left, green top right, blue bottom left, white
// bottom right, darker to the right and to the bottom within each, with a black arrow that points up in the middle.
func quadrants(w, h int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			v := uint8(255 - x%(w/2)*48/(w/2) - y%(h/2)*48/(h/2))
			c := color.RGBA{A: 255}
			right, bottom := x >= w/2, y >= h/2
			if !right && !bottom || right && bottom {
				c.R = v
			}
			if right {
				c.G = v
			}
			if bottom {
				c.B = v
			}
			if arrow(x-w/2, y-h/2, h/6) {
				c = color.RGBA{A: 255}
			}
			m.SetRGBA(x, y, c)
		}
	}
	return m
}

func arrow(x, y, size int) bool {
	head := y >= -size && y < 0 && max(x, -x) <= y+size
	stem := y >= 0 && y < size && max(x, -x) <= size/3
	return head || stem
}

// translucent is a scene that fades out to the left. Its last pixel is opaque.
func translucent(w, h int) *image.NRGBA {
	m, s := image.NewNRGBA(image.Rect(0, 0, w, h)), scene(w, h)
	for y := range h {
		for x := range w {
			c := s.RGBAAt(x, y)
			m.SetNRGBA(x, y, color.NRGBA{c.R, c.G, c.B, uint8(x * 255 / (w - 1))})
		}
	}
	return m
}

// deep is a slow gradient that 8 bits cannot hold.
func deep(w, h int) *image.RGBA64 {
	m := image.NewRGBA64(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetRGBA64(x, y, color.RGBA64{uint16(x * 65535 / w), uint16(y * 65535 / h), uint16((x + y) * 65535 / (w + h)), 65535})
		}
	}
	return m
}

// indexed is a scene in 64 colors.
func indexed(w, h int) *image.Paletted {
	var p color.Palette
	for i := range 64 {
		p = append(p, color.RGBA{uint8(i >> 4 * 85), uint8(i >> 2 & 3 * 85), uint8(i & 3 * 85), 255})
	}
	m, s := image.NewPaletted(image.Rect(0, 0, w, h), p), scene(w, h)
	for y := range h {
		for x := range w {
			m.Set(x, y, s.RGBAAt(x, y))
		}
	}
	return m
}
