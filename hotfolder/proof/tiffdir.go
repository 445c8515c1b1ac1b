package proof

import "context"

// entry is one entry of a directory: n values of size bytes each, at at.
type entry struct {
	tag  uint16
	size int64
	n    int64
	at   int64
}

// The tags that lead to other bytes of the file.
const (
	tagStrips, tagStripLengths   = 273, 279
	tagTiles, tagTileLengths     = 324, 325
	tagPreview, tagPreviewLength = 513, 514
	tagSubDirs                   = 330
	tagExif, tagGPS, tagInterop  = 34665, 34853, 40965
)

// widths are the bytes of a value by its type; a type that is not known counts as bytes.
var widths = [...]int64{0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8}

// entry reads the entry at at and touches its values.
func (t *tiff) entry(ctx context.Context, at int64) (entry, error) {
	size, value, room := 12, at+8, int64(4)
	if t.big {
		size, value, room = 20, at+12, 8
	}
	b, err := t.s.bytes(ctx, at, size)
	if err != nil {
		return entry{}, err
	}
	e := entry{tag: t.o.Uint16(b), size: 1, at: value}
	if kind := t.o.Uint16(b[2:]); int(kind) < len(widths) && widths[kind] > 0 {
		e.size = widths[kind]
	}
	if e.n, err = t.word(ctx, at+4); err != nil {
		return entry{}, err
	}
	if e.n*e.size > room {
		if e.at, err = t.word(ctx, value); err != nil {
			return entry{}, err
		}
		err = t.touch(e.at, e.n*e.size)
	}
	return e, err
}

// values reads up to len(to) values of e from the i-th on.
func (t *tiff) values(ctx context.Context, e entry, i int64, to []int64) error {
	for k := range to {
		at := e.at + (i+int64(k))*e.size
		var v uint64
		switch e.size {
		case 2:
			w, err := t.s.u16(ctx, t.o, at)
			if err != nil {
				return err
			}
			v = uint64(w)
		case 4:
			w, err := t.s.u32(ctx, t.o, at)
			if err != nil {
				return err
			}
			v = uint64(w)
		case 8:
			w, err := t.s.u64(ctx, t.o, at)
			if err != nil {
				return err
			}
			v = w
		default:
			return faultf("has an offset of %d bytes at byte %d", e.size, at)
		}
		to[k] = int64(min(v, 1<<56))
	}
	return nil
}

// directory is the entries of one directory that lead elsewhere.
type directory struct {
	offsets, lengths [3]entry // strips, tiles, preview
	below            []entry
}

func (d *directory) note(e entry) {
	switch e.tag {
	case tagStrips:
		d.offsets[0] = e
	case tagStripLengths:
		d.lengths[0] = e
	case tagTiles:
		d.offsets[1] = e
	case tagTileLengths:
		d.lengths[1] = e
	case tagPreview:
		d.offsets[2] = e
	case tagPreviewLength:
		d.lengths[2] = e
	case tagSubDirs, tagExif, tagGPS, tagInterop:
		if len(d.below) < 64 {
			d.below = append(d.below, e)
		}
	}
}

// contents touches the pixels of d and walks the directories below it.
func (t *tiff) contents(ctx context.Context, d *directory, depth int) error {
	for i := range d.offsets {
		if d.offsets[i].n == 0 {
			continue
		}
		if d.lengths[i].n != d.offsets[i].n {
			t.bare = true
			continue
		}
		t.pages++
		if err := t.data(ctx, d.offsets[i], d.lengths[i]); err != nil {
			return err
		}
	}
	if depth == 4 {
		return nil
	}
	for _, e := range d.below {
		if err := t.below(ctx, e, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// data touches all parts of an image, some hundred at a time, so that the two tables are read in turns.
func (t *tiff) data(ctx context.Context, offsets, lengths entry) error {
	var at, n [256]int64
	for i := int64(0); i < offsets.n; i += int64(len(at)) {
		k := min(int64(len(at)), offsets.n-i)
		if err := t.values(ctx, offsets, i, at[:k]); err != nil {
			return err
		}
		if err := t.values(ctx, lengths, i, n[:k]); err != nil {
			return err
		}
		for p := range k {
			if err := t.touch(at[p], n[p]); err != nil {
				return err
			}
			t.pixels = max(t.pixels, at[p]+n[p])
		}
	}
	return nil
}

// below walks the directories that e points to. What some cameras leave behind those as the next one is not followed.
func (t *tiff) below(ctx context.Context, e entry, depth int) error {
	var at [1]int64
	for i := range e.n {
		if err := t.values(ctx, e, i, at[:]); err != nil {
			return err
		}
		if at[0] == 0 {
			continue
		}
		if _, err := t.dir(ctx, at[0], depth); err != nil {
			return err
		}
	}
	return nil
}
