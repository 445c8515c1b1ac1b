package jpegscale

// The root of 2 times the cosine of a third and of two thirds of a right angle.
const (
	cos1of3 = 10033 // 1.224745
	cos2of3 = 5793  // 0.707107
)

// three is one pass over three points, times 1<<13.
func three(f0, f1, f2 int32) (x0, x1, x2 int32) {
	mean, slope, bend := f0<<13, f1*cos1of3, f2*cos2of3
	return mean + bend + slope, mean - 2*bend, mean + bend - slope
}

func columns3(f *[64]int32, cols int) {
	for x := range cols {
		x &= 7
		if f[8+x]|f[16+x] == 0 {
			v := f[x] << 2
			f[x], f[8+x], f[16+x] = v, v, v
			continue
		}
		a, b, c := three(f[x], f[8+x], f[16+x])
		f[x], f[8+x], f[16+x] = (a+firstHalf)>>first, (b+firstHalf)>>first, (c+firstHalf)>>first
	}
}

func rows3(dst []byte, stride int, f *[64]int32, rows int) {
	for y := range rows {
		in, out := f[8*y:8*y+3:8*y+3], dst[y*stride:y*stride+3:y*stride+3]
		a, b, c := three(in[0], in[1], in[2])
		out[0], out[1], out[2] = cut((a+secondHalf)>>second), cut((b+secondHalf)>>second), cut((c+secondHalf)>>second)
	}
}
