package thumbnails

import (
	"image"
	"math"

	"hotfolderd/thumbnails/jpegscale"
)

// The library's filter takes an image for as wide as its columns are many. What was decoded at a scale may end with a
// part of a column, and a whole one in its place moves everything by up to a pixel of the thumbnail. So here is the same
// filter for planes that end within a value, each at its own sampling.

// tap is which values make a pixel.
type tap struct {
	from    int
	weights []int32 // their sum is unit
}

const (
	unitBits = 14
	unit     = 1 << unitBits
)

// aim is what is made of one axis of a plane: pixels of a rendition, or, for colours that are halved, one value for two of them.
type aim struct {
	pixels  int
	halved  bool
	flipped bool // the last comes first
}

func (a aim) values() int {
	if a.halved {
		return (a.pixels + 1) / 2
	}
	return a.pixels
}

// middle of value i, in pixels.
func (a aim) middle(i int) float64 {
	at := float64(i) + 0.5
	if a.halved {
		at *= 2
	}
	if a.flipped {
		return float64(a.pixels) - at
	}
	return at
}

// taps are those of an axis that has size pixels in the original and so many values of them.
func (a aim) taps(size int, pace jpegscale.Pace, have int) []tap {
	step := float64(size*pace.Values) / float64(a.pixels*pace.Pixels)
	wide := max(step, 1)
	if a.halved {
		wide = max(2*step, 1)
	}
	all := make([]tap, a.values())
	for i := range all {
		middle := a.middle(i)*step - 0.5
		from, to := max(int(math.Ceil(middle-3*wide)), 0), min(int(math.Floor(middle+3*wide)), have-1)
		weights := make([]float64, to-from+1)
		sum := 0.0
		for j := range weights {
			weights[j] = lanczos3((float64(from+j) - middle) / wide)
			sum += weights[j]
		}
		all[i] = tap{from, inUnits(weights, sum)}.trimmed()
	}
	return all
}

// trimmed leaves out what counts nothing at the ends.
func (t tap) trimmed() tap {
	for t.weights[0] == 0 {
		t.from++
		t.weights = t.weights[1:]
	}
	for t.weights[len(t.weights)-1] == 0 {
		t.weights = t.weights[:len(t.weights)-1]
	}
	return t
}

// inUnits rounds so that the sum is kept: what is missing goes to the largest.
func inUnits(weights []float64, sum float64) []int32 {
	out := make([]int32, len(weights))
	left, largest := int32(unit), 0
	for i, w := range weights {
		out[i] = int32(math.Round(w / sum * unit))
		left -= out[i]
		if out[i] > out[largest] {
			largest = i
		}
	}
	out[largest] += left
	return out
}

func lanczos3(x float64) float64 {
	if x == 0 {
		return 1
	}
	if x <= -3 || x >= 3 {
		return 0
	}
	x *= math.Pi
	return 3 * math.Sin(x) * math.Sin(x/3) / (x * x)
}

// filtered is a plane of a picture that is size pixels in the original. It goes across four rows at a time, and then down as soon as there are enough
// of them: those stay near the processor.
func (p plane) filtered(size image.Point, x, y aim) []byte {
	across, down := wide(x.taps(size.X, p.x, p.have.X)), pairedDown(y.taps(size.Y, p.y, p.have.Y))
	w := len(across)
	in, ring := make([][2]int64, p.have.X), newRing(down, w)
	row := func(i int) []byte { return p.line(min(i, p.have.Y-1)) }
	out, sums := make([]byte, w*len(down)), make([]int64, w)
	made := 0
	for i := range down {
		at := i
		if y.flipped {
			at = len(down) - 1 - i
		}
		t := down[at]
		for ; made < t.from+len(t.weights); made += 2 {
			pairs(in, row(2*made), row(2*made+1), row(2*made+2), row(2*made+3))
			narrowed(ring.at(made), ring.at(made+1), in, across)
		}
		lowered(out[at*w:at*w+w], sums, ring, t)
	}
	return out
}

// ring keeps the last pairs of rows.
type ring [][]int64

func newRing(down []wideTap, w int) ring {
	most := 0
	for _, t := range down {
		most = max(most, len(t.weights))
	}
	r := make(ring, most+1)
	for i := range r {
		r[i] = make([]int64, w)
	}
	return r
}

func (r ring) at(i int) []int64 { return r[i%len(r)] }

// wideTap is a tap whose weights are as wide as what they are multiplied with: two values in one number, so that one multiplication does for both.
// The lower half of such a number borrows from the upper one when it is negative; with bias it never is.
type wideTap struct {
	from    int
	weights []int64
}

// bias is more than any sum of weights and values.
const bias = 1 << 30

func wide(all []tap) []wideTap {
	out := make([]wideTap, len(all))
	for i, t := range all {
		out[i] = wideTap{t.from, make([]int64, len(t.weights))}
		for j, w := range t.weights {
			out[i].weights[j] = int64(w)
		}
	}
	return out
}

// pairedDown is for pairs of rows: times a pair, the upper half of a weight is the sum of both rows, each by its own. From counts pairs.
func pairedDown(all []tap) []wideTap {
	out := make([]wideTap, len(all))
	for i, t := range all {
		first, last := t.from/2, (t.from+len(t.weights)-1)/2
		out[i] = wideTap{first, make([]int64, last-first+1)}
		for j, w := range t.weights {
			at := t.from + j
			if at%2 == 0 {
				out[i].weights[at/2-first] += int64(w) << 32
			} else {
				out[i].weights[at/2-first] += int64(w)
			}
		}
	}
	return out
}

// pairs puts the values of two rows each into the halves of one number.
func pairs(dst [][2]int64, a, b, c, d []byte) {
	a, b, c, d = a[:len(dst)], b[:len(dst)], c[:len(dst)], d[:len(dst)]
	for x := range dst {
		dst[x] = [2]int64{int64(a[x]) | int64(b[x])<<32, int64(c[x]) | int64(d[x])<<32}
	}
}

// narrowed is two pairs of rows across.
func narrowed(upper, lower []int64, in [][2]int64, across []wideTap) {
	upper, lower = upper[:len(across)], lower[:len(across)]
	for x := range across {
		t := &across[x]
		up, low := weighed(t.weights, in[t.from:])
		upper[x], lower[x] = inBytes(up), inBytes(low)
	}
}

// weighed is a function of its own so that its loop has all registers: that is a third of the time.
//
//go:noinline
func weighed(weights []int64, in [][2]int64) (up, low int64) {
	in = in[:len(weights)]
	up, low = bias+unit/2|unit/2<<32, bias+unit/2|unit/2<<32
	for i, w := range weights {
		up += w * in[i][0]
		low += w * in[i][1]
	}
	return up, low
}

// inBytes is both sums in units.
func inBytes(sums int64) int64 {
	return int64(inByte(int32(uint32(sums)-bias))) | int64(inByte(int32(sums>>32)))<<32
}

// lowered is one row of the pairs that make it.
func lowered(dst []byte, sums []int64, r ring, t wideTap) {
	for x := range sums {
		sums[x] = bias + unit/2<<32
	}
	i := 0
	for ; i+3 <= len(t.weights); i += 3 {
		addThree(sums, r.at(t.from+i), r.at(t.from+i+1), r.at(t.from+i+2), [3]int64(t.weights[i:]))
	}
	for ; i < len(t.weights); i++ {
		in, w := r.at(t.from + i)[:len(sums)], t.weights[i]
		for x := range sums {
			sums[x] += w * in[x]
		}
	}
	dst = dst[:len(sums)]
	for x, sum := range sums {
		dst[x] = inByte(int32(sum >> 32))
	}
}

// addThree is a function of its own as weighed is.
//
//go:noinline
func addThree(sums, a, b, c []int64, w [3]int64) {
	a, b, c = a[:len(sums)], b[:len(sums)], c[:len(sums)]
	wa, wb, wc := w[0], w[1], w[2]
	for x := range sums {
		sums[x] += wa*a[x] + wb*b[x] + wc*c[x]
	}
}

// inByte is a sum in units.
func inByte(sum int32) byte {
	v := sum >> unitBits
	if uint32(v) > 255 {
		v = ^(v >> 31)
	}
	return byte(v)
}
