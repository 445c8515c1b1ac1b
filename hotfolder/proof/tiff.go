package proof

import (
	"context"
	"encoding/binary"
	"fmt"
)

const (
	maxDirs    = 4096
	maxEntries = 1 << 17
)

// tiff is a walk over the directories of a TIFF or BigTIFF, and of the raw formats of cameras that are TIFFs.
type tiff struct {
	s       *source
	o       binary.ByteOrder
	big     bool
	seen    map[int64]bool
	entries int
	reach   int64 // the furthest byte that anything refers to
	pixels  int64 // the furthest byte of the pixels of the directory at hand
	bare    bool  // some pixels have no length
	pages   int   // directories with pixels
}

// walkTIFF follows every directory, and every strip, tile and value to its end; the furthest must be the end of the file.
// TIFF has no end mark, so a zero at the end, a page of zeros anywhere and a directory behind its pixels are doubts: the
// last is how a writer that adds pages leaves the file after each of them.
func walkTIFF(ctx context.Context, s *source) (string, error) {
	t := &tiff{s: s, o: binary.LittleEndian, seen: map[int64]bool{}}
	appended, err := t.chain(ctx)
	switch {
	case err != nil:
		return "", err
	case t.pages == 0:
		return "", doubt("has no pixels where they belong")
	case t.bare:
		return "", doubt("does not say how long its pixels are")
	case t.reach != s.size && (t.reach+1 != s.size || t.reach%2 == 0):
		return "", doubtf("is used up to byte %d, the file ends at byte %d", t.reach, s.size)
	case appended:
		return "", doubt("has its directory behind its pixels, so that more pages may follow")
	}
	if err := liveEnd(ctx, s, t.reach); err != nil {
		return "", err
	}
	return fmt.Sprintf("refers to all bytes up to byte %d", t.reach), written(ctx, s, span{0, s.size})
}

// chain walks the main directories. appended says that the last one lies behind its pixels.
func (t *tiff) chain(ctx context.Context) (appended bool, err error) {
	at, err := t.header(ctx)
	if err != nil {
		return false, err
	}
	if at == 0 {
		return false, fault("has no directory yet")
	}
	for at != 0 {
		here := at
		t.pixels = 0
		if at, err = t.dir(ctx, here, 0); err != nil {
			return false, err
		}
		appended = t.pixels > 0 && here >= t.pixels
	}
	return appended, nil
}

// header is the offset of the first directory.
func (t *tiff) header(ctx context.Context) (int64, error) {
	b, err := t.s.bytes(ctx, 0, 8)
	if err != nil {
		return 0, err
	}
	if b[0] == 'M' {
		t.o = binary.BigEndian
	}
	if t.big = t.o.Uint16(b[2:]) == 43; !t.big {
		return int64(t.o.Uint32(b[4:])), nil
	}
	if t.o.Uint16(b[4:]) != 8 || t.o.Uint16(b[6:]) != 0 {
		return 0, fault("has offsets that are not of 8 bytes")
	}
	return t.word(ctx, 8)
}

// word reads an offset or a count of the width that the file has, bounded so that sums cannot overflow.
func (t *tiff) word(ctx context.Context, at int64) (int64, error) {
	if !t.big {
		v, err := t.s.u32(ctx, t.o, at)
		return int64(v), err
	}
	v, err := t.s.u64(ctx, t.o, at)
	return int64(min(v, 1<<56)), err
}

// touch notes that [at, at+n) is used; it must be in the file.
func (t *tiff) touch(at, n int64) error {
	if at+n > t.s.size {
		return faultf("refers to bytes up to %d, the file ends at byte %d", at+n, t.s.size)
	}
	t.reach = max(t.reach, at+n)
	return nil
}

// dir walks the directory at at and those below it, and returns the offset of the next one in the chain.
func (t *tiff) dir(ctx context.Context, at int64, depth int) (int64, error) {
	if t.seen[at] {
		return 0, faultf("has directories that lead in a circle at byte %d", at)
	}
	if t.seen[at] = true; len(t.seen) > maxDirs {
		return 0, doubtf("has more than %d directories", maxDirs)
	}
	head, size, width := int64(2), int64(12), int64(4)
	if t.big {
		head, size, width = 8, 20, 8
	}
	n, err := t.count(ctx, at)
	if err != nil {
		return 0, err
	}
	if t.entries += int(n); t.entries > maxEntries {
		return 0, doubtf("has more than %d entries", maxEntries)
	}
	if err := t.touch(at, head+n*size+width); err != nil {
		return 0, err
	}
	var d directory
	for i := range n {
		e, err := t.entry(ctx, at+head+i*size)
		if err != nil {
			return 0, err
		}
		d.note(e)
	}
	if err := t.contents(ctx, &d, depth); err != nil {
		return 0, err
	}
	return t.word(ctx, at+head+n*size)
}

// count is the number of entries of the directory at at.
func (t *tiff) count(ctx context.Context, at int64) (int64, error) {
	var n int64
	if t.big {
		v, err := t.s.u64(ctx, t.o, at)
		if err != nil {
			return 0, err
		}
		n = int64(min(v, maxEntries+1))
	} else {
		v, err := t.s.u16(ctx, t.o, at)
		if err != nil {
			return 0, err
		}
		n = int64(v)
	}
	if n == 0 {
		return 0, faultf("has an empty directory at byte %d", at)
	}
	return n, nil
}
