package thumbnails

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"image"
	"image/gif"
	"io"
)

// gifWalk reads the blocks of a GIF up to its pixels, and remembers where it is.
type gifWalk struct {
	r   *bufio.Reader
	off int64
	err error
}

// take is the next n bytes; all zero once there are no more.
func (w *gifWalk) take(n int) []byte {
	b := make([]byte, n)
	if w.err == nil {
		_, w.err = io.ReadFull(w.r, b)
		w.off += int64(n)
	}
	if w.err != nil {
		clear(b)
	}
	return b
}

// blocks is the first of the sub-blocks; the others are passed over.
func (w *gifWalk) blocks() (first []byte) {
	for w.err == nil {
		n := int(w.take(1)[0])
		if n == 0 {
			break
		}
		if first == nil {
			first = w.take(n)
			continue
		}
		_, w.err = w.r.Discard(n)
		w.off += int64(n)
	}
	return first
}

// table passes over the colours that flags announce.
func (w *gifWalk) table(flags byte) []byte {
	if flags&0x80 == 0 {
		return nil
	}
	return w.take(3 << (1 + flags&7))
}

// gifScreen is the header and the colours of a GIF. The size in it is the largest that there is: frames that hang over the edge are shown
// by browsers, and refused by the library.
func gifScreen(w *gifWalk) []byte {
	head := w.take(13)
	copy(head[6:], "\xff\xff\xff\xff")
	return append(head, w.table(head[10])...)
}

// readGIFMovie ends at the first block that makes no sense, as the frames do then.
func readGIFMovie(m measured) movie {
	w := &gifWalk{r: bufio.NewReaderSize(m.src.section(), 64<<10)}
	screen := gifScreen(w)
	mov := movie{plays: 1}
	var control []byte
	for w.err == nil && len(mov.cels) <= maxCels {
		switch w.take(1)[0] {
		case '!':
			control = w.extension(control, &mov)
		case ',':
			if c, ok := w.frame(m.src, screen, control); ok {
				mov.cels = append(mov.cels, c)
			}
			control = nil
		default:
			w.err = io.EOF
		}
	}
	mov.hides = hidesGIF(mov.cels)
	return mov
}

// extension returns what is said of the frame that follows.
func (w *gifWalk) extension(control []byte, mov *movie) []byte {
	switch kind := w.take(1)[0]; kind {
	case 0xf9:
		if b := w.blocks(); len(b) == 4 && w.err == nil {
			return b
		}
		return nil
	case 0xff:
		// The name is the first sub-block, and what it says the second.
		n := int(w.take(1)[0])
		name := string(w.take(n))
		if b := w.blocks(); (name == "NETSCAPE2.0" || name == "ANIMEXTS1.0") && len(b) == 3 && b[0] == 1 {
			mov.plays = gifPlays(int(binary.LittleEndian.Uint16(b[1:])))
		}
	default:
		w.blocks()
	}
	return control
}

// gifPlays: what is written is how often it is repeated, and 0 is for ever.
func gifPlays(loops int) int {
	if loops == 0 {
		return 0
	}
	return loops + 1
}

// frame is not ok when there is nothing behind its header. One that is cut is: what decodes it says so.
func (w *gifWalk) frame(s *source, screen, control []byte) (cel, bool) {
	from := w.off - 1
	d := w.take(9)
	u16 := func(i int) int { return int(binary.LittleEndian.Uint16(d[i:])) }
	w.table(d[8])
	w.take(1)
	if w.err != nil {
		return cel{}, false
	}
	w.blocks()
	c := cel{at: image.Rect(u16(0), u16(2), u16(0)+u16(4), u16(2)+u16(6)), ms: 100}
	head := bytes.Clone(screen)
	if control != nil {
		c.ms = shownFor(10 * int(binary.LittleEndian.Uint16(control[1:])))
		c.dispose = gifDisposal(control[0] >> 2 & 7)
		head = append(append(append(head, '!', 0xf9, 4), control...), 0)
	}
	in := span{from, w.off - from}
	c.decode = func() (image.Image, error) {
		return gif.Decode(bufio.NewReader(io.MultiReader(bytes.NewReader(head), io.NewSectionReader(s, in.off, in.n))))
	}
	return c, true
}

func gifDisposal(method byte) byte {
	switch method {
	case gif.DisposalBackground:
		return disposeClear
	case gif.DisposalPrevious, 4: // which some programs write for it
		return disposeRestore
	}
	return disposeNot
}

// hidesGIF reports whether what was seen is taken away later: only the last frame may do that, since nothing follows.
func hidesGIF(cels []cel) bool {
	for i, c := range cels {
		if i < len(cels)-1 && (c.dispose == disposeClear || i == 0 && c.dispose == disposeRestore) {
			return true
		}
	}
	return false
}
