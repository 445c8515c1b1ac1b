package thumbnails

import (
	"image"
	"image/color"
	"io"
	"slices"

	"golang.org/x/image/tiff"
)

// errTIFF is what is wrong with a TIFF.
type errTIFF string

func (e errTIFF) Error() string { return "tiff: " + string(e) }

// maxSegments bounds the strips or tiles of a picture, maxAcross those that are read at a time.
const (
	maxSegments = 4 << 20
	maxAcross   = 4096
)

// The compressions that are known here; those of fax machines are left to the library.
const (
	tiffPlain    = 1
	tiffFaxFirst = 2
	tiffFaxLast  = 4
	tiffLZW      = 5
	tiffJPEG     = 7
	tiffDeflate  = 8
	tiffOldZip   = 32946
	tiffPackBits = 32773
)

// tiffPicture is the first picture of a TIFF, in strips or tiles.
type tiffPicture struct {
	s             *source
	d             directory
	layout        layout
	w, h          int
	compression   int64
	photometric   int64
	predictor     bool
	planes        int // 1: samples side by side
	tiled         bool
	across        int // segments side by side
	segW, segH    int
	offsets, size []int64
	tables        []byte // of JPEG
}

// readTIFF reads all but the pixels. It allocates by what the file has, never by what it says.
func readTIFF(s *source) (*tiffPicture, error) {
	r, at, ok := newTIFFReader(s)
	if !ok {
		return nil, io.ErrUnexpectedEOF
	}
	d, _, err := r.directory(at)
	if err != nil {
		return nil, unexpected(err)
	}
	p := &tiffPicture{s: s, d: d, planes: 1}
	f := fields{d: d}
	p.w, p.h = int(f.get(tagWidth, 0)), int(f.get(tagHeight, 0))
	p.compression, p.photometric = f.get(tagCompression, tiffPlain), f.get(tagPhotometric, 1)
	p.predictor = f.get(tagPredictor, 1) == 2
	if f.err == nil && f.get(tagPredictor, 1) > 2 {
		return p, tiff.UnsupportedError("predictor of floating point numbers")
	}
	p.layout = layout{bits: int(f.get(tagBits, 1)), samples: int(f.get(tagSamples, 1)), order: r.order}
	if f.err == nil {
		f.err = p.meaning()
	}
	return p, f.err
}

// fields are single values of a directory; the first error stays.
type fields struct {
	d   directory
	err error
}

func (f *fields) get(tag uint16, otherwise int64) int64 {
	v, err := f.d.first(tag, otherwise)
	if f.err == nil {
		f.err = err
	}
	return v
}

// meaning is what the samples are.
func (p *tiffPicture) meaning() error {
	f := fields{d: p.d}
	l := &p.layout
	switch format := f.get(tagFormat, 1); {
	case format == 3 && l.bits == 32:
		l.float = true
	case format != 1 && format != 4:
		return tiff.UnsupportedError("sample format")
	}
	all, err := p.d.values(tagBits, 64)
	if err != nil {
		return err
	}
	for _, bits := range all {
		if bits != all[0] || !slices.Contains([]int64{1, 2, 4, 8, 16, 32}, bits) {
			return tiff.UnsupportedError("bits in a sample")
		}
	}
	switch p.photometric {
	case 0:
		l.model = modelWhiteIsZero
	case 1:
		l.model = modelGrey
	case 2:
		l.model = modelColours
	case 3:
		l.model = modelPalette
		if err := p.palette(); err != nil {
			return err
		}
	case 5:
		if l.model = modelInks; f.get(tagInkSet, 1) != 1 {
			return tiff.UnsupportedError("inks that are not cyan, magenta, yellow and black")
		}
	case 6:
		l.model = modelColours
		if p.compression != tiffJPEG {
			return tiff.UnsupportedError("YCbCr without JPEG")
		}
	default:
		return tiff.UnsupportedError("color model")
	}
	n := l.model.channels()
	if l.samples < n || l.samples > 64 {
		return tiff.UnsupportedError("number of samples")
	}
	if extra := f.get(tagExtra, 0); l.samples > n && extra > 0 && l.model != modelPalette && l.model != modelInks {
		l.alpha = alphaStraight
		if extra == 1 {
			l.alpha = alphaMultiplied
		}
	}
	return f.err
}

// palette has values of 16 bits; some writers have left theirs at 8.
func (p *tiffPicture) palette() error {
	n := 1 << min(p.layout.bits, 8)
	v, err := p.d.values(tagColours, 3*256)
	if err != nil {
		return err
	}
	if p.layout.bits > 8 || len(v) < 3*n {
		return errTIFF("its palette is too short")
	}
	narrowest := true
	for _, c := range v {
		narrowest = narrowest && c < 256
	}
	p.layout.palette = &[256]color.NRGBA{}
	for i := range p.layout.palette {
		c := &p.layout.palette[i]
		if c.A = 255; i >= n {
			continue
		}
		for j, to := range []*uint8{&c.R, &c.G, &c.B} {
			if *to = uint8(v[i+j*n]); !narrowest {
				*to = narrow(uint32(v[i+j*n]))
			}
		}
	}
	return nil
}

// segments finds the strips or tiles.
func (p *tiffPicture) segments() error {
	f := fields{d: p.d}
	if f.get(tagPlanar, 1) == 2 && p.layout.samples > 1 {
		p.planes = p.layout.samples
	}
	offsets, sizes := uint16(tagStrips), uint16(tagStripBytes)
	p.segW, p.segH = p.w, int(min(f.get(tagRowsPerStrip, int64(p.h)), int64(p.h)))
	if _, _, ok := p.d.value(tagTileWidth); ok {
		p.tiled = true
		p.segW, p.segH = int(f.get(tagTileWidth, 0)), int(f.get(tagTileHeight, 0))
		offsets, sizes = tagTiles, tagTileBytes
	}
	if f.err != nil {
		return f.err
	}
	if p.segW < 1 || p.segH < 1 || p.rowBytes() > maxRow || p.tiled && p.rowBytes()*int64(p.segH) > maxRow {
		return tiff.UnsupportedError("strips or tiles of that size")
	}
	p.across = (p.w + p.segW - 1) / p.segW
	n := int64(p.across) * int64((p.h+p.segH-1)/p.segH) * int64(p.planes)
	if n > maxSegments || p.across*p.planes > maxAcross {
		return tiff.UnsupportedError("so many strips or tiles")
	}
	var err error
	if p.offsets, err = p.d.values(offsets, n); err != nil {
		return err
	}
	if p.size, err = p.d.values(sizes, n); err != nil {
		return err
	}
	if int64(len(p.offsets)) < n || int64(len(p.size)) < n && p.compression != tiffPlain {
		return errTIFF("strips or tiles are missing")
	}
	return nil
}

// plane is the layout of one segment.
func (p *tiffPicture) plane() layout {
	l := p.layout
	if p.planes > 1 {
		l.samples = 1
	}
	return l
}

// rowBytes of one segment.
func (p *tiffPicture) rowBytes() int64 { return p.plane().rowBytes(p.segW) }

func tiffConfig(r io.Reader) (image.Config, error) {
	s, err := sourceOf(r)
	if err != nil {
		return image.Config{}, err
	}
	p, err := readTIFF(s)
	if p == nil {
		return image.Config{}, err
	}
	return image.Config{Width: p.w, Height: p.h}, err
}

// sourceOf is the source of a section; see measured.stream.
func sourceOf(r io.Reader) (*source, error) {
	section, ok := r.(*io.SectionReader)
	if !ok {
		return nil, errTIFF("not a section")
	}
	return &source{r: section, size: section.Size(), budget: -1, stop: func() error { return nil }}, nil
}

// decodeTIFF reads strips and tiles as their rows are wanted.
func decodeTIFF(r io.Reader) (image.Image, error) {
	s, err := sourceOf(r)
	if err != nil {
		return nil, err
	}
	p, err := readTIFF(s)
	if err != nil {
		return nil, err
	}
	if p.compression >= tiffFaxFirst && p.compression <= tiffFaxLast {
		return tiff.Decode(r)
	}
	if err := p.segments(); err != nil {
		return nil, err
	}
	if at, n, ok := p.d.value(tagTables); ok && p.compression == tiffJPEG {
		if n < 4 || n > 1<<16 {
			return nil, errTIFF("the tables of its JPEG")
		}
		p.tables = make([]byte, n)
		if _, err := s.ReadAt(p.tables, at); err != nil {
			return nil, unexpected(err)
		}
	}
	next, err := p.rows()
	if err != nil {
		return nil, err
	}
	f := newFlowing(p.w, p.h, next)
	f.gray = p.layout.model == modelGrey || p.layout.model == modelWhiteIsZero
	f.inks = p.layout.model == modelInks
	f.opaque = p.layout.opaque()
	return f, nil
}
