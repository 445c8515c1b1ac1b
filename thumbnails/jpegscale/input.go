package jpegscale

import (
	"bytes"
	"image/jpeg"
	"io"
)

// input is a file as a row of segments, and of entropy-coded data between them.
type input struct {
	r    io.Reader
	buf  []byte
	data []byte // what of buf is still to be read
	back byte   // a marker that was given back
	err  error  // of r; then data is all there will be
}

func newInput(r io.Reader) *input { return &input{r: r, buf: make([]byte, 64<<10)} }

// emptyReads ends a reader that gives nothing again and again.
const emptyReads = 100

// more reads on, and reports whether there was anything.
func (in *input) more() bool {
	kept := copy(in.buf, in.data)
	in.data = in.buf[:kept]
	for tries := 0; in.err == nil && kept < len(in.buf); tries++ {
		n, err := in.r.Read(in.buf[kept:])
		in.data = in.buf[:kept+n]
		if in.err = err; n > 0 {
			return true
		}
		if err == nil && tries == emptyReads {
			in.err = io.ErrNoProgress
		}
	}
	return false
}

// ended is the error of who wanted more than there is.
func (in *input) ended() error {
	if in.err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return in.err
}

// peek has at least n bytes, as long as there are any; n is small.
func (in *input) peek(n int) bool {
	for len(in.data) < n {
		if !in.more() {
			return false
		}
	}
	return true
}

// marker goes to behind the next marker, over whatever lies before it.
func (in *input) marker() (byte, error) {
	if m := in.back; m != 0 {
		in.back = 0
		return m, nil
	}
	for {
		i := bytes.IndexByte(in.data, 0xff)
		if i < 0 {
			i = len(in.data)
		}
		in.data = in.data[i:]
		if !in.peek(2) {
			return 0, in.ended()
		}
		m := in.data[1]
		switch {
		case in.data[0] != 0xff:
			continue
		case m == 0xff:
			in.data = in.data[1:]
			continue
		}
		in.data = in.data[2:]
		if m != 0 {
			return m, nil
		}
	}
}

// unread gives the marker back that was just read.
func (in *input) unread(m byte) { in.back = m }

// payload reads a segment of at most limit bytes, and steps over what it has beyond. The bytes are valid until the
// next call.
func (in *input) payload(limit int) ([]byte, error) {
	if !in.peek(2) {
		return nil, in.ended()
	}
	n := int(in.data[0])<<8 | int(in.data[1])
	if n < 2 {
		return nil, jpeg.FormatError("short segment length")
	}
	in.data = in.data[2:]
	n -= 2
	p := make([]byte, min(n, limit))
	for at := 0; at < n; {
		if !in.peek(1) {
			return nil, in.ended()
		}
		step := min(n-at, len(in.data))
		if at < len(p) {
			copy(p[at:], in.data[:step])
		}
		at += step
		in.data = in.data[step:]
	}
	return p, nil
}

// entropy appends entropy-coded bytes to dst, without their stuffing, until dst is full or there is a marker: then open
// is false, and the marker is what comes next.
func (in *input) entropy(dst []byte) (_ []byte, open bool) {
	for len(dst) < cap(dst) {
		if len(in.data) == 0 && !in.more() {
			return dst, false
		}
		run := in.data[:min(len(in.data), cap(dst)-len(dst))]
		if i := bytes.IndexByte(run, 0xff); i >= 0 {
			run = run[:i]
		}
		dst = append(dst, run...)
		in.data = in.data[len(run):]
		if len(dst) == cap(dst) || len(in.data) == 0 {
			continue
		}
		if !in.peek(2) {
			in.data = nil
			return dst, false
		}
		switch in.data[1] {
		case 0:
			dst = append(dst, 0xff)
			in.data = in.data[2:]
		case 0xff:
			in.data = in.data[1:]
		default:
			return dst, false
		}
	}
	return dst, true
}
