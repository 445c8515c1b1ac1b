package thumbnails

import (
	"encoding/binary"
	"image/color"
	"math"
)

// model is what the samples of a pixel mean.
type model uint8

const (
	modelGrey model = iota
	modelWhiteIsZero
	modelColours
	modelPalette
	modelInks
)

// channels is how many samples the model has beside alpha.
func (m model) channels() int {
	switch m {
	case modelColours:
		return 3
	case modelInks:
		return 4
	}
	return 1
}

// The kinds of alpha of a [layout].
const (
	alphaNone = iota
	alphaStraight
	alphaMultiplied // colours are multiplied by it
)

// layout says how the samples lie in a row: those of a pixel side by side, from high bits to low.
type layout struct {
	model   model
	bits    int // 1, 2, 4, 8, 16 or 32
	samples int // of each pixel; those behind the model's and alpha are not looked at
	alpha   int
	float   bool // 32 bits are a number from 0 to 1
	order   binary.ByteOrder
	palette *[256]color.NRGBA
	through []uint32 // of PNG: the samples of the one colour that cannot be seen
}

// rowBytes is how long a row of w pixels is.
func (l layout) rowBytes(w int) int64 { return (int64(w)*int64(l.samples)*int64(l.bits) + 7) / 8 }

// opaque reports whether no pixel can be transparent.
func (l layout) opaque() bool {
	if l.model == modelPalette {
		for _, c := range l.palette {
			if c.A != 255 {
				return false
			}
		}
	}
	return l.alpha == alphaNone && l.through == nil
}

// unpack turns a row into 4 bytes for each pixel: red, green, blue and straight alpha, or four inks.
func (l layout) unpack(dst, src []byte) {
	plain := l.bits == 8 && l.alpha != alphaMultiplied && l.through == nil
	switch {
	case plain && l.model == modelColours && l.samples == 3:
		opaquePixels(dst, src)
	case plain && l.samples == 4 && (l.model == modelInks || l.model == modelColours && l.alpha == alphaStraight):
		copy(dst, src)
	case plain && l.model == modelGrey && l.samples == 1:
		grayRow(dst, src)
	default:
		l.unpackAny(dst, src)
	}
}

// opaquePixels puts 255 behind each three bytes.
func opaquePixels(dst, src []byte) {
	for ; len(dst) >= 4 && len(src) >= 4; dst, src = dst[4:], src[3:] {
		binary.LittleEndian.PutUint32(dst, binary.LittleEndian.Uint32(src)|0xff<<24)
	}
	if len(dst) >= 4 {
		dst[0], dst[1], dst[2], dst[3] = src[0], src[1], src[2], 255
	}
}

func (l layout) unpackAny(dst, src []byte) {
	colours := l.model.channels()
	var raw [5]uint32
	for x := range len(dst) / 4 {
		for i := range min(colours+min(l.alpha, 1), l.samples) {
			raw[i] = l.sample(src, x*l.samples+i)
		}
		l.pixel(dst[4*x:4*x+4:4*x+4], &raw)
	}
}

// pixel writes one.
func (l layout) pixel(d []byte, raw *[5]uint32) {
	a := uint8(255)
	if l.alpha != alphaNone {
		a = l.byte(raw[l.model.channels()])
	}
	switch l.model {
	case modelPalette:
		c := l.palette[raw[0]&255]
		d[0], d[1], d[2], d[3] = c.R, c.G, c.B, c.A
		return
	case modelInks:
		d[0], d[1], d[2], d[3] = l.byte(raw[0]), l.byte(raw[1]), l.byte(raw[2]), l.byte(raw[3])
		return
	case modelColours:
		d[0], d[1], d[2], d[3] = l.byte(raw[0]), l.byte(raw[1]), l.byte(raw[2]), a
	default:
		v := l.byte(raw[0])
		if l.model == modelWhiteIsZero {
			v = 255 - v
		}
		d[0], d[1], d[2], d[3] = v, v, v, a
	}
	switch {
	case l.alpha == alphaMultiplied:
		straighten(d, d)
	case l.hidden(raw):
		d[0], d[1], d[2], d[3] = 0, 0, 0, 0
	}
}

func (l layout) hidden(raw *[5]uint32) bool {
	for i, v := range l.through {
		if raw[i] != v {
			return false
		}
	}
	return l.through != nil
}

// sample is the i-th of a row as it is written.
func (l layout) sample(row []byte, i int) uint32 {
	switch l.bits {
	case 8:
		return uint32(row[i])
	case 16:
		return uint32(l.order.Uint16(row[2*i:]))
	case 32:
		return l.order.Uint32(row[4*i:])
	}
	at := i * l.bits
	return uint32(row[at/8]) >> (8 - l.bits - at%8) & (1<<l.bits - 1)
}

// byte is a sample in 8 bits.
func (l layout) byte(v uint32) uint8 {
	switch l.bits {
	case 8:
		return uint8(v)
	case 16:
		return narrow(v)
	case 32:
		if l.float {
			return uint8(min(max(math.Float32frombits(v), 0), 1)*255 + 0.5)
		}
		return uint8(v >> 24)
	}
	return uint8(v * 255 / (1<<l.bits - 1))
}
