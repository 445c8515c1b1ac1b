package proof

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Verdict is how far the bytes of a file prove that it is whole.
type Verdict uint8

// The verdicts. Neither Unknown nor Incomplete is a reason to refuse a file: both only mean that something else, such as
// quiet, must settle it. A file that is broken for good stays Incomplete for good.
const (
	Unknown    Verdict = iota // the format cannot prove it, or the bytes leave a doubt
	Incomplete                // the format is known and its structure is not whole: the end is not there (yet)
	Complete                  // proven
)

// String is the verdict in lower case.
func (v Verdict) String() string {
	switch v {
	case Incomplete:
		return "incomplete"
	case Complete:
		return "complete"
	default:
		return "unknown"
	}
}

// Evidence is a verdict with its grounds.
type Evidence struct {
	Verdict Verdict
	Format  string // JPEG, PNG, GIF, WebP, TIFF, CR2, PDF, ZIP, OOXML, ODF, EPUB, MP4, MOV, HEIC or AVIF; empty when not known
	Reason  string // one clause for people: "JPEG ends with EOI at byte 123456"; never quotes the file's bytes
}

// Check looks at the size bytes of r. The error is that of r or of ctx; whatever the bytes are, they are no error. It may
// be called again at any time: the answer depends on the bytes alone. It does not look for holes, see the package doc.
func Check(ctx context.Context, r io.ReaderAt, size int64) (Evidence, error) {
	s := newSource(r, size)
	defer s.free()
	f, err := sniff(ctx, s)
	if err != nil || f.walk == nil {
		return Evidence{Reason: "its format is not one that can prove it"}, readError(err)
	}
	reason, err := f.walk(ctx, s)
	return judge(f.name, reason, err)
}

// judge turns the end of a walk into a verdict: a fault of the structure is Incomplete, a doubt is Unknown.
func judge(format, reason string, err error) (Evidence, error) {
	var broken fault
	var unsure doubt
	switch {
	case err == nil:
		return Evidence{Complete, format, format + " " + reason}, nil
	case errors.As(err, &broken):
		return Evidence{Incomplete, format, format + " " + string(broken)}, nil
	case errors.As(err, &unsure):
		return Evidence{Unknown, format, format + " " + string(unsure)}, nil
	}
	return Evidence{Format: format}, readError(err)
}

// readError keeps only what is an error of the reader or the context.
func readError(err error) error {
	var broken fault
	if err == nil || errors.As(err, &broken) {
		return nil
	}
	return fmt.Errorf("look for the end of the file: %w", err)
}

// fault is what is missing or wrong in the structure of a file.
type fault string

func (f fault) Error() string { return string(f) }

func faultf(format string, args ...any) error { return fault(fmt.Sprintf(format, args...)) }

// doubt is why a file with a whole structure may still not be whole.
type doubt string

func (d doubt) Error() string { return string(d) }

func doubtf(format string, args ...any) error { return doubt(fmt.Sprintf(format, args...)) }
