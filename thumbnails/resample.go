package thumbnails

import "image"

// resampled is a picture of planes at its size and upright: YCbCr 4:2:0 for who encodes it so, else NRGBA. Each plane goes there on its own
// way, and its colours are never made as many as its brightness only to become fewer again.
func (d decoded) resampled(planes []plane, w, h int, t turn, halved bool) image.Image {
	if len(planes) == 1 {
		dst := image.NewNRGBA(t.rect(w, h))
		grayRow(dst.Pix, d.toSize(planes[0], w, h, t, false))
		return dst
	}
	bright := d.toSize(planes[0], w, h, t, false)
	blue, red := d.toSize(planes[1], w, h, t, halved), d.toSize(planes[2], w, h, t, halved)
	if halved {
		r := t.rect(w, h)
		return &image.YCbCr{Y: bright, Cb: blue, Cr: red, YStride: r.Dx(), CStride: (r.Dx() + 1) / 2, SubsampleRatio: image.YCbCrSubsampleRatio420, Rect: r}
	}
	dst := image.NewNRGBA(t.rect(w, h))
	ycbcrRow(dst.Pix, bright, blue, red)
	return dst
}

// toSize averages to 1.75 times the size or more, where there is that much, and then filters. See [boxSide].
func (d decoded) toSize(p plane, w, h int, t turn, halved bool) []byte {
	x, y := aim{w, halved, t.flipX}, aim{h, halved, t.flipY}
	p = p.boxed(boxSide(p.have.X, x.values()), boxSide(p.have.Y, y.values()))
	out := p.filtered(d.size, x, y)
	if t.transposed {
		out = transposed(out, x.values())
	}
	return out
}

func transposed(pix []byte, w int) []byte {
	h := len(pix) / w
	out := make([]byte, len(pix))
	for y := range h {
		row := pix[y*w : y*w+w]
		for x, v := range row {
			out[x*h+y] = v
		}
	}
	return out
}
