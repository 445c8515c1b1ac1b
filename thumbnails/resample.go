package thumbnails

import "image"

// resampled is a picture of planes at w x h, of those as it is stored, and upright. Each plane goes there on its own way.
func (d decoded) resampled(planes []plane, w, h int, t turn) *image.NRGBA {
	dst := image.NewNRGBA(t.rect(w, h))
	var all [3][]byte
	for i, p := range planes {
		all[i] = d.toSize(p, w, h, t, false)
	}
	switch {
	case len(planes) == 1:
		grayRow(dst.Pix, all[0])
	case opaqueRows(d.Image):
		rgbRow(dst.Pix, all[0], all[1], all[2])
	default:
		ycbcrRow(dst.Pix, all[0], all[1], all[2])
	}
	return dst
}

// halved is resampled for who encodes YCbCr 4:2:0: its colours are never made as many as its brightness only to become fewer again.
func (d decoded) halved(planes []plane, w, h int, t turn) *image.YCbCr {
	r := t.rect(w, h)
	return &image.YCbCr{
		Y:  d.toSize(planes[0], w, h, t, false),
		Cb: d.toSize(planes[1], w, h, t, true), Cr: d.toSize(planes[2], w, h, t, true),
		YStride: r.Dx(), CStride: (r.Dx() + 1) / 2, SubsampleRatio: image.YCbCrSubsampleRatio420, Rect: r,
	}
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
