package jpegscale

// inverse turns the low side x side coefficients of work into as many pixels. last is 0 when all but the first are 0.
// Work may be changed.
//
// All sides are the same transform: the orthonormal cosine transform of side points, each pass scaled by the root of
// side, so that the sum at the end is 8 times the pixel. Constants have 13 bits of fraction.
func inverse(dst []byte, stride, side int, work *[64]int32, last int) {
	switch {
	case side == 1:
		dst[0] = dot(work[0])
	case last == 0:
		flat(dst, stride, side, dot(work[0]))
	case side == 2:
		inverse2(dst, stride, work)
	case side == 4:
		inverse4(dst, stride, work)
	default:
		inverse8(dst, stride, work)
	}
}

// dot is the pixel that the mean of a block makes, rounded as djpeg does.
func dot(dc int32) byte { return level((dc + 4) >> 3) }

// level is a pixel from its distance to the middle.
func level(v int32) byte { return cut(v + grey) }

// cut is v in the range of a byte: a comparison that mostly says yes costs less than two.
func cut(v int32) byte {
	if uint32(v) > 255 {
		v = ^(v >> 31)
	}
	return byte(v)
}

func flat(dst []byte, stride, side int, v byte) {
	for y := range side {
		row := dst[y*stride : y*stride+side]
		for x := range row {
			row[x] = v
		}
	}
}
