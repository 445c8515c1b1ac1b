package thumbnails

import (
	"image"

	"github.com/disintegration/imaging"
)

// scaler makes the sizes of one picture, from large to small.
type scaler struct {
	img    decoded
	m      measured
	e      encoder
	planes []plane      // of a picture that has them
	near   *image.NRGBA // of any other: what the size before was made of
}

// newScaler takes what is kept in planes as planes, where there are more values than pixels: where there are as many, colours are spread as the
// library does.
func newScaler(img decoded, m measured, e encoder) *scaler {
	s := &scaler{img: img, m: m, e: e}
	if img.eighths < 8 || e.halves(m.colours) {
		s.planes = img.planes()
	}
	return s
}

// upright is the picture at w x h, of those as it is stored, in its colours and turned as it is shown.
func (s *scaler) upright(w, h int) (image.Image, error) {
	switch {
	case s.planes != nil:
	case opaqueRows(s.img.Image):
		b := s.img.Bounds()
		s.planes = s.img.rowPlanes(boxSide(b.Dx(), w), boxSide(b.Dy(), h), s.e.gray)
	default:
		s.approach(w, h)
	}
	if f, ok := s.img.Image.(*flowing); ok && f.err != nil {
		return nil, decodeFault(s.m.format, f.err, s.m.src.ended)
	}
	t := turnOf(s.m.orientation)
	if len(s.planes) == 3 && !opaqueRows(s.img.Image) && s.e.halves(s.m.colours) {
		return s.img.halved(s.planes, w, h, t), nil
	}
	if s.planes != nil {
		small := s.img.resampled(s.planes, w, h, t)
		s.colour(small)
		return small, nil
	}
	small := imaging.Resize(s.near, w, h, imaging.Lanczos)
	s.colour(small)
	return orient(small, s.m.orientation), nil
}

// colour brings what has a profile to sRGB.
func (s *scaler) colour(small *image.NRGBA) {
	if s.img.inks == nil && s.m.colours.fits(s.img.Image, s.e.gray) {
		s.m.colours.apply(small)
	}
}

// approach brings the picture near w x h by averaging, each side for itself, so that the costly filter has little to
// read and its tables stay small whatever the shape of the image.
func (s *scaler) approach(w, h int) {
	img := s.img
	if s.near != nil {
		img = unscaled(s.near)
	}
	nw, nh := img.shrunk(img.size.X, w), img.shrunk(img.size.Y, h)
	if s.near == nil || img.size != image.Pt(nw, nh) {
		s.near = reduce(img, nw, nh)
	}
}

// shrunk divides size pixels, as they were decoded, by what [boxSide] says.
func (d decoded) shrunk(size, target int) int {
	n := 8 * boxSide(size*d.eighths/8, target)
	return (size*d.eighths + n - 1) / n
}

// boxSide is the largest number of values in a box that leaves 1.75 times the target or more: on the made-up pictures of
// the tests that is 43 to 55 dB from the filter over the whole original, and cheaper than twice. It is so small that the sum of a
// row of values has 32 bits.
func boxSide(have, target int) int { return min(max(4*have/(7*target), 1), 1<<16) }
