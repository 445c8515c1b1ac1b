package thumbnails

import (
	"fmt"
	"image"
	"io"

	"github.com/bep/imagemeta"
	"github.com/disintegration/imaging"
)

// exifBytes bounds what is read to find the orientation.
const exifBytes = 4 << 20

// orientation finds the EXIF orientation, 1 (upright) when there is none or the metadata is broken: an image is not
// refused because of its metadata.
func orientation(s *source, m measured) (o int) {
	o = 1
	if m.mime == "image/tiff" {
		return tiffOrientation(s)
	}
	r, kind, ok := exifOf(s, m)
	if !ok {
		return o
	}
	defer func() {
		if recover() != nil {
			o = 1
		}
	}()
	_ = s.limited(exifBytes, func() error {
		_, err := imagemeta.Decode(imagemeta.Options{
			R: r, ImageFormat: kind, Sources: imagemeta.EXIF, LimitNumTags: 2000, LimitTagSize: 1 << 10,
			ShouldHandleTag: func(t imagemeta.TagInfo) bool { return t.Tag == "Orientation" && t.Namespace == "IFD0" },
			HandleTag: func(t imagemeta.TagInfo) error {
				o = orientationValue(t.Value)
				return imagemeta.ErrStopWalking
			},
		})
		return err
	})
	return o
}

// tiffOrientation stands in the picture's own directory.
func tiffOrientation(s *source) int {
	r, at, ok := newTIFFReader(s)
	if !ok {
		return 1
	}
	d, _, err := r.directory(at)
	if err != nil {
		return 1
	}
	o, _ := d.first(tagOrientation, 1)
	return orientationValue(o)
}

// exifOf is where the metadata library finds EXIF. In a WebP it is given the block alone.
func exifOf(s *source, m measured) (io.ReadSeeker, imagemeta.ImageFormat, bool) {
	switch m.mime {
	case "image/jpeg":
		return s.section(), imagemeta.JPEG, true
	case "image/png":
		return s.section(), imagemeta.PNG, true
	case "image/webp":
		return webpEXIF(s, m.webp.exif), imagemeta.TIFF, m.webp.exif.n > 0
	}
	return nil, 0, false
}

// webpEXIF skips the "Exif\0\0" that some writers put before the block although it belongs to JPEG only.
func webpEXIF(s *source, in span) io.ReadSeeker {
	var head [6]byte
	if n, _ := s.ReadAt(head[:], in.off); n == len(head) && string(head[:]) == "Exif\x00\x00" && in.n > 6 {
		in = span{in.off + 6, in.n - 6}
	}
	return io.NewSectionReader(s, in.off, in.n)
}

// orientationValue accepts any integer type, and nothing outside 1 to 8.
func orientationValue(v any) int {
	var o int
	if _, err := fmt.Sscan(fmt.Sprint(v), &o); err != nil || o < 1 || o > 8 {
		return 1
	}
	return o
}

// turn is what brings a picture upright: its axes are flipped first, and then change their places.
type turn struct{ flipX, flipY, transposed bool }

func turnOf(orientation int) turn {
	return [...]turn{
		2: {flipX: true},
		3: {flipX: true, flipY: true},
		4: {flipY: true},
		5: {transposed: true},
		6: {flipY: true, transposed: true},
		7: {flipX: true, flipY: true, transposed: true},
		8: {flipX: true, transposed: true},
	}[orientation]
}

// rect is of a picture that is stored as w x h.
func (t turn) rect(w, h int) image.Rectangle {
	if t.transposed {
		w, h = h, w
	}
	return image.Rect(0, 0, w, h)
}

// orient turns an image as stored upright.
func orient(img *image.NRGBA, orientation int) *image.NRGBA {
	switch orientation {
	case 2:
		return imaging.FlipH(img)
	case 3:
		return imaging.Rotate180(img)
	case 4:
		return imaging.FlipV(img)
	case 5:
		return imaging.Transpose(img)
	case 6:
		return imaging.Rotate270(img)
	case 7:
		return imaging.Transverse(img)
	case 8:
		return imaging.Rotate90(img)
	}
	return img
}
