package jpegscale

func inverse2(dst []byte, stride int, f *[64]int32) {
	top, bottom := f[0]+f[8], f[0]-f[8]
	topDiff, bottomDiff := f[1]+f[9], f[1]-f[9]
	dst[0], dst[1] = dot(top+topDiff), dot(top-topDiff)
	dst[stride], dst[stride+1] = dot(bottom+bottomDiff), dot(bottom-bottomDiff)
}
