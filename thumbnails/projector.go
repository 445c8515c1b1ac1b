package thumbnails

import (
	"context"
	"image"
)

// projector shows the frames of an animation one after the other on one canvas, and has strips made of what is seen.
type projector struct {
	m      measured
	e      encoder
	mov    movie
	canvas *image.NRGBA
	saved  *image.NRGBA // what the frame before hides, when it has to come back
	row    []byte
	strips []*strip
}

func newProjector(m measured, e encoder, mov movie, still Result) *projector {
	p := &projector{m: m, e: e, mov: mov, canvas: image.NewNRGBA(image.Rect(0, 0, m.width, m.height))}
	p.e.transparent = still.Transparent || mov.hides
	write := celWriter(p.e)
	for i, size := range e.spec.Sizes {
		if i == 0 || size < max(m.width, m.height) {
			p.strips = append(p.strips, &strip{size: size, write: write})
		}
	}
	return p
}

// most is how many frames are shown: all, or so many as the bounds allow.
func (p *projector) most(lim Limits) int {
	var made int64
	for _, s := range p.strips {
		w, h := fitInside(p.m.width, p.m.height, s.size)
		made += int64(w) * int64(h)
	}
	canvas := int64(p.m.width) * int64(p.m.height)
	return int(min(int64(len(p.mov.cels)), maxShown, shownPixels/made, celPixels*lim.MaxPixels/canvas))
}

// run shows n of the frames, evenly. enough is false when no animation comes of it: there are fewer than two, or there is no more time or room.
func (p *projector) run(ctx context.Context, n int) (enough bool, err error) {
	if n < 2 {
		return false, nil
	}
	for i, c := range p.mov.cels {
		if ctx.Err() != nil || p.bytes() > animationBytes {
			return false, nil
		}
		if i > 0 {
			p.dispose(p.mov.cels[i-1])
		}
		if !p.draw(c) {
			break
		}
		if i > 0 && i*n/len(p.mov.cels) == (i-1)*n/len(p.mov.cels) {
			p.hold(c.ms)
			continue
		}
		if err := p.shoot(c.ms); err != nil {
			return false, err
		}
	}
	return p.bytes() <= animationBytes && p.moves(), nil
}

// draw puts a frame on the canvas; false when it cannot be decoded, which a panic of a decoder says too.
func (p *projector) draw(c cel) (ok bool) {
	defer func() { ok = recover() == nil && ok }()
	img, err := c.decode()
	if err != nil || img.Bounds().Size() != c.at.Size() {
		return false
	}
	on := c.at.Intersect(p.canvas.Rect)
	if c.dispose == disposeRestore {
		p.saved = crop(p.canvas, on)
	}
	p.lay(rowsOf(img), c, on)
	return true
}

func (p *projector) lay(read rowReader, c cel, on image.Rectangle) {
	p.row = append(p.row[:0], make([]byte, 4*c.at.Dx())...)
	for y := on.Min.Y; y < on.Max.Y; y++ {
		read(y-c.at.Min.Y, p.row)
		src, dst := p.row[4*(on.Min.X-c.at.Min.X):], pixels(p.canvas, on, y)
		if c.replace {
			copy(dst, src)
			continue
		}
		for i := 0; i < len(dst); i += 4 {
			layOver(dst[i:i+4:i+4], src[i:i+4:i+4])
		}
	}
}

// layOver lays one pixel over another; neither is multiplied by its alpha.
func layOver(d, s []byte) {
	switch a := uint32(s[3]); {
	case a == 255, d[3] == 0 && a > 0:
		copy(d, s)
	case a > 0:
		under := uint32(d[3]) * (255 - a)
		all := 255*a + under
		for c := range 3 {
			d[c] = uint8((255*a*uint32(s[c]) + under*uint32(d[c]) + all/2) / all)
		}
		d[3] = uint8((all + 127) / 255)
	}
}

// dispose is what becomes of a frame before the next one.
func (p *projector) dispose(c cel) {
	on := c.at.Intersect(p.canvas.Rect)
	for y := on.Min.Y; y < on.Max.Y && c.dispose != disposeNot; y++ {
		if c.dispose == disposeClear {
			clear(pixels(p.canvas, on, y))
		} else {
			copy(pixels(p.canvas, on, y), p.saved.Pix[(y-on.Min.Y)*p.saved.Stride:])
		}
	}
}

// pixels is the part of row y that is in the rectangle.
func pixels(img *image.NRGBA, in image.Rectangle, y int) []byte {
	from := img.PixOffset(in.Min.X, y)
	return img.Pix[from : from+4*in.Dx() : from+4*in.Dx()]
}

// crop is a copy.
func crop(img *image.NRGBA, in image.Rectangle) *image.NRGBA {
	out := image.NewNRGBA(image.Rectangle{Max: in.Size()})
	for y := range in.Dy() {
		copy(out.Pix[y*out.Stride:], pixels(img, in, in.Min.Y+y))
	}
	return out
}

// shoot takes what is on the canvas at all sizes.
func (p *projector) shoot(ms int) error {
	s := newScaler(unscaled(p.canvas), p.m, p.e)
	for _, strip := range p.strips {
		small, err := s.upright(fitInside(p.m.width, p.m.height, strip.size))
		if err == nil {
			err = strip.add(small.(*image.NRGBA), ms)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *projector) hold(ms int) {
	for _, s := range p.strips {
		s.hold(ms)
	}
}

func (p *projector) bytes() (n int) {
	for _, s := range p.strips {
		n += s.bytes
	}
	return n
}

func (p *projector) moves() bool {
	for _, s := range p.strips {
		if len(s.frames) > 1 {
			return true
		}
	}
	return false
}

// result has the animations instead of the stills. Sizes that come to the same picture have the same file.
func (p *projector) result(still Result) Result {
	res := still
	res.Animated, res.Renditions = true, nil
	rest := p.strips
	var r Rendition
	for _, old := range still.Renditions {
		if len(rest) > 0 && rest[0].size == old.Size {
			r, rest = rest[0].rendition(p.e, p.mov.plays), rest[1:]
		}
		r.Size = old.Size
		res.Renditions = append(res.Renditions, r)
	}
	return res
}
