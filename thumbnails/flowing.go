package thumbnails

import (
	"image"
	"image/color"
)

// flowing is a picture that is decoded while it is read, row by row from the top: in memory is no more of it than its decoder needs. A
// row may be read again before the next is.
type flowing struct {
	size   image.Point
	gray   bool
	inks   bool // rows have four inks in place of red, green, blue and alpha
	opaque bool
	next   func(dst []byte) error // decodes the next row, 4 bytes for each pixel
	last   int                    // number of the row in line, -1 before the first
	line   []byte
	err    error // what ended the decoding; rows behind it are empty
}

func newFlowing(w, h int, next func(dst []byte) error) *flowing {
	return &flowing{size: image.Pt(w, h), next: next, last: -1, line: make([]byte, 4*w)}
}

// row is a [rowReader].
func (f *flowing) row(y int, dst []byte) {
	for f.last < y {
		f.forward(f.line)
	}
	copy(dst, f.line)
}

// forward is the next row.
func (f *flowing) forward(dst []byte) {
	f.last++
	if f.err == nil {
		f.err = f.next(dst)
	}
	if f.err != nil {
		clear(dst)
	}
}

// colours are the rows in red, green, blue and alpha, whatever they have; inks says what four of them come to.
func (f *flowing) colours(inks *colours) rowReader {
	switch {
	case f.inks && inks != nil:
		return func(y int, dst []byte) { f.row(y, dst); inks.inkRow(dst, dst) }
	case f.inks:
		return func(y int, dst []byte) { f.row(y, dst); cmykRow(dst, dst) }
	}
	return f.row
}

// Bounds, ColorModel and At make it an image for those that only ask what it is; its pixels are in its rows.
func (f *flowing) Bounds() image.Rectangle { return image.Rectangle{Max: f.size} }

// ColorModel is that of the rows.
func (f *flowing) ColorModel() color.Model {
	if f.inks {
		return color.CMYKModel
	}
	return color.NRGBAModel
}

// At is nothing.
func (f *flowing) At(int, int) color.Color { return color.NRGBA{} }

// hasInks reports whether the pixels of img are four inks.
func hasInks(img image.Image) bool {
	switch m := img.(type) {
	case *image.CMYK:
		return true
	case *flowing:
		return m.inks
	}
	return false
}
