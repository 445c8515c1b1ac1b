package thumbnails

import (
	"bytes"
	"errors"
	"image"
	"image/png"
)

// strip is the frames of one rendition. Of each but the first only the part is kept that is not as it was before.
type strip struct {
	size   int
	write  func(*image.NRGBA) ([]byte, error)
	last   *image.NRGBA // what is seen
	frames []shown
	bytes  int
}

// shown is one frame as it is written: it replaces what is in its place.
type shown struct {
	at   image.Rectangle
	ms   int
	data []byte
}

// add keeps img.
func (s *strip) add(img *image.NRGBA, ms int) error {
	at := img.Rect
	if s.last != nil {
		at = changed(s.last, img)
	}
	if at.Empty() {
		s.hold(ms)
		return nil
	}
	part := img
	if at != img.Rect {
		part = crop(img, at)
	}
	data, err := s.write(part)
	s.last = img
	s.bytes += len(data)
	s.frames = append(s.frames, shown{at, ms, data})
	return err
}

// hold shows the last frame for longer.
func (s *strip) hold(ms int) { s.frames[len(s.frames)-1].ms += ms }

// rendition is the file.
func (s *strip) rendition(e encoder, plays int) Rendition {
	r := Rendition{Size: s.size, Format: e.spec.Format, Width: s.last.Rect.Dx(), Height: s.last.Rect.Dy()}
	if r.Format == WebP {
		r.Data = animatedWebP(r.Width, r.Height, s.frames, plays, e.transparent)
	} else {
		r.Data = animatedPNG(r.Width, r.Height, s.frames, plays, e.transparent)
	}
	r.Data = withPacket(r, e.packet)
	return r
}

// changed is the least rectangle outside of which the two are the same. It begins at even places, as those of WebPs must.
func changed(a, b *image.NRGBA) image.Rectangle {
	r := image.Rectangle{Min: b.Rect.Max}
	for y := range b.Rect.Dy() {
		p, q := pixels(a, a.Rect, y), pixels(b, b.Rect, y)
		if bytes.Equal(p, q) {
			continue
		}
		from, to := 0, len(p)
		for p[from] == q[from] {
			from++
		}
		for p[to-1] == q[to-1] {
			to--
		}
		r.Min = image.Pt(min(r.Min.X, from/4), min(r.Min.Y, y))
		r.Max = image.Pt(max(r.Max.X, (to+3)/4), y+1)
	}
	if r.Empty() {
		return image.Rectangle{}
	}
	r.Min.X, r.Min.Y = r.Min.X&^1, r.Min.Y&^1
	return r
}

// celWriter writes frames of one animation, with the encoders of stills.
func celWriter(e encoder) func(*image.NRGBA) ([]byte, error) {
	if e.spec.Format == WebP {
		return func(img *image.NRGBA) ([]byte, error) {
			data, err := e.encodeNRGBA(img)
			return pictureChunks(data), err
		}
	}
	enc := &png.Encoder{BufferPool: new(pngBuffer)}
	return func(img *image.NRGBA) ([]byte, error) { return pngPixels(enc, img, e.transparent) }
}

// pngBuffer keeps the one buffer that is in use.
type pngBuffer struct{ b *png.EncoderBuffer }

// Get implements png.EncoderBufferPool, as Put does.
func (p *pngBuffer) Get() *png.EncoderBuffer { return p.b }

// Put keeps it.
func (p *pngBuffer) Put(b *png.EncoderBuffer) { p.b = b }

var errOtherPixels = errors.New("a frame has another kind of pixels than the first")
