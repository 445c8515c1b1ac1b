package vp8

// Eight values of 8 bits in one number, the first of them lowest, are worked on at once here.

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
	evens = 0x00ff00ff00ff00ff
)

// raised adds v, 0 to 255, to each; what is too large is 255.
func raised(x uint64, v uint64) uint64 {
	y := v * ones
	sum := (x&^highs + y&^highs) ^ (x^y)&highs
	over := (x&y | (x|y)&^sum) & highs
	return sum | (over<<1 - over>>7)
}

// moved adds v, -255 to 255, to each within 0 and 255.
func moved(x uint64, v int) uint64 {
	if v < 0 {
		return ^raised(^x, uint64(-v))
	}
	return raised(x, uint64(v))
}

// mean2 is (a+b+1)/2 of each.
func mean2(a, b uint64) uint64 { return (a | b) - (a^b)>>1&^highs }

// mean3 is (a+2b+c+2)/4 of each.
func mean3(a, b, c uint64) uint64 { return mean2(b, a&c+(a^c)>>1&^highs) }

// spread puts the lower four values into the even places.
func spread(x uint64) uint64 {
	x &= 0xffffffff
	x = (x | x<<16) & 0x0000ffff0000ffff
	return (x | x<<8) & evens
}
