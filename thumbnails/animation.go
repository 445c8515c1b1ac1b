package thumbnails

import (
	"context"
	"fmt"
	"image"
	"time"
)

// Bounds of an animation. Beyond the first two and the last the renditions are the first frame; beyond the others frames are left out, evenly,
// and the ones before them are shown for longer.
const (
	// maxCels is how many frames the original may have.
	maxCels = 2048
	// canvasShare is the part of [Limits].MaxPixels that the canvas may have: it is kept with transparency, and there may be two.
	canvasShare = 4
	// celPixels is how often MaxPixels may be decoded in all, and how often it may be scaled.
	celPixels = 4
	// maxShown is how many frames a rendition has.
	maxShown = 256
	// shownPixels is how many pixels all frames of all renditions have: a WebP of 2 to 5 million is written in a second.
	shownPixels = 16 << 20
	// animationBytes is how much all renditions of an original may come to.
	animationBytes = 32 << 20
)

// movie is what the headers of an animation say.
type movie struct {
	cels  []cel
	plays int  // 0: for ever
	hides bool // what was opaque may become transparent again
}

// cel is one frame, not decoded yet.
type cel struct {
	at      image.Rectangle
	ms      int
	dispose byte
	replace bool // transparency too, instead of letting through what is there
	decode  func() (image.Image, error)
}

// What becomes of a cel when its time is over.
const (
	disposeNot = iota
	disposeClear
	disposeRestore // what was there before
)

// shownFor is what browsers do: who asks for no time mostly never meant it.
func shownFor(ms int) int {
	if ms < 20 {
		return 100
	}
	return ms
}

// animate makes the renditions of still, which has those of the first frame, animated. It is still itself when there is no more than one
// frame, when the format has none, or when it would be too much. Of a damaged animation it is what comes before the damage.
func animate(ctx context.Context, m measured, e encoder, lim Limits, still Result) (Result, error) {
	if e.spec.Format == Auto {
		e.spec.Format = PNG
	}
	if e.spec.Format == JPEG || int64(m.width)*int64(m.height) > lim.MaxPixels/canvasShare {
		return still, nil
	}
	mov := readMovie(m)
	if !mov.fits(lim) {
		return still, m.src.stopped()
	}
	short, cancel := halfOfTheTime(ctx)
	defer cancel()
	p := newProjector(m, e, mov, still)
	enough, err := p.run(short, p.most(lim))
	switch {
	case m.src.stopped() != nil:
		return Result{}, m.src.stopped()
	case err != nil:
		return Result{}, fmt.Errorf("encode an animation: %w", err)
	case !enough:
		return still, nil
	}
	return p.result(still), nil
}

// halfOfTheTime is what is left for one image, so that it ends with a picture and not with a sentence.
func halfOfTheTime(ctx context.Context) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Until(end)/2)
}

// stopped is why no more can be read: the time, or the bytes themselves.
func (s *source) stopped() error {
	if err := s.stop(); err != nil {
		return err
	}
	return s.failed
}

func readMovie(m measured) movie {
	switch m.mime {
	case "image/gif":
		return readGIFMovie(m)
	case "image/webp":
		return readWebPMovie(m)
	}
	return movie{}
}

// fits reports whether it moves, and is not too much to be decoded.
func (mov movie) fits(lim Limits) bool {
	left := celPixels * lim.MaxPixels
	for _, c := range mov.cels {
		n := int64(c.at.Dx()) * int64(c.at.Dy())
		if left -= n; left < 0 || n > lim.MaxPixels/canvasShare {
			return false
		}
	}
	return len(mov.cels) > 1 && len(mov.cels) <= maxCels
}
