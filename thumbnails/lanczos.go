package thumbnails

import (
	"image"
	"math"
)

// The library's filter takes an image for as wide as its columns are many. What was decoded at a scale may end with a
// part of a column, and a whole one in its place moves everything by up to a pixel of the thumbnail. So here is the same
// filter for planes that end within a value, each at its own sampling.

// tap is which values make a pixel.
type tap struct {
	from    int
	weights []int32 // their sum is unit
}

const unit = 1 << 14

// taps are those of n pixels that cover size pixels of the original, in a channel that has one value for every per of
// them, have in all.
func taps(n, size, per, have int) []tap {
	step := float64(size) / float64(n*per)
	wide := max(step, 1)
	all := make([]tap, n)
	for i := range all {
		middle := (float64(i)+0.5)*step - 0.5
		from, to := max(int(math.Ceil(middle-3*wide)), 0), min(int(math.Floor(middle+3*wide)), have-1)
		weights := make([]float64, to-from+1)
		sum := 0.0
		for j := range weights {
			weights[j] = lanczos3((float64(from+j) - middle) / wide)
			sum += weights[j]
		}
		all[i] = tap{from, inUnits(weights, sum)}
	}
	return all
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

// filtered is a plane of have.X by have.Y values brought to w x h.
func filtered(pix []byte, stride int, have image.Point, img decoded, px, py, w, h int) []byte {
	across, down := taps(w, img.size.X, px*img.scale, have.X), taps(h, img.size.Y, py*img.scale, have.Y)
	rows := make([]byte, w*have.Y)
	pairs := make([]int64, have.X)
	for y := 0; y < have.Y; y += 2 {
		next := min(y+1, have.Y-1)
		pair(pairs, pix[y*stride:], pix[next*stride:])
		narrowed(rows[y*w:y*w+w], rows[next*w:next*w+w], pairs, across)
	}
	out, sums := make([]byte, w*h), make([]int32, w)
	for y, t := range down {
		clear(sums)
		for i, weight := range t.weights {
			in := rows[(t.from+i)*w:][:len(sums)]
			for x, v := range in {
				sums[x] += weight * int32(v)
			}
		}
		for x, sum := range sums {
			out[y*w+x] = inByte(sum + unit/2)
		}
	}
	return out
}

// pair puts the values of two rows into the halves of one number each, so that one multiplication does for both.
func pair(dst []int64, top, bottom []byte) {
	top, bottom = top[:len(dst)], bottom[:len(dst)]
	for x := range dst {
		dst[x] = int64(top[x]) | int64(bottom[x])<<32
	}
}

// narrowed is two rows across. The lower half of a sum borrows from the upper one when it is negative.
func narrowed(top, bottom []byte, pairs []int64, across []tap) {
	for x := range across {
		t := &across[x]
		sum := int64(unit/2) | int64(unit/2)<<32
		cut := pairs[t.from:][:len(t.weights)]
		for i, weight := range t.weights {
			sum += int64(weight) * cut[i]
		}
		low := int32(sum)
		top[x], bottom[x] = inByte(low), inByte(int32((sum-int64(low))>>32))
	}
}

func inByte(sum int32) byte { return byte(min(max(sum/unit, 0), 255)) }

// straightTo brings a picture decoded at a scale to its size by the filter alone. It is not ok for what is not kept in
// planes, and for what averaging should bring nearer first.
func straightTo(img decoded, w, h int) (*image.NRGBA, bool) {
	nw, nh := shrunk(img.size.X, w, img.scale), shrunk(img.size.Y, h, img.scale)
	have := img.Bounds().Size()
	if img.scale == 1 || nw < have.X && nh < have.Y {
		return nil, false
	}
	switch m := img.Image.(type) {
	case *image.YCbCr:
		return coloursTo(m, img, w, h), true
	case *image.Gray:
		dst := image.NewNRGBA(image.Rect(0, 0, w, h))
		grayRow(dst.Pix, filtered(m.Pix, m.Stride, have, img, 1, 1, w, h))
		return dst, true
	}
	return nil, false
}

func coloursTo(m *image.YCbCr, img decoded, w, h int) *image.NRGBA {
	have := img.Bounds().Size()
	px, py := subsampling(m)
	fewer := image.Pt((have.X+px-1)/px, (have.Y+py-1)/py)
	bright := filtered(m.Y, m.YStride, have, img, 1, 1, w, h)
	blue, red := filtered(m.Cb, m.CStride, fewer, img, px, py, w, h), filtered(m.Cr, m.CStride, fewer, img, px, py, w, h)
	dst := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range bright {
		putYCbCr(dst.Pix[4*i:4*i+4:4*i+4], bright[i], blue[i], red[i])
	}
	return dst
}
