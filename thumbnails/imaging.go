package thumbnails

import (
	"context"
	"fmt"
	"image"
	"io"
	"math"

	"github.com/disintegration/imaging"
)

// imagingName changes with what the engine can render; see [Engine].
const imagingName = "imaging/6"

type imagingEngine struct{}

// NewImaging renders in this process, with our decoder for JPEG, the standard ones, those of golang.org/x/image, and
// disintegration/imaging. It holds every limit except memory, and the time only where a decoder reads: a decoder that
// computes without reading cannot be stopped. [NewPool] has neither gap.
func NewImaging() Engine { return imagingEngine{} }

// Name of the engine and its generation.
func (imagingEngine) Name() string { return imagingName }

// Close has nothing to do.
func (imagingEngine) Close() error { return nil }

// Render walks measure, decode, reduce, scale, encode. A panic of a decoder is a corrupt image.
func (imagingEngine) Render(ctx context.Context, src io.ReaderAt, size int64, spec Spec, lim Limits) (res Result, err error) {
	if spec, err = spec.checked(); err != nil {
		return res, err
	}
	lim = lim.orDefaults()
	ctx, cancel := context.WithTimeoutCause(ctx, lim.Timeout, errTimeout)
	defer cancel()
	s := newSource(ctx, src, size)
	defer func() {
		if p := recover(); p != nil {
			res, err = Result{}, &Error{Kind: Corrupt, Reason: "it is damaged in a way that a decoder did not expect", Err: fmt.Errorf("panic: %v", p)}
		}
	}()
	res, err = render(ctx, s, spec, lim)
	return res, s.cause(ctx, lim, err)
}

func render(ctx context.Context, s *source, spec Spec, lim Limits) (Result, error) {
	m, err := measure(s, lim)
	if err != nil {
		return Result{}, err
	}
	res := Result{}
	res.Width, res.Height = m.upright()
	if len(spec.Sizes) == 0 {
		return res, nil
	}
	m.colours = coloursOf(profileOf(m.src, m))
	img, err := decode(m, spec.Sizes[0])
	if err != nil {
		return Result{}, err
	}
	return scaleAll(ctx, img, m, spec, res)
}

// scaleAll makes the sizes from large to small, each from what the one before was made of.
func scaleAll(ctx context.Context, img decoded, m measured, spec Spec, res Result) (Result, error) {
	e := encoder{spec: spec, gray: isGray(img.Image)}
	var near *image.NRGBA
	for i, size := range spec.Sizes {
		if err := ctx.Err(); err != nil {
			return Result{}, err
		}
		w, h := fitInside(m.width, m.height, size)
		small, straight := straightTo(img, w, h)
		if !straight {
			near = approach(img, near, w, h)
			if f, ok := img.Image.(*flowing); ok && f.err != nil {
				return Result{}, decodeFault(m.format, f.err, m.src.ended)
			}
			small = imaging.Resize(near, w, h, imaging.Lanczos)
		}
		if img.inks == nil && m.colours.fits(img.Image, e.gray) {
			m.colours.apply(small)
		}
		if i == 0 {
			res.Transparent = !opaqueType(img.Image) && !near.Opaque()
			e.transparent = res.Transparent
		}
		upright := orient(small, m.orientation)
		if i == len(spec.Sizes)-1 {
			res.ThumbHash = thumbHash(upright)
		}
		if last := len(res.Renditions) - 1; last >= 0 && size >= max(m.width, m.height) {
			r := res.Renditions[last]
			r.Size = size
			res.Renditions = append(res.Renditions, r)
			continue
		}
		r, err := e.encode(upright, size)
		if err != nil {
			return Result{}, fmt.Errorf("encode %d pixels: %w", size, err)
		}
		res.Renditions = append(res.Renditions, r)
	}
	return res, nil
}

// approach brings the picture near w x h by averaging, each side for itself, so that the costly filter has little to
// read and its tables stay small whatever the shape of the image.
func approach(img decoded, near *image.NRGBA, w, h int) *image.NRGBA {
	if near != nil {
		img = unscaled(near)
	}
	nw, nh := shrunk(img.size.X, w, img.scale), shrunk(img.size.Y, h, img.scale)
	if near != nil && img.size == image.Pt(nw, nh) {
		return near
	}
	return reduce(img, nw, nh)
}

// shrunk divides size by the largest whole number that leaves 1.75 times the target or more: on the made-up pictures of
// the tests that is 43 to 55 dB from the filter over the whole original, and cheaper than twice.
// What was decoded at a scale is divided by multiples of it.
func shrunk(size, target, scale int) int {
	f := max(4*size/(7*target)/scale, 1) * scale
	return (size + f - 1) / f
}

// fitInside is the size of w x h inside size x size: rounded, at least one pixel, never more than it was.
func fitInside(w, h, size int) (int, int) {
	long := max(w, h)
	if long <= size {
		return w, h
	}
	scale := func(v int) int { return max(int(math.Round(float64(v)*float64(size)/float64(long))), 1) }
	return scale(w), scale(h)
}
