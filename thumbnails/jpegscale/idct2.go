package jpegscale

func columns2(f *[64]int32, cols int) {
	for x := range cols {
		f[x], f[8+x] = (f[x]+f[8+x])<<2, (f[x]-f[8+x])<<2
	}
}

func rows2(dst []byte, stride int, f *[64]int32, rows int) {
	for y := range rows {
		in, out := f[8*y:8*y+2:8*y+2], dst[y*stride:y*stride+2:y*stride+2]
		out[0], out[1] = level((in[0]+in[1]+16)>>5), level((in[0]-in[1]+16)>>5)
	}
}
