package thumbnails

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"image"
	"io"
	"slices"
)

// An EPSI is an EPS whose picture of itself stands among its comments, as digits: the same on every system.

// epsiHead is how much of a file is looked through for it: it stands before the program's prologue.
const epsiHead = 256 << 10

var errEPSI = errors.New("epsi: no such preview")

// epsiPreview finds the preview; its measures are in its first line.
func epsiPreview(s *source) (measured, bool) {
	head := make([]byte, min(epsiHead, s.size))
	n, err := s.ReadAt(head, 0)
	at := bytes.Index(head[:n], []byte("%%BeginPreview:"))
	if err != nil && err != io.EOF || at < 0 {
		return measured{}, false
	}
	part := s.part(span{int64(at), s.size - int64(at)})
	return measured{format: format{label: "preview of the PostScript", mime: epsType, config: epsiConfig, decode: decodeEPSI}, src: part}, true
}

// epsiMeasures are what the first line says: bits of a pixel, and lines of text, which nobody needs.
func epsiMeasures(r *bufio.Reader) (w, h, bits int, err error) {
	line, err := r.ReadSlice('\n')
	if i := bytes.IndexByte(line, '\r'); i >= 0 {
		line = line[:i]
	}
	if err != nil && err != bufio.ErrBufferFull {
		return 0, 0, 0, unexpected(err)
	}
	if _, err := fmt.Sscanf(string(line[:min(len(line), 255)]), "%%%%BeginPreview: %d %d %d", &w, &h, &bits); err != nil {
		return 0, 0, 0, errEPSI
	}
	if w < 1 || h < 1 || w > maxRow || h > maxRow || !slices.Contains([]int{1, 2, 4, 8}, bits) {
		return 0, 0, 0, errEPSI
	}
	return w, h, bits, nil
}

func epsiConfig(r io.Reader) (image.Config, error) {
	w, h, _, err := epsiMeasures(bufio.NewReader(r))
	return image.Config{Width: w, Height: h}, err
}

// decodeEPSI reads lines of pixels from the top, each of whole bytes; nothing is white, and all bits are black. Only [fits] bounds what it allocates.
func decodeEPSI(r io.Reader) (image.Image, error) {
	in := bufio.NewReader(r)
	w, h, bits, err := epsiMeasures(in)
	if err != nil {
		return nil, err
	}
	l := layout{model: modelWhiteIsZero, bits: bits, samples: 1}
	digits := epsiDigits{in: in}
	img := image.NewGray(image.Rect(0, 0, w, h))
	row := make([]byte, l.rowBytes(w))
	for y := range h {
		if err := digits.read(row); err != nil {
			return nil, err
		}
		for x := range w {
			img.Pix[y*img.Stride+x] = 255 - l.byte(l.sample(row, x))
		}
	}
	return img, nil
}

// epsiDigits are bytes in two digits each, in lines that are comments.
type epsiDigits struct{ in *bufio.Reader }

func (d epsiDigits) read(p []byte) error {
	for i := range p {
		high, err := d.next()
		if err != nil {
			return err
		}
		low, err := d.next()
		if err != nil {
			return err
		}
		p[i] = high<<4 | low
	}
	return nil
}

// next is one digit. Two percent signs begin what comes behind the preview.
func (d epsiDigits) next() (byte, error) {
	for before := byte(0); ; {
		c, err := d.in.ReadByte()
		switch {
		case err != nil:
			return 0, unexpected(err)
		case c >= '0' && c <= '9':
			return c - '0', nil
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			return c | 0x20 - 'a' + 10, nil
		case c == '%' && before == '%':
			return 0, io.ErrUnexpectedEOF
		case c != '%' && c != ' ' && c != '\t' && c != '\r' && c != '\n':
			return 0, errEPSI
		}
		before = c
	}
}
