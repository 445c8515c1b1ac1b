package jpegscale

import (
	"fmt"
	"image/jpeg"
)

// Limits of one picture. A zero field is its default.
type Limits struct {
	Pixels int64 // width times height of the original
	Scans  int   // each may cost a walk over the whole picture, however few its bytes
}

// The defaults of [Limits]. Encoders write ten scans, and a hundred at most when they search for the best script.
const (
	DefaultPixels int64 = 100_000_000
	DefaultScans  int   = 200
)

func (l Limits) orDefaults() Limits {
	if l.Pixels <= 0 {
		l.Pixels = DefaultPixels
	}
	if l.Scans <= 0 {
		l.Scans = DefaultScans
	}
	return l
}

func (l Limits) size(w, h int) error {
	if w == 0 || h == 0 {
		return jpeg.FormatError(fmt.Sprintf("%d x %d pixels", w, h))
	}
	if int64(w)*int64(h) > l.Pixels {
		return jpeg.UnsupportedError(fmt.Sprintf("%d x %d pixels, at most %d", w, h, l.Pixels))
	}
	return nil
}

func (l Limits) scan(n int) error {
	if n > l.Scans {
		return jpeg.FormatError(fmt.Sprintf("more than %d scans", l.Scans))
	}
	return nil
}
