package thumbnails

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"image"
	"io"

	"github.com/klauspost/compress/zlib"
	"golang.org/x/image/tiff"

	"hotfolderd/thumbnails/jpegscale"
)

// rows is the function that decodes one row after the other.
func (p *tiffPicture) rows() (func(dst []byte) error, error) {
	switch p.compression {
	case tiffJPEG:
		if p.planes > 1 || p.layout.bits != 8 {
			return nil, tiff.UnsupportedError("JPEG in planes")
		}
		b := &jpegBand{p: p}
		return b.next, nil
	case tiffPlain, tiffLZW, tiffDeflate, tiffOldZip, tiffPackBits:
	default:
		return nil, tiff.UnsupportedError("compression")
	}
	if p.predictor && p.layout.bits != 8 && p.layout.bits != 16 && p.layout.bits != 32 {
		return nil, tiff.UnsupportedError("horizontal predictor of less than 8 bits")
	}
	b := &band{p: p, streams: make([]io.Reader, p.across*p.planes), seg: make([]byte, p.rowBytes())}
	b.full = b.seg
	if p.across > 1 {
		b.full = make([]byte, p.plane().rowBytes(p.segW*p.across))
	}
	if p.planes > 1 {
		b.joined = make([]byte, p.layout.rowBytes(p.w))
	}
	return b.next, nil
}

// band is the strips or tiles beside each other, each read from its top.
type band struct {
	p       *tiffPicture
	y       int
	streams []io.Reader // by plane, then from left to right
	seg     []byte      // a row of one segment
	full    []byte      // of all beside each other; the same where there is one
	joined  []byte      // of all planes
}

func (b *band) next(dst []byte) error {
	p := b.p
	if b.y%p.segH == 0 {
		if err := b.open(b.y / p.segH); err != nil {
			return err
		}
	}
	b.y++
	for plane := range p.planes {
		if err := b.row(plane); err != nil {
			return err
		}
		if p.planes > 1 {
			spread(b.joined, b.full, plane, p.planes, p.layout.bits/8, p.w)
		}
	}
	if p.planes > 1 {
		p.layout.unpack(dst, b.joined)
	} else {
		p.layout.unpack(dst, b.full)
	}
	return nil
}

// open begins the band with this number.
func (b *band) open(number int) error {
	p := b.p
	if p.planes > 1 && p.layout.bits < 8 {
		return tiff.UnsupportedError("planes of less than 8 bits")
	}
	each := len(p.offsets) / p.planes
	for i := range b.streams {
		n := i/p.across*each + number*p.across + i%p.across
		size := p.s.size
		if n < len(p.size) && p.compression != tiffPlain {
			size = p.size[n]
		}
		var err error
		if b.streams[i], err = p.unpacked(io.NewSectionReader(p.s, p.offsets[n], size), b.streams[i]); err != nil {
			return unexpected(err)
		}
	}
	return nil
}

// unpacked reads what is in r; before is the reader of the band above, which may serve again.
func (p *tiffPicture) unpacked(r, before io.Reader) (io.Reader, error) {
	if p.compression == tiffLZW {
		l, ok := before.(*lzwReader)
		if !ok {
			l = new(lzwReader)
		}
		l.reset(r)
		return l, nil
	}
	in := bufio.NewReaderSize(r, min(64<<10, max(int(p.rowBytes()), 4<<10)))
	switch p.compression {
	case tiffDeflate, tiffOldZip:
		return zlib.NewReader(in)
	case tiffPackBits:
		return &packBits{in: in}, nil
	}
	return in, nil
}

// row reads one of a plane into full.
func (b *band) row(plane int) error {
	p := b.p
	l := p.plane()
	for i := range p.across {
		if _, err := io.ReadFull(b.streams[plane*p.across+i], b.seg); err != nil {
			return unexpected(err)
		}
		if p.predictor {
			predict(b.seg, l.bits, l.samples, l.order)
		}
		if p.across > 1 {
			at := int(l.rowBytes(p.segW)) * i
			copy(b.full[min(at, len(b.full)):], b.seg)
		}
	}
	return nil
}

// predict adds to each sample that of the pixel before.
func predict(row []byte, bits, samples int, order binary.ByteOrder) {
	switch bits {
	case 8:
		predictBytes(row, samples)
	case 16:
		for i := 2 * samples; i+2 <= len(row); i += 2 {
			order.PutUint16(row[i:], order.Uint16(row[i:])+order.Uint16(row[i-2*samples:]))
		}
	case 32:
		for i := 4 * samples; i+4 <= len(row); i += 4 {
			order.PutUint32(row[i:], order.Uint32(row[i:])+order.Uint32(row[i-4*samples:]))
		}
	}
}

// predictBytes keeps the pixel before in variables, where it has three or four samples.
func predictBytes(row []byte, samples int) {
	switch samples {
	case 3:
		var a, b, c byte
		for ; len(row) >= 3; row = row[3:] {
			a, b, c = a+row[0], b+row[1], c+row[2]
			row[0], row[1], row[2] = a, b, c
		}
	case 4:
		var a, b, c, d byte
		for ; len(row) >= 4; row = row[4:] {
			a, b, c, d = a+row[0], b+row[1], c+row[2], d+row[3]
			row[0], row[1], row[2], row[3] = a, b, c, d
		}
	default:
		for i := samples; i < len(row); i++ {
			row[i] += row[i-samples]
		}
	}
}

// spread puts the samples of one plane where they are with samples side by side.
func spread(dst, src []byte, plane, planes, size, w int) {
	for x := range w {
		copy(dst[(x*planes+plane)*size:][:size], src[x*size:])
	}
}

// packBits unpacks runs: n+1 bytes as they are, or one byte 1-n times.
type packBits struct {
	in   *bufio.Reader
	left int
	run  bool
	b    byte
}

// Read implements io.Reader.
func (r *packBits) Read(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		if r.left == 0 {
			if err = r.head(); err != nil || r.left == 0 {
				continue
			}
		}
		piece := p[n:min(len(p), n+r.left)]
		got := len(piece)
		if r.run {
			for i := range piece {
				piece[i] = r.b
			}
		} else {
			got, err = io.ReadFull(r.in, piece)
		}
		r.left -= got
		n += got
	}
	if n > 0 {
		err = nil
	}
	return n, err
}

func (r *packBits) head() error {
	c, err := r.in.ReadByte()
	if err != nil {
		return err
	}
	switch n := int(int8(c)); {
	case n >= 0:
		r.left, r.run = n+1, false
	case n != -128:
		r.left, r.run = 1-n, true
		r.b, err = r.in.ReadByte()
	}
	return err
}

// jpegBand is the JPEGs beside each other, decoded as wholes.
type jpegBand struct {
	p    *tiffPicture
	y    int
	rows []rowReader
}

func (b *jpegBand) next(dst []byte) error {
	p := b.p
	if b.y%p.segH == 0 {
		b.rows = b.rows[:0]
		for i := range p.across {
			img, err := b.decode(b.y/p.segH*p.across+i, p.w-i*p.segW, p.h-b.y)
			if err != nil {
				return err
			}
			b.rows = append(b.rows, img)
		}
	}
	for i, row := range b.rows {
		part := dst[4*i*p.segW:]
		row(b.y%p.segH, part[:min(len(part), 4*p.segW)])
	}
	b.y++
	return nil
}

// decode decodes segment n, of which w x h pixels are in the picture.
func (b *jpegBand) decode(n, w, h int) (rowReader, error) {
	p := b.p
	if p.size[n] < 2 || p.size[n] > p.s.size {
		return nil, errTIFF("a JPEG of no size")
	}
	r := io.MultiReader(bytes.NewReader(p.before()), io.NewSectionReader(p.s, p.offsets[n]+2, p.size[n]-2))
	img, err := jpegscale.Decode(r, jpegscale.Size{Eighths: 8}, jpegscale.Limits{})
	if err != nil {
		return nil, unexpected(err)
	}
	if size := img.Bounds().Size(); size.X < min(w, p.segW) || size.Y < min(h, p.segH) {
		return nil, errTIFF("a JPEG that is smaller than its place")
	}
	if m, ok := img.(*image.CMYK); ok {
		if p.layout.model != modelInks {
			return nil, errTIFF("a JPEG of other colours")
		}
		return func(y int, dst []byte) { copy(dst, m.Pix[y*m.Stride:]) }, nil
	}
	if p.layout.model == modelInks {
		return nil, errTIFF("a JPEG of other colours")
	}
	return rowsOf(img), nil
}

// before is what stands in place of a segment's first marker: the common tables, and whether its colours are YCbCr.
func (p *tiffPicture) before() []byte {
	head := []byte{0xff, 0xd8}
	if p.layout.model == modelColours {
		transform := byte(0)
		if p.photometric == 6 {
			transform = 1
		}
		head = append(head, "\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00"...)
		head = append(head, transform)
	}
	if n := len(p.tables); n >= 4 {
		head = append(head, p.tables[2:n-2]...)
	}
	return head
}
