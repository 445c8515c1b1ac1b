package thumbnails

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"io"

	"golang.org/x/image/webp"

	"hotfolderd/thumbnails/jpegscale"
	"hotfolderd/thumbnails/vp8"
)

// webpChunks bounds how many chunks of a WebP are looked at for the first frame and the orientation.
const webpChunks = 512

var errWebP = errors.New("webp: invalid animation")

// webpLayout says where the first frame of an animation, the colour profile and the metadata are.
type webpLayout struct {
	exif    span
	xmp     span
	profile span
	frame   *webpFrame // nil when the file is not animated
	webpPicture
}

// webpPicture is the chunks of one picture.
type webpPicture struct {
	lossy span
	alpha bool
}

func (p *webpPicture) note(id string, body span) {
	switch {
	case id == "ALPH":
		p.alpha = true
	case id == "VP8 " && p.lossy.n == 0:
		p.lossy = body
	}
}

// plain reports whether it is lossy and opaque: such pictures are decoded by our own decoder, at a scale.
func (p *webpPicture) plain() bool { return p.lossy.n > 0 && !p.alpha }

type span struct{ off, n int64 }

// webpFrame is one frame: its place on the canvas, how it is shown, and its own chunks.
type webpFrame struct {
	x, y, w, h int
	ms         int  // for which it is shown
	flags      byte // see cel
	body       span
	webpPicture
}

// readWebP walks the chunks. The library reads neither animations nor chunks after the image.
func readWebP(s *source) (webpLayout, error) {
	var l webpLayout
	err := chunks(s, span{12, s.size - 12}, webpChunks, func(id string, body span) (bool, error) {
		var err error
		switch {
		case id == "ANMF" && l.frame == nil:
			l.frame, err = readFrame(s, body)
		case id == "ICCP":
			l.profile = body
		case id == "EXIF":
			l.exif = body
		case id == "XMP ":
			l.xmp = body
		default:
			l.note(id, body)
		}
		return l.exif.n == 0 || l.xmp.n == 0, err
	})
	return l, err
}

// chunks calls f for each of at most so many RIFF chunks inside in until f has enough. A chunk that claims to be longer is cut at the end.
func chunks(s *source, in span, most int, f func(id string, body span) (more bool, err error)) error {
	var head [8]byte
	end := in.off + in.n
	for off, seen := in.off, 0; off+8 <= end && seen < most; seen++ {
		if _, err := s.ReadAt(head[:], off); err != nil {
			return err
		}
		n := int64(binary.LittleEndian.Uint32(head[4:]))
		more, err := f(string(head[:4]), span{off + 8, min(n, end-off-8)})
		if err != nil || !more {
			return err
		}
		off += 8 + n + n&1
	}
	return nil
}

func readFrame(s *source, body span) (*webpFrame, error) {
	var head [16]byte
	if body.n < int64(len(head)) {
		return nil, errWebP
	}
	if _, err := s.ReadAt(head[:], body.off); err != nil {
		return nil, err
	}
	f := &webpFrame{
		x: 2 * u24(head[0:]), y: 2 * u24(head[3:]), w: 1 + u24(head[6:]), h: 1 + u24(head[9:]),
		ms: u24(head[12:]), flags: head[15], body: span{body.off + 16, body.n - 16},
	}
	return f, chunks(s, f.body, webpChunks, func(id string, body span) (bool, error) {
		f.note(id, body)
		return true, nil
	})
}

func u24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

// scale is the largest at which the picture can be decoded for a rendition of size, 1 for those that are not decoded at a scale. What is
// left is 1.75 times the rendition, as with [boxSide]: the decoder averages whole pixels.
func (l webpLayout) scale(width, height, size int) int {
	if f := l.frame; f != nil && (!f.plain() || f.w != width || f.h != height) || f == nil && !l.plain() {
		return 1
	}
	w, h := fitInside(width, height, size)
	scale := 8
	for scale > 1 && (4*width < 7*w*scale || 4*height < 7*h*scale) {
		scale /= 2
	}
	return scale
}

func decodeWebPAt(s *source, m measured, at jpegscale.Size) (image.Image, error) {
	size := vp8.Size{Scale: 8 / at.Eighths, Halved: at.Halved}
	switch {
	case m.webp.frame != nil:
		return decodeFrame(s, m, size)
	case m.webp.plain():
		return decodeLossy(s, m, m.webp.lossy, size)
	}
	return decodeWebP(m.stream(s))
}

// decodeFrame decodes the first frame, in its place.
func decodeFrame(s *source, m measured, size vp8.Size) (image.Image, error) {
	f := m.webp.frame
	img, err := f.decode(s, m, size)
	if err != nil || size.Scale > 1 {
		return img, err
	}
	return onCanvas(img, f.x, f.y, m.width, m.height), nil
}

// decode decodes one frame; what our decoder does not know by giving it the header of a still image of its own.
func (f *webpFrame) decode(s *source, m measured, size vp8.Size) (image.Image, error) {
	if f.x+f.w > m.width || f.y+f.h > m.height {
		return nil, errWebP
	}
	if f.plain() {
		return decodeLossy(s, m, f.lossy, size)
	}
	return decodeWebP(io.MultiReader(bytes.NewReader(f.header()), io.NewSectionReader(s, f.body.off, f.body.n)))
}

// decodeLossy refuses what is damaged, as decodeJPEG does.
func decodeLossy(s *source, m measured, in span, size vp8.Size) (image.Image, error) {
	img, err := vp8.Decode(io.NewSectionReader(s, in.off, in.n), in.n, size, vp8.Limits{Pixels: int64(m.width) * int64(m.height)})
	if err != nil {
		return nil, err
	}
	widen(img)
	return img, nil
}

func (f *webpFrame) header() []byte {
	var b bytes.Buffer
	b.WriteString("RIFF")
	_ = binary.Write(&b, binary.LittleEndian, uint32(4+18+f.body.n))
	b.WriteString("WEBPVP8X")
	var flags byte
	if f.alpha {
		flags = 1 << 4
	}
	b.Write([]byte{10, 0, 0, 0, flags, 0, 0, 0})
	for _, v := range []int{f.w - 1, f.h - 1} {
		b.Write([]byte{byte(v), byte(v >> 8), byte(v >> 16)})
	}
	return b.Bytes()
}

// decodeWebP has the whole range of values. That of a lossy WebP is narrower, as in video, and decoders give it as it is: black would be a dark grey,
// and white a bright one.
func decodeWebP(r io.Reader) (image.Image, error) {
	img, err := webp.Decode(r)
	switch m := img.(type) {
	case *image.YCbCr:
		widen(m)
	case *image.NYCbCrA:
		widen(&m.YCbCr)
	}
	return img, err
}

// widen brings brightness from 16 to 235, and colours from 16 to 240, to 0 to 255.
func widen(m *image.YCbCr) {
	var bright, colour [256]byte
	for v := range bright {
		bright[v] = byte(min(max((v-16)*255+109, 0)/219, 255))
		colour[v] = byte(min(max((v-16)*255+112, 0)/224, 255))
	}
	for i, v := range m.Y {
		m.Y[i] = bright[v]
	}
	for i, v := range m.Cb {
		m.Cb[i] = colour[v]
	}
	for i, v := range m.Cr {
		m.Cr[i] = colour[v]
	}
}
