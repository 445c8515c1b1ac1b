package thumbnails

import (
	"fmt"
	"image"
	"image/draw"

	"hotfolderd/thumbnails/jpegscale"
)

// decoded is a picture at eighths of its size, where a part of a pixel is one.
type decoded struct {
	image.Image
	eighths int
	size    image.Point // of the original
	inks    *colours    // what four inks come to; nil is the plain conversion
}

func unscaled(img image.Image) decoded {
	return decoded{Image: img, eighths: 8, size: img.Bounds().Size()}
}

// decode decodes the picture for a largest rendition of size: of an animation the first frame, in its place on the
// whole canvas. Halved is for renditions that have colours at half of that. A size that is not what the header says is an error.
func decode(m measured, size int, halved bool) (decoded, error) {
	at := jpegscale.Size{Eighths: 8, Halved: halved}
	switch m.mime {
	case "image/jpeg":
		at.Eighths = eighthsFor(m.width, m.height, size)
	case "image/webp":
		at.Eighths = 8 / m.webp.scale(m.width, m.height, size)
	}
	img, err := decodeAt(m.src, m, at)
	if err != nil {
		return decoded{}, decodeFault(m.format, err, m.src.ended)
	}
	if b := img.Bounds(); b.Dx() != jpegscale.Scaled(m.width, at.Eighths) || b.Dy() != jpegscale.Scaled(m.height, at.Eighths) {
		return decoded{}, &Error{Kind: Corrupt, Reason: fmt.Sprintf("its header says %d x %d pixels, it has %d x %d", m.width, m.height, b.Dx(), b.Dy())}
	}
	d := decoded{Image: img, eighths: at.Eighths, size: image.Pt(m.width, m.height)}
	if hasInks(img) && m.colours.fits(img, false) {
		d.inks = m.colours
	}
	return d, nil
}

func decodeAt(s *source, m measured, at jpegscale.Size) (image.Image, error) {
	switch {
	case m.mime == "image/jpeg":
		return decodeJPEG(s, m, at)
	case m.mime == "image/webp":
		return decodeWebPAt(s, m, at)
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
func decodeJPEG(s *source, m measured, at jpegscale.Size) (image.Image, error) {
	img, err := jpegscale.Decode(s.section(), at, jpegscale.Limits{Pixels: int64(m.width) * int64(m.height)})
	if err != nil {
		return nil, err
	}
	return img, nil
}

// eighthsFor are the fewest that leave twice the size of the rendition or more.
func eighthsFor(width, height, size int) int {
	w, h := fitInside(width, height, size)
	for _, eighths := range jpegscale.Eighths() {
		if width*eighths >= 2*8*w && height*eighths >= 2*8*h {
			return eighths
		}
	}
	return 8
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
