package thumbnails

import (
	"bufio"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"io"

	"github.com/klauspost/compress/zlib"
)

// maxRow bounds one row of a picture that is read row by row.
const maxRow = 256 << 20

// decodePNG reads a picture row by row; one that is interlaced has its rows all over the file and is read as a whole.
func decodePNG(r io.Reader) (image.Image, error) {
	in := bufio.NewReaderSize(r, 64<<10)
	head, err := in.Peek(8 + 25)
	if err != nil {
		return nil, unexpected(err)
	}
	ihdr := head[16:29]
	if ihdr[12] != 0 {
		return png.Decode(in)
	}
	p := &pngRows{in: in, w: int(binary.BigEndian.Uint32(ihdr)), h: int(binary.BigEndian.Uint32(ihdr[4:]))}
	if err := p.header(ihdr[8], ihdr[9]); err != nil {
		return nil, err
	}
	if _, err := in.Discard(len(head)); err != nil {
		return nil, unexpected(err)
	}
	if err := p.untilPixels(); err != nil {
		return nil, err
	}
	n := p.l.rowBytes(p.w)
	if n > maxRow {
		return nil, png.UnsupportedError("a row of that length")
	}
	p.cur, p.prev = make([]byte, n), make([]byte, n)
	f := newFlowing(p.w, p.h, p.next)
	f.gray, f.opaque = p.l.model == modelGrey, p.l.opaque()
	return f, nil
}

// unexpected is the end of the file where more is needed.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// pngRows unpacks and unfilters one row after the other.
type pngRows struct {
	in        *bufio.Reader
	w, h, y   int
	l         layout
	left      int64 // bytes of the chunk
	sum       uint32
	z         io.ReadCloser
	cur, prev []byte
}

func (p *pngRows) header(depth, kind byte) error {
	allowed := map[byte]string{0: "\x01\x02\x04\x08\x10", 2: "\x08\x10", 3: "\x01\x02\x04\x08", 4: "\x08\x10", 6: "\x08\x10"}[kind]
	ok := false
	for i := range len(allowed) {
		ok = ok || allowed[i] == depth
	}
	if !ok {
		return png.FormatError("bad color type and depth")
	}
	p.l = layout{bits: int(depth), samples: 1, order: binary.BigEndian}
	switch kind {
	case 2, 6:
		p.l.model, p.l.samples = modelColours, 3
	case 3:
		p.l.model = modelPalette
		p.l.palette = &[256]color.NRGBA{}
		for i := range p.l.palette {
			p.l.palette[i].A = 255 // an index beyond the palette is black, as browsers show it
		}
	}
	if kind >= 4 {
		p.l.alpha = alphaStraight
		p.l.samples++
	}
	return nil
}

// untilPixels reads chunks up to the first with pixels.
func (p *pngRows) untilPixels() error {
	coloured := false
	for {
		kind, err := p.chunk()
		if err != nil {
			return err
		}
		switch {
		case kind == "IDAT":
			if p.l.model == modelPalette && !coloured {
				return png.FormatError("no palette")
			}
			p.z, err = zlib.NewReader(p)
			return err
		case kind == "IEND":
			return png.FormatError("no pixels")
		case kind == "PLTE" && p.l.model == modelPalette && p.left <= 3*256, kind == "tRNS" && p.left <= 256:
			b := make([]byte, p.left)
			if _, err := io.ReadFull(p.in, b); err != nil {
				return unexpected(err)
			}
			p.sum, p.left = crc32.Update(p.sum, crc32.IEEETable, b), 0
			coloured = coloured || kind == "PLTE"
			p.heed(kind, b)
		}
		if err := p.endChunk(); err != nil {
			return err
		}
	}
}

// heed takes a palette or what is transparent.
func (p *pngRows) heed(kind string, b []byte) {
	switch {
	case kind == "PLTE":
		for i := range len(b) / 3 {
			c := &p.l.palette[i]
			c.R, c.G, c.B = b[3*i], b[3*i+1], b[3*i+2]
		}
	case p.l.model == modelPalette:
		for i, a := range b {
			p.l.palette[i].A = a
		}
	case p.l.alpha == alphaNone && len(b) == 2*p.l.samples:
		p.l.through = make([]uint32, p.l.samples)
		for i := range p.l.through {
			p.l.through[i] = uint32(binary.BigEndian.Uint16(b[2*i:])) & (1<<p.l.bits - 1)
		}
	}
}

func (p *pngRows) chunk() (kind string, err error) {
	var head [8]byte
	if _, err := io.ReadFull(p.in, head[:]); err != nil {
		return "", unexpected(err)
	}
	p.left = int64(binary.BigEndian.Uint32(head[:]))
	p.sum = crc32.ChecksumIEEE(head[4:])
	return string(head[4:]), nil
}

// endChunk steps over what is left of a chunk. The sum of one that was stepped over is not looked at.
func (p *pngRows) endChunk() error {
	whole := p.left == 0
	for p.left > 0 {
		n, err := p.in.Discard(int(min(p.left, 1<<20)))
		p.left -= int64(n)
		if err != nil {
			return unexpected(err)
		}
	}
	var sum [4]byte
	if _, err := io.ReadFull(p.in, sum[:]); err != nil {
		return unexpected(err)
	}
	if whole && binary.BigEndian.Uint32(sum[:]) != p.sum {
		return png.FormatError("invalid checksum")
	}
	return nil
}

// Read is what all chunks of pixels have together.
func (p *pngRows) Read(b []byte) (int, error) {
	for p.left == 0 {
		if err := p.endChunk(); err != nil {
			return 0, err
		}
		kind, err := p.chunk()
		if err != nil {
			return 0, err
		}
		if kind != "IDAT" {
			return 0, io.ErrUnexpectedEOF
		}
	}
	n, err := p.in.Read(b[:min(int64(len(b)), p.left)])
	p.left -= int64(n)
	p.sum = crc32.Update(p.sum, crc32.IEEETable, b[:n])
	return n, unexpected(err)
}

func (p *pngRows) next(dst []byte) error {
	var filter [1]byte
	if _, err := io.ReadFull(p.z, filter[:]); err != nil {
		return unexpected(err)
	}
	p.cur, p.prev = p.prev, p.cur
	if _, err := io.ReadFull(p.z, p.cur); err != nil {
		return unexpected(err)
	}
	if err := unfilter(filter[0], p.cur, p.prev, max(p.l.samples*p.l.bits/8, 1)); err != nil {
		return err
	}
	p.l.unpack(dst, p.cur)
	if p.y++; p.y < p.h {
		return nil
	}
	if n, err := p.z.Read(filter[:]); n > 0 {
		return png.FormatError("too much pixel data")
	} else if err != io.EOF {
		return err
	}
	return nil
}

// unfilter adds to a row what was foretold from its neighbours, per bytes to the left and above.
func unfilter(filter byte, cur, up []byte, per int) error {
	up = up[:len(cur)]
	switch filter {
	case 0:
	case 1:
		for i := per; i < len(cur); i++ {
			cur[i] += cur[i-per]
		}
	case 2:
		for i, v := range up {
			cur[i] += v
		}
	case 3:
		for i := range min(per, len(cur)) {
			cur[i] += up[i] / 2
		}
		for i := per; i < len(cur); i++ {
			cur[i] += uint8((int(cur[i-per]) + int(up[i])) / 2)
		}
	case 4:
		paeth(cur, up, per)
	default:
		return png.FormatError("bad filter type")
	}
	return nil
}

func paeth(cur, up []byte, per int) {
	for i := range min(per, len(cur)) {
		var a, c int
		for j := i; j < len(cur); j += per {
			b := int(up[j])
			pa, pb := b-c, a-c
			pc := pa + pb
			pa, pb, pc = max(pa, -pa), max(pb, -pb), max(pc, -pc)
			switch {
			case pa <= pb && pa <= pc:
			case pb <= pc:
				a = b
			default:
				a = c
			}
			a = int(uint8(a + int(cur[j])))
			cur[j] = uint8(a)
			c = b
		}
	}
}
