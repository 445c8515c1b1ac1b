package thumbnails

import (
	"context"
	"fmt"
	"io"
	"math"
)

// imagingName changes with what the engine can render; see [Engine].
const imagingName = "imaging/7"

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
	keep, err := keptOf(s, m, spec.Keep)
	if err != nil {
		return Result{}, err
	}
	e := encoder{spec: spec, packet: keep.packet()}
	img, err := decode(m, spec.Sizes[0], e.halves(m.colours))
	if err != nil {
		return Result{}, err
	}
	e.gray = isGray(img.Image)
	res, err = scaleAll(ctx, img, m, e, res)
	if err != nil || !spec.Animated {
		return res, err
	}
	return animate(ctx, m, e, lim, res)
}

// scaleAll makes the sizes from large to small.
func scaleAll(ctx context.Context, img decoded, m measured, e encoder, res Result) (Result, error) {
	s := newScaler(img, m, e)
	for i, size := range e.spec.Sizes {
		if err := ctx.Err(); err != nil {
			return Result{}, err
		}
		small, err := s.upright(fitInside(m.width, m.height, size))
		if err != nil {
			return Result{}, err
		}
		if i == 0 {
			res.Transparent = !opaqueType(img.Image) && !s.near.Opaque()
			s.e.transparent = res.Transparent
		}
		if i == len(e.spec.Sizes)-1 {
			res.ThumbHash = thumbHash(small)
		}
		if last := len(res.Renditions) - 1; last >= 0 && size >= max(m.width, m.height) {
			r := res.Renditions[last]
			r.Size = size
			res.Renditions = append(res.Renditions, r)
			continue
		}
		r, err := s.e.encode(small, size)
		if err != nil {
			return Result{}, fmt.Errorf("encode %d pixels: %w", size, err)
		}
		res.Renditions = append(res.Renditions, r)
	}
	return res, nil
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
