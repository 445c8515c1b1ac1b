package jpegscale

// natural is the place, 8*row + column, of each coefficient in zigzag order.
var natural = [64]uint8{
	0, 1, 8, 16, 9, 2, 3, 10,
	17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34,
	27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36,
	29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46,
	53, 60, 61, 54, 47, 55, 62, 63,
}

// lastNeeded is the last coefficient in zigzag order whose row and column are below the side.
var lastNeeded = [9]int{1: 0, 2: 4, 4: 24, 8: 63}

// needed is the coefficients that blocks of this side are made of, as bits in zigzag order.
func needed(side int) uint64 {
	var set uint64
	for k, at := range natural {
		if int(at)>>3 < side && int(at)&7 < side {
			set |= 1 << k
		}
	}
	return set
}

// placesOf is the place, side*row + column, of each needed coefficient in zigzag order.
func placesOf(side int) (p [64]uint8) {
	for k, at := range natural {
		if row, column := int(at)>>3, int(at)&7; row < side && column < side {
			p[k] = uint8(row*side + column)
		}
	}
	return p
}
