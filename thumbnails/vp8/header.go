package vp8

import (
	"errors"
	"fmt"
	"io"
)

// Errors of headers.
var (
	errFormat = errors.New("vp8: it is no key frame")
)

// Limits of one picture. A zero field is its default.
type Limits struct {
	Pixels int64 // width times height
}

// DefaultPixels is the default of [Limits].
const DefaultPixels int64 = 100_000_000

// headBytes stand before the first partition: what kind of frame it is, and its size.
const headBytes = 10

// start reads them.
func (d *decoder) start(lim Limits) error {
	var head [headBytes]byte
	if n, err := d.in.ReadAt(head[:], 0); n < len(head) {
		if err == nil || err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	if head[0]&1 != 0 || head[3] != 0x9d || head[4] != 0x01 || head[5] != 0x2a {
		return errFormat
	}
	d.w, d.h = int(head[6])|int(head[7]&0x3f)<<8, int(head[8])|int(head[9]&0x3f)<<8
	if lim.Pixels <= 0 {
		lim.Pixels = DefaultPixels
	}
	if d.w == 0 || d.h == 0 || int64(d.w)*int64(d.h) > lim.Pixels {
		return fmt.Errorf("vp8: %d x %d pixels, at most %d", d.w, d.h, lim.Pixels)
	}
	d.across, d.down = (d.w+15)/16, (d.h+15)/16
	first := int64(head[0])>>5 | int64(head[1])<<3 | int64(head[2])<<11
	tokens := min(headBytes+first, d.size)
	d.modes = newBools(d.in, headBytes, tokens)
	return d.settings(tokens)
}

// settings are the rest of the header, which is the beginning of the first partition.
func (d *decoder) settings(tokens int64) error {
	b := d.modes
	b.number(2) // the space of colours, and that values need no clamping: neither is used by anybody
	d.segments.read(b)
	d.filter.read(b)
	if err := d.partitions(1<<b.number(2), tokens); err != nil {
		return err
	}
	d.quantities(b)
	b.flag() // what comes after a picture is of no interest
	d.probabilities(b)
	if d.skips = b.flag(); d.skips {
		d.skipProb = uint8(b.number(8))
	}
	return b.fault()
}

// partitions finds those of the coefficients: the lengths of all but the last stand before them. What is beyond the end of the file is
// not there.
func (d *decoder) partitions(n int, at int64) error {
	sizes := make([]byte, 3*(n-1))
	if got, err := d.in.ReadAt(sizes, at); got < len(sizes) {
		if err == nil || err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	at += int64(len(sizes))
	for i := range n {
		end := d.size
		if i < n-1 {
			s := sizes[3*i:]
			end = min(at+(int64(s[0])|int64(s[1])<<8|int64(s[2])<<16), d.size)
		}
		d.tokens = append(d.tokens, newBools(d.in, at, end))
		at = end
	}
	return nil
}

// segments are up to four kinds of macroblocks with settings of their own (section 9.3).
type segments struct {
	used, mapped bool // mapped: each macroblock says its own
	added        bool // the values are to be added to those of the frame
	quantizer    [4]int
	strength     [4]int
	probs        [3]uint8
}

func (s *segments) read(b *bools) {
	s.probs = [3]uint8{255, 255, 255}
	if s.used = b.flag(); !s.used {
		return
	}
	s.mapped = b.flag()
	if b.flag() {
		s.added = !b.flag()
		for i := range s.quantizer {
			s.quantizer[i] = b.maybe(7)
		}
		for i := range s.strength {
			s.strength[i] = b.maybe(6)
		}
	}
	if !s.mapped {
		return
	}
	for i := range s.probs {
		if b.flag() {
			s.probs[i] = uint8(b.number(8))
		}
	}
}

// of is the value of a segment, where frame is that of all.
func (s *segments) of(frame int, own [4]int, i int) int {
	switch {
	case !s.used:
		return frame
	case s.added:
		return frame + own[i]
	}
	return own[i]
}

// quantum is the factors of one segment.
type quantum struct{ bright, second, colour factors }

// quantities are what coefficients are multiplied with (sections 9.6 and 14.1).
func (d *decoder) quantities(b *bools) {
	frame := b.number(7)
	bright, secondDC, secondAC, colourDC, colourAC := b.maybe(4), b.maybe(4), b.maybe(4), b.maybe(4), b.maybe(4)
	for i := range d.quanta {
		q := d.segments.of(frame, d.segments.quantizer, i)
		at := func(delta, most int) int { return min(max(q+delta, 0), most) }
		d.quanta[i] = quantum{
			bright: factors{dcSteps[at(bright, 127)], acSteps[at(0, 127)]},
			second: factors{2 * dcSteps[at(secondDC, 127)], max(155*acSteps[at(secondAC, 127)]/100, 8)},
			colour: factors{dcSteps[at(colourDC, 117)], acSteps[at(colourAC, 127)]}, // 132 at most
		}
	}
}

// probabilities are those of the tokens, laid out by place (section 13.4).
func (d *decoder) probabilities(b *bools) {
	probs := tokenProbs
	for kind := range probs {
		for band := range probs[kind] {
			for around := range probs[kind][band] {
				for i := range probs[kind][band][around] {
					if b.bit(renewProbs[kind][band][around][i]) {
						probs[kind][band][around][i] = uint8(b.number(8))
					}
				}
			}
		}
	}
	for kind := range d.probs {
		for place, band := range bands {
			for around := range 3 {
				copy(d.probs[kind][place][around][:], probs[kind][band][around][:])
			}
		}
	}
}
