package thumbnails

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"

	"github.com/gen2brain/webp"

	"hotfolderd/thumbnails/jpegscale"
)

// webpEffort is the middle of libwebp's six; what more would save is not worth its time at these sizes.
const webpEffort = 4

// encoder writes the renditions of one original. What it writes depends on the pixels, the spec and what is kept alone.
type encoder struct {
	spec        Spec
	packet      []byte // of what is kept
	gray        bool
	transparent bool
}

func (e encoder) format() string {
	if e.spec.Format != Auto {
		return e.spec.Format
	}
	if e.transparent {
		return PNG
	}
	return JPEG
}

// halves reports whether renditions have colours at half their size, and come from YCbCr without a step between: JPEGs without a profile.
func (e encoder) halves(c *colours) bool { return e.format() == JPEG && (c == nil || c.channels != 3) }

// encode may change img, which is NRGBA, or for JPEG what is encoded as it is.
func (e encoder) encode(img image.Image, size int) (Rendition, error) {
	b := img.Bounds()
	r := Rendition{Size: size, Format: e.format(), Width: b.Dx(), Height: b.Dy()}
	var err error
	if m, ok := img.(*image.NRGBA); ok {
		r.Data, err = e.encodeNRGBA(m)
	} else {
		r.Data, err = e.encodeJPEG(img)
	}
	if err == nil {
		r.Data = withPacket(r, e.packet)
	}
	return r, err
}

func (e encoder) encodeNRGBA(img *image.NRGBA) ([]byte, error) {
	var b bytes.Buffer
	var err error
	switch e.format() {
	case JPEG:
		if e.transparent {
			flatten(img, e.spec.Background)
		}
		return e.encodeJPEG(e.opaque(img))
	case WebP:
		err = webp.Encode(&b, img, webp.Options{Quality: e.spec.Quality, Lossless: e.spec.Quality == 100, Method: webpEffort})
	default:
		err = png.Encode(&b, e.withAlpha(img))
	}
	return b.Bytes(), err
}

func (e encoder) encodeJPEG(img image.Image) ([]byte, error) {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: e.spec.Quality}); err != nil || !e.spec.Progressive {
		return b.Bytes(), err
	}
	return jpegscale.Progressive(b.Bytes(), jpegscale.Limits{})
}

// opaque gives the JPEG encoder a type that it has a fast path for. Without transparency the two layouts are the same.
func (e encoder) opaque(img *image.NRGBA) image.Image {
	if e.gray && !e.transparent {
		return toGray(img)
	}
	return &image.RGBA{Pix: img.Pix, Stride: img.Stride, Rect: img.Rect}
}

func (e encoder) withAlpha(img *image.NRGBA) image.Image {
	if e.gray && !e.transparent {
		return toGray(img)
	}
	return img
}

// flatten lays the image over the background.
func flatten(img *image.NRGBA, bg color.NRGBA) {
	under := [3]uint32{uint32(bg.R), uint32(bg.G), uint32(bg.B)}
	for i := 0; i+4 <= len(img.Pix); i += 4 {
		p := img.Pix[i : i+4 : i+4]
		a := uint32(p[3])
		if a == 255 {
			continue
		}
		for c := range under {
			p[c] = uint8((uint32(p[c])*a + under[c]*(255-a) + 127) / 255)
		}
		p[3] = 255
	}
}

func isGray(img image.Image) bool {
	switch m := img.(type) {
	case *image.Gray, *image.Gray16:
		return true
	case *flowing:
		return m.gray
	}
	return false
}

func toGray(img *image.NRGBA) *image.Gray {
	g := image.NewGray(img.Rect)
	for i := range g.Pix {
		g.Pix[i] = img.Pix[4*i]
	}
	return g
}
