package jpegscale

import (
	"fmt"
	"image"
	"io"
	"slices"
)

// Size says how large a picture is decoded.
type Size struct {
	Eighths int // of its width and height: 1, 2, 3, 4 or 8
	// Halved is for who wants colours at half the size of the brightness: a file that has more of them is decoded to fewer, and a picture of
	// YCbCr is [Planes].
	Halved bool
}

// Eighths are those that a picture can be decoded at, from few to many. Passes of 5, 6 and 7 points would save a quarter of the whole at most.
func Eighths() []int { return []int{1, 2, 3, 4, 8} }

// Decode decodes the JPEG that r begins with. The picture is as large as [Scaled] says and of the type that image/jpeg would give: Gray, YCbCr,
// RGBA or CMYK.
//
// When the file is cut off or damaged there are both a picture, with what could be decoded, and an error:
// [io.ErrUnexpectedEOF], a [jpeg.FormatError], or what r failed with. Before the first scan there is no picture.
// What is valid and not known here is a [jpeg.UnsupportedError].
func Decode(r io.Reader, size Size, lim Limits) (image.Image, error) {
	if !slices.Contains(Eighths(), size.Eighths) {
		return nil, fmt.Errorf("decode at %d/8: only %v are possible", size.Eighths, Eighths())
	}
	d := newDecoder(r, size, lim)
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

// Scaled is pixels at eighths of their number: a part of a pixel is one.
func Scaled(pixels, eighths int) int { return parts(pixels*eighths, 8) }

// parts is how many parts of n are needed for all.
func parts(all, n int) int { return (all + n - 1) / n }

func newDecoder(r io.Reader, size Size, lim Limits) *decoder {
	return &decoder{in: newInput(r), lim: lim.orDefaults(), size: size}
}

// decoder is what is known of a file on the way through it.
type decoder struct {
	in     *input
	lim    Limits
	size   Size
	keeps  bool // coefficients are kept, and nothing is made of them
	scans  int
	damage error // the first that did not end the decoding

	frame
	started bool // the planes are there
	halved  bool // colours are decoded for half the size
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
		if c := &d.comps[i]; c.done&c.need != c.need {
			return false
		}
	}
	return d.started
}
