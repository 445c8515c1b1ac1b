package thumbnails

import (
	"errors"
	"fmt"
	"image/jpeg"
	"image/png"
	"io"
	"strings"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// Kind of an [Error].
type Kind uint8

// The kinds. The first three depend on nothing but the image and the limits; the others may be bad luck.
const (
	Unsupported Kind = iota + 1 // not an image, or a feature that no decoder here knows
	TooLarge                    // over a limit of pixels, bytes or memory
	Corrupt                     // damaged or cut off
	Timeout                     // over the limit of time
	Crashed                     // the process that rendered it died, twice
)

var kindWords = [...]string{"unknown", "unsupported", "too_large", "corrupt", "timeout", "crashed"}

// String is the kind as metrics and info.json have it.
func (k Kind) String() string {
	if int(k) >= len(kindWords) {
		k = 0
	}
	return kindWords[k]
}

// Error is what is wrong with an image. Every other error of an [Engine] is about something else.
type Error struct {
	Kind   Kind
	Reason string // a sentence for people, without the name of the file
	Err    error  // what the decoder or the system said, if anything
}

// Error is the reason and, in parentheses, the cause.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Reason
	}
	return e.Reason + " (" + e.Err.Error() + ")"
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

var errTimeout = errors.New("over the time limit")

func timedOut(lim Limits) *Error {
	return &Error{Kind: Timeout, Reason: fmt.Sprintf("rendering it takes longer than %s", lim.Timeout)}
}

// decodeFault says in words what a decoder's error means; ended is that it wanted more than there is.
func decodeFault(f format, err error, ended bool) *Error {
	var (
		uj jpeg.UnsupportedError
		up png.UnsupportedError
		ut tiff.UnsupportedError
	)
	switch {
	case errors.As(err, &uj), errors.As(err, &up), errors.As(err, &ut), errors.Is(err, bmp.ErrUnsupported), errors.Is(err, errPSDUnsupported):
		return &Error{Kind: Unsupported, Reason: fmt.Sprintf("this kind of %s cannot be rendered: %s", f.label, featureOf(err)), Err: err}
	case ended, errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return &Error{Kind: Corrupt, Reason: fmt.Sprintf("the %s is cut off: it ends before its picture does", f.label), Err: err}
	}
	return &Error{Kind: Corrupt, Reason: fmt.Sprintf("the %s is damaged and cannot be decoded", f.label), Err: err}
}

// featureOf drops the decoder's own prefix ("png: unsupported feature: ").
func featureOf(err error) string {
	text := err.Error()
	if _, rest, ok := strings.Cut(text, "feature: "); ok {
		return rest
	}
	return text
}
