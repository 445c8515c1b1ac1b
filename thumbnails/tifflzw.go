package thumbnails

import (
	"encoding/binary"
	"errors"
	"io"
)

// lzwReader unpacks the LZW of TIFF: codes from high bits to low, which become wider one code early. It may be used again, and its
// table is the most of it.
type lzwReader struct {
	in   io.Reader
	buf  []byte
	pos  int
	end  error  // of in
	bits uint64 // the next is the highest; below n there may be more, the same as in buf
	n    int

	width   uint
	next    int // the code that is free
	last    int // the code before, or none
	strings [lzwCodes]lzwString

	out  []byte
	from int // of out, what was not taken yet
	to   int
	err  error
}

// lzwString is what a code stands for. Most have few values, which are in one number; longer ones are found by their prefixes.
type lzwString struct {
	head   uint64 // the first eight, the very first lowest
	length uint16
	prefix uint16
	tail   uint8 // the last
}

const (
	lzwCodes = 1 << 12
	lzwClear = 256
	lzwEnd   = 257
	lzwNone  = -1
	lzwPiece = 16 << 10 // of output
)

var errLZW = errors.New("lzw: a code that nothing stands for")

// reset begins with r. A reader that was not used yet gets its buffers.
func (l *lzwReader) reset(r io.Reader) {
	if l.buf == nil {
		l.buf, l.out = make([]byte, 0, 32<<10), make([]byte, lzwPiece+lzwCodes+8)
		for i := range lzwClear {
			l.strings[i] = lzwString{head: uint64(i), length: 1}
		}
	}
	l.in, l.buf, l.pos, l.end, l.bits, l.n = r, l.buf[:0], 0, nil, 0, 0
	l.from, l.to, l.err = 0, 0, nil
	l.forget()
}

func (l *lzwReader) forget() { l.width, l.next, l.last = 9, lzwEnd, lzwNone }

// Read implements io.Reader.
func (l *lzwReader) Read(p []byte) (int, error) {
	if l.from == l.to {
		if l.err != nil {
			return 0, l.err
		}
		l.from, l.to = 0, 0
		l.unpack()
	}
	n := copy(p, l.out[l.from:l.to])
	l.from += n
	return n, nil
}

// unpack fills out, or says what ended it.
func (l *lzwReader) unpack() {
	for l.to < lzwPiece {
		if l.n < int(l.width) {
			if l.fill(); l.n < int(l.width) {
				l.err = l.end
				return
			}
		}
		code := int(l.bits >> (64 - l.width) & (lzwCodes - 1))
		l.bits <<= l.width
		l.n -= int(l.width)
		switch {
		case code == lzwClear:
			l.forget()
			continue
		case code == lzwEnd:
			l.err = io.EOF
			return
		case code > l.next:
			l.err = errLZW
			return
		}
		if l.last != lzwNone {
			l.learn(code)
		}
		l.write(code)
		l.last = code
		if l.next++; l.next+1 < 1<<l.width {
			continue
		}
		if l.width == 12 { // nothing is learned until all is forgotten
			l.last = lzwNone
			l.next--
		} else {
			l.width++
		}
	}
}

// learn gives the free code what the code before stands for, and the first value of this one; which may be the free one.
func (l *lzwReader) learn(code int) {
	before := &l.strings[l.last&(lzwCodes-1)]
	begin := before
	if code != l.next {
		begin = &l.strings[code&(lzwCodes-1)]
	}
	s := lzwString{before.head, before.length + 1, uint16(l.last), uint8(begin.head)}
	if before.length < 8 {
		s.head |= begin.head & 255 << (8 * before.length)
	}
	l.strings[l.next&(lzwCodes-1)] = s
}

// write writes what a code stands for, the end of what is long from its last value on.
func (l *lzwReader) write(code int) {
	s := &l.strings[code&(lzwCodes-1)]
	end := l.to + int(s.length)
	for i := end; s.length > 8; {
		i--
		l.out[i] = s.tail
		s = &l.strings[s.prefix&(lzwCodes-1)]
	}
	binary.LittleEndian.PutUint64(l.out[l.to:], s.head)
	l.to = end
}

// fill makes n 57 or more, where there is that much.
func (l *lzwReader) fill() {
	for l.n <= 56 {
		if l.pos+8 <= len(l.buf) {
			l.bits |= binary.BigEndian.Uint64(l.buf[l.pos:]) >> l.n
			step := (64 - l.n) >> 3
			l.pos += step
			l.n += step << 3
			return
		}
		if l.pos == len(l.buf) && !l.more() {
			return
		}
		l.bits |= uint64(l.buf[l.pos]) << (56 - l.n)
		l.pos++
		l.n += 8
	}
}

// more brings the next piece of the input.
func (l *lzwReader) more() bool {
	for range 100 {
		if l.end != nil {
			break
		}
		var n int
		n, l.end = l.in.Read(l.buf[:cap(l.buf)])
		if l.buf, l.pos = l.buf[:n], 0; n > 0 {
			return true
		}
	}
	if l.end == nil || l.end == io.EOF {
		l.end = io.ErrUnexpectedEOF
	}
	return false
}
