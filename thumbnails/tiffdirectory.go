package thumbnails

import (
	"encoding/binary"
	"slices"
)

// The tags that are looked at.
const (
	tagSubfileType  = 254
	tagWidth        = 256
	tagHeight       = 257
	tagBits         = 258
	tagCompression  = 259
	tagPhotometric  = 262
	tagStrips       = 273
	tagOrientation  = 274
	tagSamples      = 277
	tagRowsPerStrip = 278
	tagStripBytes   = 279
	tagPlanar       = 284
	tagPredictor    = 317
	tagColours      = 320
	tagTileWidth    = 322
	tagTileHeight   = 323
	tagTiles        = 324
	tagTileBytes    = 325
	tagDirectories  = 330
	tagInkSet       = 332
	tagExtra        = 338
	tagFormat       = 339
	tagTables       = 347
	tagJPEG         = 513
	tagJPEGBytes    = 514
	tagSubsampling  = 530
	tagProfile      = 34675
)

// tiffReader reads directories, of files with offsets of four bytes and of eight (BigTIFF). What leads out of the file ends it without
// an error: the decoder will say so.
type tiffReader struct {
	s     *source
	order binary.ByteOrder
	big   bool
}

func newTIFFReader(s *source) (r tiffReader, first int64, ok bool) {
	var head [16]byte
	if n, err := s.ReadAt(head[:], 0); n < 8 {
		return r, 0, err == nil
	}
	r = tiffReader{s: s, order: binary.LittleEndian}
	if head[0] == 'M' {
		r.order = binary.BigEndian
	}
	if r.big = r.order.Uint16(head[2:]) == 43; r.big {
		return r, int64(r.order.Uint64(head[8:])), true
	}
	return r, int64(r.order.Uint32(head[4:])), true
}

// number is one of the file's own width.
func (r tiffReader) number(b []byte) int64 {
	if r.big {
		return int64(r.order.Uint64(b))
	}
	return int64(r.order.Uint32(b))
}

// width is how many bytes a number has.
func (r tiffReader) width() int {
	if r.big {
		return 8
	}
	return 4
}

// directory is its entries: a tag, a type, the number of values, and the values or where they are.
type directory struct {
	r       tiffReader
	entries []byte
}

func (d directory) entryBytes() int { return 4 + 2*d.r.width() }

func (r tiffReader) directory(at int64) (d directory, next int64, err error) {
	const most = 4096
	head := make([]byte, 2)
	if r.big {
		head = make([]byte, 8)
	}
	if _, err := r.s.ReadAt(head, at); err != nil {
		return d, 0, err
	}
	n := uint64(r.order.Uint16(head))
	if r.big {
		n = r.order.Uint64(head)
	}
	d = directory{r: r}
	d.entries = make([]byte, d.entryBytes()*int(min(n, most)))
	at += int64(len(head))
	if _, err := r.s.ReadAt(d.entries, at); err != nil {
		return d, 0, err
	}
	end := make([]byte, r.width())
	if _, err := r.s.ReadAt(end, at+int64(len(d.entries))); err != nil {
		return d, 0, nil // some writers leave out that nothing follows
	}
	return d, r.number(end), nil
}

// entry is what the directory says of a tag: the type, the number of values, and the bytes in the entry.
func (d directory) entry(tag uint16) (kind uint16, count int64, body []byte, ok bool) {
	for e := range slices.Chunk(d.entries, d.entryBytes()) {
		if d.r.order.Uint16(e) == tag {
			w := d.r.width()
			return d.r.order.Uint16(e[2:]), d.r.number(e[4:]), e[4+w:], true
		}
	}
	return 0, 0, nil, false
}

// value is a tag's number of values and the first of them, when they fit into the entry; else where the values are.
func (d directory) value(tag uint16) (first, count int64, ok bool) {
	kind, count, body, ok := d.entry(tag)
	switch {
	case !ok:
		return 0, 0, false
	case kind == 3 && count == 1:
		return int64(d.r.order.Uint16(body)), count, true
	case kind == 4 && count == 1:
		return int64(d.r.order.Uint32(body)), count, true
	}
	return d.r.number(body), count, true
}

// first is a tag's first value, or what holds without it.
func (d directory) first(tag uint16, otherwise int64) (int64, error) {
	all, err := d.values(tag, 1)
	if err != nil || len(all) == 0 {
		return otherwise, err
	}
	return all[0], nil
}

// values are a tag's, at most so many; none when there is no such tag.
func (d directory) values(tag uint16, most int64) ([]int64, error) {
	kind, count, body, ok := d.entry(tag)
	size, known := map[uint16]int64{1: 1, 3: 2, 4: 4, 13: 4, 16: 8, 18: 8}[kind]
	if !ok || !known || count < 1 {
		return nil, nil
	}
	inside := count*size <= int64(len(body))
	n := min(count, most)
	if !inside {
		at := d.r.number(body)
		if at < 0 || n > (d.r.s.size-at)/size {
			return nil, errTIFF("its values lie beyond its end")
		}
		body = make([]byte, n*size)
		if _, err := d.r.s.ReadAt(body, at); err != nil {
			return nil, err
		}
	}
	all := make([]int64, n)
	for i := range all {
		b := body[int64(i)*size:]
		switch size {
		case 1:
			all[i] = int64(b[0])
		case 2:
			all[i] = int64(d.r.order.Uint16(b))
		case 4:
			all[i] = int64(d.r.order.Uint32(b))
		case 8:
			all[i] = int64(d.r.order.Uint64(b))
		}
	}
	return all, nil
}
