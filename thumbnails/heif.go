package thumbnails

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"io"

	"github.com/gen2brain/avif"
	"github.com/gen2brain/heic"
)

// The decoders of HEIC and AVIF are libheif and libavif as WebAssembly: slow, and as safe as Go. What a file says of its
// main picture is read here before, so that nothing is decoded that is too large.

const (
	// maxMeta bounds the box that describes the pictures; those of a hundred tiles have some kilobytes.
	maxMeta = 4 << 20
	// maxHEIF bounds the file, which is held as a whole.
	maxHEIF = 256 << 20
	// maxBoxes bounds how many boxes of one level are looked at.
	maxBoxes = 4096
)

var errHEIF = errors.New("heif: no main picture is described")

// heifLayout is what the properties of the main picture say.
type heifLayout struct {
	width, height int // as coded
	quarters      int // anti-clockwise quarter turns that are due
	mirrored      bool
	axis          byte // 0 exchanges top and bottom, 1 left and right; after the turn
	profile       []byte
	cut           image.Point // what is left of it before it is turned; zero is all
}

// brands of the two formats. Files of "mif1" name what they hold among the compatible ones.
var (
	heicBrands = []string{"heic", "heix", "heim", "heis", "hevc", "hevx"}
	avifBrands = []string{"avif", "avis"}
)

func isHEIC(head []byte) bool { return hasBrand(head, heicBrands) }

func isAVIF(head []byte) bool { return hasBrand(head, avifBrands) }

func hasBrand(head []byte, brands []string) bool {
	if len(head) < 16 || string(head[4:8]) != "ftyp" {
		return false
	}
	size := min(int(binary.BigEndian.Uint32(head)), len(head))
	for at := 8; at+4 <= size; at += 4 {
		for _, b := range brands {
			if at != 12 && string(head[at:at+4]) == b {
				return true
			}
		}
	}
	return false
}

// readHEIF finds the main picture in the box of metadata.
func readHEIF(s *source) (heifLayout, error) {
	meta, err := metaBox(s)
	if err != nil {
		return heifLayout{}, err
	}
	main, properties, chosen, err := described(meta)
	if err != nil {
		return heifLayout{}, err
	}
	var l heifLayout
	for _, i := range associated(chosen, main) {
		if i >= 1 && i <= len(properties) {
			l.take(properties[i-1])
		}
	}
	if l.width == 0 || l.height == 0 {
		return l, errHEIF
	}
	return l, nil
}

// metaBox is the content of the first meta box of the file.
func metaBox(s *source) ([]byte, error) {
	var head [16]byte
	for off, seen := int64(0), 0; seen < maxBoxes; seen++ {
		if _, err := s.ReadAt(head[:], off); err != nil && err != io.EOF {
			return nil, err
		}
		size, begin := int64(binary.BigEndian.Uint32(head[:])), int64(8)
		if size == 1 {
			size, begin = int64(binary.BigEndian.Uint64(head[8:])), 16
		}
		if string(head[4:8]) == "meta" && size-begin-4 > 0 && size <= maxMeta {
			b := make([]byte, size-begin-4)
			_, err := s.ReadAt(b, off+begin+4)
			return b, err
		}
		if size < begin || off+size <= off || off+size >= s.size {
			return nil, errHEIF
		}
		off += size
	}
	return nil, errHEIF
}

// box is one box of a level that is in memory.
type box struct {
	kind string
	body []byte
}

// boxes splits a level; what is cut off is left out.
func boxes(b []byte) []box {
	var all []box
	for len(b) >= 8 && len(all) < maxBoxes {
		n := int(binary.BigEndian.Uint32(b))
		if n < 8 || n > len(b) {
			break
		}
		all = append(all, box{string(b[4:8]), b[8:n]})
		b = b[n:]
	}
	return all
}

// described finds which item is the main one, all properties, and which belong to which item.
func described(meta []byte) (main uint32, properties []box, chosen []byte, err error) {
	main, found := uint32(0), false
	for _, b := range boxes(meta) {
		switch {
		case b.kind == "pitm" && len(b.body) >= 8 && b.body[0] > 0:
			main, found = binary.BigEndian.Uint32(b.body[4:]), true
		case b.kind == "pitm" && len(b.body) >= 6:
			main, found = uint32(binary.BigEndian.Uint16(b.body[4:])), true
		case b.kind == "iprp":
			for _, p := range boxes(b.body) {
				switch p.kind {
				case "ipco":
					properties = boxes(p.body)
				case "ipma":
					chosen = p.body
				}
			}
		}
	}
	if !found || chosen == nil {
		err = errHEIF
	}
	return main, properties, chosen, err
}

// associated reads the table of items for the properties of one.
func associated(table []byte, item uint32) (properties []int) {
	if len(table) < 8 {
		return nil
	}
	wideItem, wideIndex := table[0] > 0, table[3]&1 > 0
	r := bytes.NewReader(table[8:])
	for range binary.BigEndian.Uint32(table[4:]) {
		id, count := number(r, 2, wideItem), number(r, 1, false)
		if r.Len() == 0 {
			return nil
		}
		for range count {
			i := number(r, 1, wideIndex)
			if wideIndex {
				i &= 0x7fff
			} else {
				i &= 0x7f
			}
			if id == item {
				properties = append(properties, int(i))
			}
		}
		if id == item {
			return properties
		}
	}
	return nil
}

// number reads a number of so many bytes, or twice as many.
func number(r io.ByteReader, bytes int, wide bool) (n uint32) {
	if wide {
		bytes *= 2
	}
	for range bytes {
		b, _ := r.ReadByte()
		n = n<<8 | uint32(b)
	}
	return n
}

// take keeps what one property says. A profile by numbers (nclx) is not heeded.
func (l *heifLayout) take(p box) {
	switch b := p.body; {
	case p.kind == "ispe" && len(b) >= 12:
		l.width, l.height = int(binary.BigEndian.Uint32(b[4:])), int(binary.BigEndian.Uint32(b[8:]))
	case p.kind == "clap" && len(b) >= 16:
		l.cut = image.Pt(ratioOf(b), ratioOf(b[8:]))
	case p.kind == "irot" && len(b) >= 1:
		l.quarters = int(b[0] & 3)
	case p.kind == "imir" && len(b) >= 1:
		l.mirrored, l.axis = true, b[0]&1
	case p.kind == "colr" && len(b) > 4 && (string(b[:4]) == "prof" || string(b[:4]) == "rICC"):
		l.profile = b[4:]
	}
}

// ratioOf is a length that is written as a fraction.
func ratioOf(b []byte) int {
	n, d := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	if d == 0 {
		return 0
	}
	return int((n + d/2) / d)
}

// upright is the size of what libheif makes of it, which cuts and turns by itself.
func (l heifLayout) upright() (w, h int) {
	w, h = l.width, l.height
	if l.cut.X > 0 && l.cut.Y > 0 {
		w, h = min(l.cut.X, w), min(l.cut.Y, h)
	}
	if l.quarters%2 == 1 {
		w, h = h, w
	}
	return w, h
}

// orientation is the same in the numbers of EXIF.
func (l heifLayout) orientation() int {
	turned := [4]int{1, 8, 3, 6}
	if !l.mirrored {
		return turned[l.quarters]
	}
	if l.axis == 1 {
		return [4]int{2, 7, 4, 5}[l.quarters]
	}
	return [4]int{4, 5, 2, 7}[l.quarters]
}

// decodeHEIC gives the picture upright already; decodeAVIF as it is coded.
func decodeHEIC(r io.Reader) (image.Image, error) { return inMemory(r, heic.Decode) }

func decodeAVIF(r io.Reader) (image.Image, error) { return inMemory(r, avif.Decode) }

func inMemory(r io.Reader, decode func(io.Reader) (image.Image, error)) (image.Image, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxHEIF+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxHEIF {
		return nil, errors.New("heif: the file is larger than can be held in memory")
	}
	return decode(bytes.NewReader(data))
}
