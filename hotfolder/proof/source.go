package proof

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"sync"
)

const (
	page    = 4 << 10
	window  = 128 << 10 // of a file that is read from front to back
	glance  = 4 << 10   // of a file that is read by its headers
	maxRead = 64 << 20  // read by headers and samples at most, whatever the tables of the file say
)

// source reads the file through one window. Asked for bytes past the end it answers with a fault.
type source struct {
	r     io.ReaderAt
	size  int64
	buf   []byte // the window, at off
	off   int64
	room  *[window]byte // what buf lies in
	whole bool          // read everything from front to back and note the first zero page
	zero  int64         // offset of the first page that is all zero, -1 when none was met
	spent int64         // bytes read by headers
}

func newSource(r io.ReaderAt, size int64) *source {
	return &source{r: r, size: size, zero: -1}
}

// rooms are the windows of sources that are done: an import a millisecond would otherwise fill the heap with them.
var rooms = sync.Pool{New: func() any { return new([window]byte) }}

// free gives the window back; nothing that bytes returned is valid any more.
func (s *source) free() {
	if s.room != nil {
		rooms.Put(s.room)
		s.room, s.buf = nil, nil
	}
}

// readWhole makes the source pass over every byte, in order, from now on.
func (s *source) readWhole() { s.whole, s.buf, s.off = true, nil, 0 }

// readHeaders ends readWhole: what lies between two places that are asked for is not read.
func (s *source) readHeaders() { s.whole = false }

// bytes are the n bytes at off, valid until the next call. n is at most a page.
func (s *source) bytes(ctx context.Context, off int64, n int) ([]byte, error) {
	if off < 0 || off > s.size-int64(n) {
		return nil, faultf("ends at byte %d, before %d bytes that belong at byte %d", s.size, n, off)
	}
	if at := off - s.off; at >= 0 && at+int64(n) <= int64(len(s.buf)) {
		return s.buf[at : at+int64(n)], nil
	}
	if err := s.move(ctx, off); err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, nil
	}
	return s.buf[off-s.off:][:n], nil
}

// rest is what the window holds at off, at least one byte.
func (s *source) rest(ctx context.Context, off int64) ([]byte, error) {
	if _, err := s.bytes(ctx, off, 1); err != nil {
		return nil, err
	}
	return s.buf[off-s.off:], nil
}

// move puts the window where at least a page from off is in it, or all there is. A source that reads the whole file goes
// there window by window; windows begin at a page, and the last page stays in when the next begins.
func (s *source) move(ctx context.Context, off int64) error {
	if !s.whole {
		s.spent += glance
		if s.spent > maxRead {
			return doubt("has more tables than are worth reading")
		}
		return s.fill(ctx, off, 2*glance)
	}
	if off < s.off {
		return s.fill(ctx, off/page*page, window)
	}
	for {
		next := s.off
		if s.buf != nil {
			next += window - page
		}
		if err := s.fill(ctx, next, window); err != nil {
			return err
		}
		if end := s.off + int64(len(s.buf)); end == s.size || off+page <= end {
			return nil
		}
	}
}

func (s *source) fill(ctx context.Context, off int64, n int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.room == nil {
		s.room = rooms.Get().(*[window]byte)
	}
	n = int(min(int64(n), s.size-off))
	s.buf, s.off = s.room[:n], off
	if got, err := s.r.ReadAt(s.buf, off); got < len(s.buf) {
		s.buf = nil
		if err == nil || errors.Is(err, io.EOF) {
			return faultf("became shorter than %d bytes while it was read", s.size)
		}
		return err
	}
	if s.whole && s.zero < 0 {
		if i := zeroPage(s.buf); i >= 0 {
			s.zero = off + int64(i)
		}
	}
	return nil
}

func (s *source) u16(ctx context.Context, o binary.ByteOrder, off int64) (uint16, error) {
	b, err := s.bytes(ctx, off, 2)
	if err != nil {
		return 0, err
	}
	return o.Uint16(b), nil
}

func (s *source) u32(ctx context.Context, o binary.ByteOrder, off int64) (uint32, error) {
	b, err := s.bytes(ctx, off, 4)
	if err != nil {
		return 0, err
	}
	return o.Uint32(b), nil
}

func (s *source) u64(ctx context.Context, o binary.ByteOrder, off int64) (uint64, error) {
	b, err := s.bytes(ctx, off, 8)
	if err != nil {
		return 0, err
	}
	return o.Uint64(b), nil
}
