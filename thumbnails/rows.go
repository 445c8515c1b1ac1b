package thumbnails

import (
	"image"
	"image/color"

	"hotfolderd/thumbnails/jpegscale"
)

// rowReader writes row y of an image, counted from its top, as 8-bit non-premultiplied RGBA.
type rowReader func(y int, dst []byte)

// rows reads the picture; inks become what their profile says.
func (d decoded) rows() rowReader {
	if m, ok := d.Image.(*image.CMYK); ok && d.inks != nil {
		return func(y int, dst []byte) { d.inks.inkRow(dst, m.Pix[y*m.Stride:]) }
	}
	if f, ok := d.Image.(*flowing); ok {
		return f.colours(d.inks)
	}
	return rowsOf(d.Image)
}

// rowsOnce is rows for who reads each row once, from the top.
func (d decoded) rowsOnce() rowReader {
	if f, ok := d.Image.(*flowing); ok && !f.inks {
		return func(_ int, dst []byte) { f.forward(dst) }
	}
	return d.rows()
}

// rowsOf reads any image row by row, in the calling goroutine, without ever holding a converted copy of all of it.
// Values of 16 bits are rounded to 8.
func rowsOf(img image.Image) rowReader {
	switch m := img.(type) {
	case *image.NRGBA:
		return func(y int, dst []byte) { copy(dst, m.Pix[y*m.Stride:]) }
	case *image.RGBA:
		return func(y int, dst []byte) { straighten(dst, m.Pix[y*m.Stride:]) }
	case *image.Gray:
		return func(y int, dst []byte) { grayRow(dst, m.Pix[y*m.Stride:]) }
	case *image.Paletted:
		return palettedRows(m)
	case *image.YCbCr:
		return ycbcrRows(m)
	case *image.NYCbCrA:
		return nycbcraRows(m)
	case *image.CMYK:
		return func(y int, dst []byte) { cmykRow(dst, m.Pix[y*m.Stride:]) }
	case *image.NRGBA64:
		return func(y int, dst []byte) { deepRow(dst, m.Pix[y*m.Stride:]) }
	}
	return anyRows(img)
}

// straighten divides by alpha. Some files have colours above their alpha; they are cut, not wrapped.
func straighten(dst, src []byte) {
	for i := 0; i+4 <= len(dst); i += 4 {
		s, d := src[i:i+4:i+4], dst[i:i+4:i+4]
		a := uint32(s[3])
		d[3] = s[3]
		switch a {
		case 255:
			d[0], d[1], d[2] = s[0], s[1], s[2]
		case 0:
			d[0], d[1], d[2] = 0, 0, 0
		default:
			for c := range 3 {
				d[c] = uint8(min((uint32(s[c])*255+a/2)/a, 255))
			}
		}
	}
}

func grayRow(dst, src []byte) {
	for x := range len(dst) / 4 {
		d := dst[4*x : 4*x+4 : 4*x+4]
		d[0], d[1], d[2], d[3] = src[x], src[x], src[x], 255
	}
}

// palettedRows knows indices beyond the palette: they are transparent.
func palettedRows(m *image.Paletted) rowReader {
	var table [256]color.NRGBA
	for i := range min(len(m.Palette), len(table)) {
		table[i] = color.NRGBAModel.Convert(m.Palette[i]).(color.NRGBA)
	}
	return func(y int, dst []byte) {
		src := m.Pix[y*m.Stride:]
		for x := range len(dst) / 4 {
			c, d := table[src[x]], dst[4*x:4*x+4:4*x+4]
			d[0], d[1], d[2], d[3] = c.R, c.G, c.B, c.A
		}
	}
}

func ycbcrRows(m *image.YCbCr) rowReader {
	at := m.Rect.Min
	return func(y int, dst []byte) {
		row := m.Y[m.YOffset(at.X, at.Y+y):]
		for x := range len(dst) / 4 {
			c := m.COffset(at.X+x, at.Y+y)
			putYCbCr(dst[4*x:4*x+4:4*x+4], row[x], m.Cb[c], m.Cr[c])
		}
	}
}

func nycbcraRows(m *image.NYCbCrA) rowReader {
	colours := ycbcrRows(&m.YCbCr)
	return func(y int, dst []byte) {
		colours(y, dst)
		alpha := m.A[m.AOffset(m.Rect.Min.X, m.Rect.Min.Y+y):]
		for x := range len(dst) / 4 {
			dst[4*x+3] = alpha[x]
		}
	}
}

// ycbcrRow is a row of three planes of one size.
func ycbcrRow(dst, y, cb, cr []byte) {
	cb, cr = cb[:len(y)], cr[:len(y)]
	for x := range y {
		putYCbCr(dst[4*x:4*x+4:4*x+4], y[x], cb[x], cr[x])
	}
}

// rgbRow is a row of three planes.
func rgbRow(dst, r, g, b []byte) {
	g, b = g[:len(r)], b[:len(r)]
	for x := range r {
		d := dst[4*x : 4*x+4 : 4*x+4]
		d[0], d[1], d[2], d[3] = r[x], g[x], b[x], 255
	}
}

// putYCbCr is JFIF's conversion with 16 bits of fraction.
func putYCbCr(d []byte, y, cb, cr uint8) {
	yy := int32(y)<<16 + 1<<15
	b, r := int32(cb)-128, int32(cr)-128
	d[0] = clamp16(yy + 91881*r)
	d[1] = clamp16(yy - 22554*b - 46802*r)
	d[2] = clamp16(yy + 116130*b)
	d[3] = 255
}

func clamp16(v int32) uint8 {
	if uint32(v)>>24 == 0 {
		return uint8(v >> 16)
	}
	return uint8(^(v >> 31))
}

// cmykRow is the plain conversion; without a profile there is no better one.
func cmykRow(dst, src []byte) {
	for i := 0; i+4 <= len(dst); i += 4 {
		s, d := src[i:i+4:i+4], dst[i:i+4:i+4]
		k := 255 - uint32(s[3])
		for c := range 3 {
			d[c] = uint8(((255-uint32(s[c]))*k + 127) / 255)
		}
		d[3] = 255
	}
}

func deepRow(dst, src []byte) {
	for i := range dst {
		dst[i] = narrow(uint32(src[2*i])<<8 | uint32(src[2*i+1]))
	}
}

// narrow rounds 16 bits to 8 so that 0x0101*n is n.
func narrow(v uint32) uint8 { return uint8((v*255 + 32895) >> 16) }

func anyRows(img image.Image) rowReader {
	at := img.Bounds().Min
	colour := func(x, y int) color.RGBA64 { return color.RGBA64Model.Convert(img.At(x, y)).(color.RGBA64) }
	if m, ok := img.(image.RGBA64Image); ok {
		colour = m.RGBA64At
	}
	return func(y int, dst []byte) {
		for x := range len(dst) / 4 {
			c := colour(at.X+x, at.Y+y)
			d := dst[4*x : 4*x+4 : 4*x+4]
			d[0], d[1], d[2], d[3] = straight(c.R, c.A), straight(c.G, c.A), straight(c.B, c.A), narrow(uint32(c.A))
		}
	}
}

func straight(c, a uint16) uint8 {
	if a == 0 {
		return 0
	}
	return narrow(min(uint32(c)*0xffff/uint32(a), 0xffff))
}

// opaqueRows reports whether an image of this type is read in opaque rows.
func opaqueRows(img image.Image) bool {
	switch m := img.(type) {
	case *image.Gray16, *image.CMYK:
		return true
	case *flowing:
		return m.opaque
	}
	return false
}

// opaqueType reports whether an image of this type cannot have transparency.
func opaqueType(img image.Image) bool {
	switch img.(type) {
	case *image.YCbCr, *image.Gray, *jpegscale.Planes:
		return true
	}
	return opaqueRows(img)
}
