package jpegscale

// The root of 2 times the cosine of 1/8 and 3/8 of a right angle's double.
const (
	cos1of8 = 10703 // 1.306563
	cos3of8 = 4433  // 0.541196
)

// four is one pass over four points, times 1<<13.
func four(f0, f1, f2, f3 int32) (x0, x1, x2, x3 int32) {
	even0, even1 := (f0+f2)<<13, (f0-f2)<<13
	odd0 := f1*cos1of8 + f3*cos3of8
	odd1 := f1*cos3of8 - f3*cos1of8
	return even0 + odd0, even1 + odd1, even1 - odd1, even0 - odd0
}

func columns4(f *[64]int32, cols int) {
	for x := range cols {
		x &= 7
		if f[8+x]|f[16+x]|f[24+x] == 0 {
			v := f[x] << 2
			f[x], f[8+x], f[16+x], f[24+x] = v, v, v, v
			continue
		}
		a, b, c, d := four(f[x], f[8+x], f[16+x], f[24+x])
		f[x], f[8+x], f[16+x], f[24+x] = (a+firstHalf)>>first, (b+firstHalf)>>first, (c+firstHalf)>>first, (d+firstHalf)>>first
	}
}

func rows4(dst []byte, stride int, f *[64]int32, rows int) {
	for y := range rows {
		in, out := f[8*y:8*y+4:8*y+4], dst[y*stride:y*stride+4:y*stride+4]
		a, b, c, d := four(in[0], in[1], in[2], in[3])
		out[0], out[1] = cut((a+secondHalf)>>second), cut((b+secondHalf)>>second)
		out[2], out[3] = cut((c+secondHalf)>>second), cut((d+secondHalf)>>second)
	}
}
