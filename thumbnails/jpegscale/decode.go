package jpegscale

import (
	"fmt"
	"image"
	"io"
)

// Decode decodes the JPEG that r begins with at 1/scale of its size; scale is 1, 2, 4 or 8. The picture is as large as
// [Scaled] says and of the type that image/jpeg would give: Gray, YCbCr, RGBA or CMYK.
//
// When the file is cut off or damaged there are both a picture, with what could be decoded, and an error:
// [io.ErrUnexpectedEOF], a [jpeg.FormatError], or what r failed with. Before the first scan there is no picture.
// What is valid and not known here is a [jpeg.UnsupportedError].
func Decode(r io.Reader, scale int, lim Limits) (image.Image, error) {
	if scale != 1 && scale != 2 && scale != 4 && scale != 8 {
		return nil, fmt.Errorf("decode at 1/%d: only 1, 2, 4 and 8 are possible", scale)
	}
	d := newDecoder(r, scale, lim)
	err := d.segments()
	if !d.started {
		return nil, err
	}
	if d.progressive {
		d.reconstruct()
	}
	if err == nil {
		err = d.damage
	}
	return d.picture(), err
}

// Scaled is size pixels at 1/scale: a part of a pixel is one.
func Scaled(size, scale int) int { return (size + scale - 1) / scale }

func newDecoder(r io.Reader, scale int, lim Limits) *decoder {
	return &decoder{in: newInput(r), lim: lim.orDefaults(), side: 8 / scale, need: needed(8 / scale), places: placesOf(8 / scale)}
}

// decoder is what is known of a file on the way through it.
type decoder struct {
	in     *input
	lim    Limits
	side   int       // of what a block of 8 x 8 becomes
	need   uint64    // coefficients, in zigzag order, that the picture is made of
	places [64]uint8 // where each of them is kept
	keeps  bool      // coefficients are kept, and nothing is made of them
	scans  int
	damage error // the first that did not end the decoding

	frame
	started bool // the planes are there
	restart int  // MCUs between restart markers; 0 is none
	quant   [4][64]int32
	tables  [2][4]huffman // of DC, of AC

	jfif, adobe bool
	transform   byte // of the Adobe marker
}

// note keeps the first damage.
func (d *decoder) note(err error) {
	if d.damage == nil {
		d.damage = err
	}
}

// complete reports whether all that the picture needs has been seen.
func (d *decoder) complete() bool {
	for i := range d.comps {
		if c := &d.comps[i]; c.done&d.need != d.need {
			return false
		}
	}
	return d.started
}
