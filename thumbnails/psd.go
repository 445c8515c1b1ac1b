package thumbnails

import (
	"bufio"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"io"
)

// A Photoshop file ends with its picture as a whole, unless somebody switched that off; the layers are not looked at.

var (
	errPSD            = errors.New("psd: damaged")
	errPSDUnsupported = errors.New("psd: only 8 and 16 bits of grey, palette, RGB and CMYK are rendered")
)

// psdType is the MIME type.
const psdType = "image/vnd.adobe.photoshop"

// The modes of colour that are rendered; the numbers are the format's.
const (
	psdGray    = 1
	psdIndexed = 2
	psdRGB     = 3
	psdCMYK    = 4
	psdDuotone = 8 // its picture is grey
)

// psdHeader is the first 26 bytes.
type psdHeader struct {
	width, height, channels, depth, mode int
	large                                bool // PSB: some lengths have twice the bytes
}

func readPSDHeader(r io.Reader) (h psdHeader, err error) {
	var b [26]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return h, err
	}
	h = psdHeader{
		channels: int(binary.BigEndian.Uint16(b[12:])), height: int(binary.BigEndian.Uint32(b[14:])), width: int(binary.BigEndian.Uint32(b[18:])),
		depth: int(binary.BigEndian.Uint16(b[22:])), mode: int(binary.BigEndian.Uint16(b[24:])), large: b[5] == 2,
	}
	if h.channels < h.colours() || h.channels > 56 {
		return h, errPSD
	}
	return h, nil
}

// colours is how many channels the mode has; 0 is a mode that is not rendered.
func (h psdHeader) colours() int {
	return map[int]int{psdGray: 1, psdIndexed: 1, psdDuotone: 1, psdRGB: 3, psdCMYK: 4}[h.mode]
}

func psdConfig(r io.Reader) (image.Config, error) {
	h, err := readPSDHeader(r)
	return image.Config{Width: h.width, Height: h.height, ColorModel: color.NRGBAModel}, err
}

// decodePSD walks the sections to the picture.
func decodePSD(r io.Reader) (image.Image, error) {
	in := bufio.NewReaderSize(r, 64<<10)
	h, err := readPSDHeader(in)
	if err != nil {
		return nil, err
	}
	if h.colours() == 0 || h.depth != 8 && h.depth != 16 {
		return nil, errPSDUnsupported
	}
	palette, err := psdPalette(in, h)
	if err == nil {
		err = psdSkip(in, 4) // the resources
	}
	if err != nil {
		return nil, err
	}
	transparent, err := psdLayers(in, h)
	if err != nil {
		return nil, err
	}
	return psdPicture(in, h, palette, transparent && h.mode == psdRGB && h.channels > 3)
}

// psdPalette reads the section that has one in indexed pictures: all reds, all greens, all blues.
func psdPalette(in *bufio.Reader, h psdHeader) (color.Palette, error) {
	if h.mode != psdIndexed {
		return nil, psdSkip(in, 4)
	}
	var b [4 + 3*256]byte
	if _, err := io.ReadFull(in, b[:]); err != nil {
		return nil, err
	}
	if binary.BigEndian.Uint32(b[:]) != 3*256 {
		return nil, errPSD
	}
	p := make(color.Palette, 256)
	for i := range p {
		p[i] = color.NRGBA{b[4+i], b[4+256+i], b[4+512+i], 255}
	}
	return p, nil
}

// psdSkip skips a section that begins with its length in so many bytes.
func psdSkip(in *bufio.Reader, bytes int) error {
	n, err := psdNumber(in, bytes)
	if err == nil {
		_, err = io.CopyN(io.Discard, in, n)
	}
	return err
}

func psdNumber(in *bufio.Reader, bytes int) (n int64, err error) {
	for range bytes {
		b, err := in.ReadByte()
		if err != nil {
			return 0, err
		}
		n = n<<8 | int64(b)
	}
	if n < 0 {
		return 0, errPSD
	}
	return n, nil
}

// psdLayers skips the layers and reports whether the channel after the colours is the transparency of the whole: then
// the number of layers is negative.
func psdLayers(in *bufio.Reader, h psdHeader) (transparent bool, err error) {
	long := 4
	if h.large {
		long = 8
	}
	all, err := psdNumber(in, long)
	if err != nil {
		return false, err
	}
	if head, err := in.Peek(long + 2); err == nil && all > int64(long)+2 {
		transparent = int16(binary.BigEndian.Uint16(head[long:])) < 0
	}
	_, err = io.CopyN(io.Discard, in, all)
	return transparent, err
}

// psdPicture reads the channels one after the other, each row by row.
func psdPicture(in *bufio.Reader, h psdHeader, palette color.Palette, transparent bool) (image.Image, error) {
	channels := h.colours()
	if transparent {
		channels++
	}
	rows, err := psdRows(in, h, channels)
	if err != nil {
		return nil, err
	}
	rect := image.Rect(0, 0, h.width, h.height)
	var pix []byte
	var img image.Image
	step := 4
	switch {
	case palette != nil:
		m := image.NewPaletted(rect, palette)
		pix, img, step = m.Pix, m, 1
	case h.colours() == 1:
		m := image.NewGray(rect)
		pix, img, step = m.Pix, m, 1
	case h.mode == psdCMYK:
		m := image.NewCMYK(rect)
		pix, img = m.Pix, m
	default:
		m := image.NewNRGBA(rect)
		pix, img = m.Pix, m
		for i := 3; !transparent && i < len(pix); i += 4 {
			pix[i] = 255
		}
	}
	for ch := range channels {
		for y := range h.height {
			row, err := rows()
			if err != nil {
				return nil, err
			}
			psdRow(pix[(y*h.width)*step+ch:], row, step, h)
		}
	}
	return img, nil
}

// psdRow puts one channel of a row into its place. Inks are stored as what is left of the paper.
func psdRow(dst, row []byte, step int, h psdHeader) {
	flip, wide := byte(0), h.depth/8
	if h.mode == psdCMYK {
		flip = 255
	}
	for x := range h.width {
		dst[x*step] = row[x*wide] ^ flip
	}
}

// psdRows gives the next row of the next channel each time; what it gives is good until then.
func psdRows(in *bufio.Reader, h psdHeader, channels int) (func() ([]byte, error), error) {
	packing, err := psdNumber(in, 2)
	if err != nil {
		return nil, err
	}
	row := make([]byte, h.width*h.depth/8)
	switch packing {
	case 0:
		return func() ([]byte, error) { _, err := io.ReadFull(in, row); return row, err }, nil
	case 1:
		lengths, err := psdLengths(in, h, channels)
		next := 0
		return func() ([]byte, error) {
			err := unpackBits(in, row, lengths[next])
			next++
			return row, err
		}, err
	}
	return nil, errPSDUnsupported
}

// psdLengths reads how long the packed rows are: of the channels that are wanted; the table has all.
func psdLengths(in *bufio.Reader, h psdHeader, channels int) ([]int, error) {
	bytes := 2
	if h.large {
		bytes = 4
	}
	all := make([]int, channels*h.height)
	for i := range all {
		n, err := psdNumber(in, bytes)
		if err != nil {
			return nil, err
		}
		all[i] = int(n)
	}
	_, err := io.CopyN(io.Discard, in, int64(bytes*(h.channels-channels)*h.height))
	return all, err
}

// unpackBits fills a row from so many bytes: runs and repeated bytes, each after its count.
func unpackBits(in *bufio.Reader, row []byte, packed int) error {
	at := 0
	for packed > 0 {
		b, err := in.ReadByte()
		if err != nil {
			return err
		}
		packed--
		n := int(int8(b))
		switch {
		case n == -128:
		case n < 0:
			v, err := in.ReadByte()
			if err != nil || at+1-n > len(row) {
				return errors.Join(errPSD, err)
			}
			packed--
			for range 1 - n {
				row[at] = v
				at++
			}
		default:
			if at+n+1 > len(row) {
				return errPSD
			}
			if _, err := io.ReadFull(in, row[at:at+n+1]); err != nil {
				return err
			}
			packed -= n + 1
			at += n + 1
		}
	}
	if at != len(row) || packed != 0 {
		return errPSD
	}
	return nil
}

// psdProfile looks through the resources for the colour profile.
func psdProfile(s *source) ([]byte, error) {
	const iccProfile, most = 1039, 4096
	off := int64(26)
	n, err := s.number(off)
	if err != nil {
		return nil, err
	}
	off += 4 + n
	all, err := s.number(off)
	if err != nil {
		return nil, err
	}
	off += 4
	var head [8]byte
	for end, seen := off+all, 0; off+12 <= end && seen < most; seen++ {
		if _, err := s.ReadAt(head[:], off); err != nil {
			return nil, err
		}
		name := 1 + int64(head[6])
		off += 6 + name + name&1
		n, err := s.number(off)
		if err != nil || string(head[:4]) != "8BIM" {
			return nil, err
		}
		if binary.BigEndian.Uint16(head[4:]) == iccProfile {
			return s.bytes(span{off + 4, n})
		}
		off += 4 + n + n&1
	}
	return nil, nil
}

// number is four bytes, the highest first.
func (s *source) number(off int64) (int64, error) {
	var b [4]byte
	_, err := s.ReadAt(b[:], off)
	return int64(binary.BigEndian.Uint32(b[:])), err
}
