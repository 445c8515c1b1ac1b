package vp8

import "encoding/binary"

// canvas is a macroblock with what is above it and to the left: brightness from [origin] on, and the two colours side by side. The
// column before each has what is to the left of it, the row above them what is above, and brightness has four more values there, to
// the right.
type canvas struct {
	bright [17 * pitch]uint8
	colour [9 * pitch]uint8
}

const (
	pitch  = 32
	origin = pitch + 8
	red    = 16 // of origin, in colour
)

func put8(p []byte, v uint64) { binary.LittleEndian.PutUint64(p, v) }
func get8(p []byte) uint64    { return binary.LittleEndian.Uint64(p) }
func put4(p []byte, v uint64) { binary.LittleEndian.PutUint32(p, uint32(v)) }
func get4(p []byte) uint64    { return uint64(binary.LittleEndian.Uint32(p)) }

// predict fills a square of side 8 or 16 whose first value is at p[at] (section 12.2). Where there is nothing above or to the left, flat
// is made without it.
func predict(p []byte, at, side int, m mode, above, left bool) {
	switch m {
	case flat:
		level(p, at, side, mean(p, at, side, above, left))
	case slope:
		sloped(p, at, side)
	case fromAbove:
		for x := 0; x < side; x += 8 {
			v := get8(p[at-pitch+x:])
			for y := range side {
				put8(p[at+y*pitch+x:], v)
			}
		}
	default:
		for y := range side {
			row := p[at+y*pitch-1:][:1+side]
			v := uint64(row[0]) * ones
			for x := 0; x < side; x += 8 {
				put8(row[1+x:], v)
			}
		}
	}
}

func mean(p []byte, at, side int, above, left bool) uint64 {
	sum, n := 0, 0
	if above {
		for _, v := range p[at-pitch:][:side] {
			sum += int(v)
		}
		n += side
	}
	if left {
		for y := range side {
			sum += int(p[at+y*pitch-1])
		}
		n += side
	}
	if n == 0 {
		return 128
	}
	return uint64((sum + n/2) / n)
}

func level(p []byte, at, side int, v uint64) {
	v *= ones
	for y := range side {
		for x := 0; x < side; x += 8 {
			put8(p[at+y*pitch+x:], v)
		}
	}
}

// sloped continues what is above by how the column to the left goes on.
func sloped(p []byte, at, side int) {
	corner := int(p[at-pitch-1])
	for x := 0; x < side; x += 8 {
		top := get8(p[at-pitch+x:])
		for y := range side {
			put8(p[at+y*pitch+x:], moved(top, int(p[at+y*pitch-1])-corner))
		}
	}
}

// predictBlock fills a block of 4 x 4 whose first value is at p[at] (section 12.3).
func predictBlock(p []byte, at int, m mode) {
	p = p[at-pitch-1:][: 4*pitch+5 : 4*pitch+5]
	corner, top := uint64(p[0]), get8(p[1:])
	// The edge from the lower left to the corner and on to the right; what follows it is above.
	edge := uint64(p[4*pitch]) | uint64(p[3*pitch])<<8 | uint64(p[2*pitch])<<16 | uint64(p[pitch])<<24 | corner<<32 | top<<40
	var rows [4]uint64
	switch m {
	case flat:
		sum := uint64(4)
		for i := range 4 {
			sum += uint64(p[1+i]) + uint64(p[(1+i)*pitch])
		}
		v := sum >> 3 * ones
		rows = [4]uint64{v, v, v, v}
	case slope:
		for y := range rows {
			rows[y] = moved(top, int(p[(1+y)*pitch])-int(corner))
		}
	case fromAbove:
		x := corner | top<<8
		v := mean3(x, x>>8, x>>16)
		rows = [4]uint64{v, v, v, v}
	case fromLeft:
		x := edge<<8 | edge&255
		v := mean3(x, x>>8, x>>16)
		rows = [4]uint64{v >> 24 & 255 * ones, v >> 16 & 255 * ones, v >> 8 & 255 * ones, v & 255 * ones}
	case leftDown:
		last := top >> 56
		v := mean3(top, top>>8|last<<56, top>>16|last<<48|last<<56)
		rows = [4]uint64{v, v >> 8, v >> 16, v >> 24}
	case verticalLeft:
		two, three := mean2(top, top>>8), mean3(top, top>>8, top>>16)
		rows = [4]uint64{two, three, two>>8&0xffffff | three>>32&255<<24, three>>8&0xffffff | three>>40&255<<24}
	case horizontalUp:
		x := uint64(p[pitch]) | uint64(p[2*pitch])<<8 | uint64(p[3*pitch])<<16 | uint64(p[4*pitch])*0x010101<<24
		v := spread(mean2(x, x>>8)) | spread(mean3(x, x>>8, x>>16))<<8
		rows = [4]uint64{v, v >> 16, v >> 32, v >> 56 * ones}
	default:
		next := edge>>8 | top>>24<<56
		two, three := mean2(edge, next), mean3(edge, next, next>>8|top>>32<<56)
		rows = down(m, two, three)
	}
	for y, v := range rows {
		put4(p[1+(1+y)*pitch:], v)
	}
}

// down is the predictions along the whole edge, from its means of two and of three.
func down(m mode, two, three uint64) [4]uint64 {
	switch m {
	case rightDown:
		return [4]uint64{three >> 24, three >> 16, three >> 8, three}
	case verticalRight:
		even, odd := two>>32, three>>24
		return [4]uint64{even, odd, even<<8 | three>>16&255, odd<<8 | three>>8&255}
	}
	v := spread(two) | spread(three)<<8
	return [4]uint64{v>>48 | three>>32&0xffff<<16, v >> 32, v >> 16, v}
}
