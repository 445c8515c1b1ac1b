package thumbnails

import (
	"fmt"
	"image"
	"image/draw"

	"hotfolderd/thumbnails/jpegscale"
)

// decoded is a picture at 1/scale of its size, where a part of a pixel is one.
type decoded struct {
	image.Image
	scale int
	size  image.Point // of the original
	inks  *colours    // what four inks come to; nil is the plain conversion
}

func unscaled(img image.Image) decoded {
	return decoded{Image: img, scale: 1, size: img.Bounds().Size()}
}

// decode decodes the picture for a largest rendition of size: of an animation the first frame, in its place on the
// whole canvas. A size that is not what the header says is an error.
func decode(m measured, size int) (decoded, error) {
	scale := 1
	if m.mime == "image/jpeg" {
		scale = scaleFor(m.width, m.height, size)
	}
	img, err := decodeAt(m.src, m, scale)
	if err != nil {
		return decoded{}, decodeFault(m.format, err, m.src.ended)
	}
	if b := img.Bounds(); b.Dx() != jpegscale.Scaled(m.width, scale) || b.Dy() != jpegscale.Scaled(m.height, scale) {
		return decoded{}, &Error{Kind: Corrupt, Reason: fmt.Sprintf("its header says %d x %d pixels, it has %d x %d", m.width, m.height, b.Dx(), b.Dy())}
	}
	d := decoded{Image: img, scale: scale, size: image.Pt(m.width, m.height)}
	if hasInks(img) && m.colours.fits(img, false) {
		d.inks = m.colours
	}
	return d, nil
}

func decodeAt(s *source, m measured, scale int) (image.Image, error) {
	switch {
	case m.mime == "image/jpeg":
		return decodeJPEG(s, m, scale)
	case m.webp.frame != nil:
		return decodeFrame(s, m)
	}
	img, err := m.decode(m.stream(s))
	if err == nil && m.mime == "image/gif" {
		at := img.Bounds().Min
		img = onCanvas(img, at.X, at.Y, m.width, m.height)
	}
	return img, err
}

// decodeJPEG refuses what is damaged, though there may be a part of the picture: half a photograph looks like a whole
// one that somebody cut. Its decoder knows itself whether the file ends early.
func decodeJPEG(s *source, m measured, scale int) (image.Image, error) {
	img, err := jpegscale.Decode(s.section(), scale, jpegscale.Limits{Pixels: int64(m.width) * int64(m.height)})
	if err != nil {
		return nil, err
	}
	return img, nil
}

// scaleFor is the largest scale that leaves twice the size of the rendition or more.
func scaleFor(width, height, size int) int {
	w, h := fitInside(width, height, size)
	scale := 8
	for scale > 1 && (width < 2*w*scale || height < 2*h*scale) {
		scale /= 2
	}
	return scale
}

// onCanvas puts a frame in its place on a transparent canvas of w x h.
func onCanvas(frame image.Image, x, y, w, h int) image.Image {
	b := frame.Bounds()
	if b.Dx() == w && b.Dy() == h {
		return frame
	}
	canvas := image.NewNRGBA(image.Rect(0, 0, w, h))
	dst := image.Rect(x, y, x+b.Dx(), y+b.Dy())
	draw.Draw(canvas, dst, frame, b.Min, draw.Src)
	return canvas
}
