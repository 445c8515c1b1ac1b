package vp8

import "math/bits"

// coded is the probabilities of one kind of blocks: for each place in zigzag order and each of three surroundings those of the
// token's tree. They are kept for each place, not for each band, and a power of two apart.
type coded [17][3][16]uint8

// factors are what the first coefficient of a block and the others are multiplied with.
type factors struct{ dc, ac int32 }

// block reads the coefficients of one block from place n on, and says where the last of them ends: n when there is none. Most of the time of a
// photograph goes by here: what was read last stays in variables of its own.
func (b *bools) block(probs *coded, around uint8, n int, by factors, out *[16]int16) int {
	r := b.reading
	if r.count < 8+7 {
		r = b.filled(r)
	}
	p, q, is := &probs[n][around], by.ac, false
	if n == 0 {
		q = by.dc
	}
	for {
		if r, is = r.bit(p[0]); !is {
			break // there are no more
		}
		if r.count < 15+15 {
			r = b.filled(r)
		}
		for {
			if r, is = r.bit(p[1]); is {
				break
			}
			if n++; n == 16 {
				b.reading = r
				return n
			}
			p, q = &probs[n][0], by.ac
			if r.count < 15+15 {
				r = b.filled(r)
			}
		}
		v, next := int32(1), 1
		if r, is = r.bit(p[2]); is {
			r, v = b.large(r, p)
			next = 2
			if r.count < 15+8 {
				r = b.filled(r)
			}
		}
		var negative int32
		r, negative = r.sign()
		out[zigzag[n&15]] = int16((v*q ^ negative) - negative)
		if n++; n == 16 {
			break
		}
		p, q = &probs[n][next], by.ac
	}
	b.reading = r
	return n
}

// sign takes a value that may as well be true as false: then it is -1. There is no branch that could be foretold.
func (r reading) sign() (reading, int32) {
	low := r.span >> 1
	at := uint64(low+1) << 56
	_, below := bits.Sub64(r.window, at, 0)
	is := below - 1
	r.window -= at & is
	r.span = low + (r.span-2*low-1)&uint32(is)
	n := norm[r.span&255]
	return reading{r.window << (n & 7), r.count - int(n), uint32(renewed[r.span&255])}, int32(is)
}

// large is a value of two or more.
func (b *bools) large(r reading, p *[16]uint8) (reading, int32) {
	if r.count < 4*7+8 {
		r = b.filled(r)
	}
	var is bool
	if r, is = r.bit(p[3]); !is {
		if r, is = r.bit(p[4]); !is {
			return r, 2
		}
		if r, is = r.bit(p[5]); !is {
			return r, 3
		}
		return r, 4
	}
	if r, is = r.bit(p[6]); !is {
		if r, is = r.bit(p[7]); !is {
			return b.behind(r, 5, ranges[0])
		}
		return b.behind(r, 7, ranges[1])
	}
	if r, is = r.bit(p[8]); !is {
		if r, is = r.bit(p[9]); !is {
			return b.behind(r, 11, ranges[2])
		}
		return b.behind(r, 19, ranges[3])
	}
	if r, is = r.bit(p[10]); !is {
		return b.behind(r, 35, ranges[4])
	}
	return b.behind(r, 67, ranges[5])
}

// behind adds to the least of a range the bits behind its token.
func (b *bools) behind(r reading, least int32, probs string) (reading, int32) {
	v, is := int32(0), false
	for i := range len(probs) {
		if r.count < 8+7 {
			r = b.filled(r)
		}
		v *= 2
		if r, is = r.bit(probs[i]); is {
			v++
		}
	}
	return r, least + v
}

// ranges are the probabilities of the bits behind the tokens for ranges (section 13.2).
var ranges = [6]string{
	"\x9f",
	"\xa5\x91",
	"\xad\x94\x8c",
	"\xb0\x9b\x8c\x87",
	"\xb4\x9d\x8d\x86\x82",
	"\xfe\xfe\xf3\xe6\xc4\xb1\x99\x8c\x85\x82\x81",
}

// zigzag is where in a block the coefficients are that come one after the other.
var zigzag = [16]uint8{0, 1, 4, 8, 5, 2, 3, 6, 9, 12, 13, 10, 7, 11, 14, 15}

// bands are which probabilities the place of a coefficient has.
var bands = [17]uint8{0, 1, 2, 3, 6, 4, 5, 6, 6, 6, 6, 6, 6, 6, 6, 7, 0}
