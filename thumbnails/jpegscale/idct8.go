package jpegscale

// The root of 2 times the cosine of n/16 of half a turn; that of 4/16 is 1.
const (
	cos1 = 11363 // 1.387040
	cos2 = 10703 // 1.306563
	cos3 = 9633  // 1.175876
	cos5 = 6437  // 0.785695
	cos6 = 4433  // 0.541196
	cos7 = 2260  // 0.275899
)

// eight is one pass over eight points, times 1<<13.
func eight(f *[8]int32) {
	sum, diff := (f[0]+f[4])<<13, (f[0]-f[4])<<13
	wide := f[2]*cos2 + f[6]*cos6
	slim := f[2]*cos6 - f[6]*cos2
	e0, e1, e2, e3 := sum+wide, diff+slim, diff-slim, sum-wide
	o0 := f[1]*cos1 + f[3]*cos3 + f[5]*cos5 + f[7]*cos7
	o1 := f[1]*cos3 - f[3]*cos7 - f[5]*cos1 - f[7]*cos5
	o2 := f[1]*cos5 - f[3]*cos1 + f[5]*cos7 + f[7]*cos3
	o3 := f[1]*cos7 - f[3]*cos5 + f[5]*cos3 - f[7]*cos1
	f[0], f[1], f[2], f[3] = e0+o0, e1+o1, e2+o2, e3+o3
	f[4], f[5], f[6], f[7] = e3-o3, e2-o2, e1-o1, e0-o0
}

func columns8(f *[64]int32, cols int) {
	for x := range cols {
		x &= 7
		v := [8]int32{f[x], f[8+x], f[16+x], f[24+x], f[32+x], f[40+x], f[48+x], f[56+x]}
		eight(&v)
		for y := range v {
			f[8*y+x] = (v[y] + firstHalf) >> first
		}
	}
}

func rows8(dst []byte, stride int, f *[64]int32, rows int) {
	for y := range rows {
		v := (*[8]int32)(f[8*y:])
		eight(v)
		out := dst[y*stride : y*stride+8 : y*stride+8]
		for x := range v {
			out[x] = cut((v[x] + secondHalf) >> second)
		}
	}
}
