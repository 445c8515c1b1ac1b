package thumbnails

import (
	"image"
	"image/draw"
)

// decode decodes the picture: of an animation the first frame, in its place on the whole canvas.
func decode(s *source, m measured) (image.Image, error) {
	if m.webp.frame != nil {
		return decodeFrame(s, m)
	}
	img, err := m.decode(m.stream(s))
	if err != nil {
		return nil, err
	}
	if m.mime == "image/gif" {
		at := img.Bounds().Min
		img = onCanvas(img, at.X, at.Y, m.width, m.height)
	}
	return img, nil
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
