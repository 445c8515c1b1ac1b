package thumbnails

import (
	"bufio"
	"context"
	"errors"
	"io"
)

// headerBytes bounds what is read to measure an image and to find its orientation: large colour profiles and maker's
// notes may stand before the measures, endless ones may not.
const headerBytes = 64 << 20

var errHeaderTooLong = errors.New("no end of the header in sight")

// source is an image's bytes as the decoders read them. It stops when the context ends, and it remembers when the
// bytes themselves cannot be read, which is never the image's fault. It is used by one goroutine.
type source struct {
	r      io.ReaderAt
	size   int64
	stop   func() error
	budget int64 // bytes that may still be read; negative is no limit
	failed error
	ended  bool // a decoder wanted more than there is
}

func newSource(ctx context.Context, r io.ReaderAt, size int64) *source {
	return &source{r: r, size: size, budget: -1, stop: func() error { return context.Cause(ctx) }}
}

// ReadAt reads below size only.
func (s *source) ReadAt(p []byte, off int64) (int, error) {
	if err := s.stop(); err != nil {
		return 0, err
	}
	if off < 0 || off >= s.size {
		return 0, io.EOF
	}
	want := p[:min(int64(len(p)), s.size-off)]
	if s.budget >= 0 && int64(len(want)) > s.budget {
		return 0, errHeaderTooLong
	}
	n, err := s.r.ReadAt(want, off)
	if s.budget >= 0 {
		s.budget -= int64(n)
	}
	if err != nil && err != io.EOF && s.failed == nil {
		s.failed = err
	}
	if n == len(want) {
		err = nil
	}
	if err == nil && n < len(p) {
		err = io.EOF
	}
	return n, err
}

// section is the whole source as a stream.
func (s *source) section() *io.SectionReader { return io.NewSectionReader(s, 0, s.size) }

// part is a piece of the source as one of its own; it is read through the whole, which holds the limits and remembers what failed.
func (s *source) part(in span) *source {
	return &source{r: io.NewSectionReader(s, in.off, in.n), size: in.n, stop: s.stop, budget: -1}
}

// stream is a source as the decoders read it from front to back. Several of them report the end of the file as bad
// data; it notes the end itself.
type stream struct {
	*bufio.Reader
	s *source
}

// Read and ReadByte are what decoders call.
func (r *stream) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.s.ended = r.s.ended || n == 0 && err == io.EOF
	return n, err
}

func (r *stream) ReadByte() (byte, error) {
	b, err := r.Reader.ReadByte()
	r.s.ended = r.s.ended || err == io.EOF
	return b, err
}

// limited runs f with at most n bytes to read.
func (s *source) limited(n int64, f func() error) error {
	s.budget = n
	defer func() { s.budget = -1 }()
	return f()
}

// cause is the error that f's failure comes from: the context, the bytes, or f itself.
func (s *source) cause(ctx context.Context, lim Limits, err error) error {
	switch {
	case err == nil:
		return nil
	case context.Cause(ctx) == errTimeout:
		return timedOut(lim)
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case s.failed != nil:
		return &readError{s.failed}
	}
	return err
}

// readError is a source that could not be read.
type readError struct{ err error }

func (e *readError) Error() string { return "read the original: " + e.err.Error() }

func (e *readError) Unwrap() error { return e.err }
