package proof

import (
	"bytes"
	"encoding/binary"
	"io"
	"runtime"
	"strings"
	"testing"
)

// sparse is a large file of which only some parts are said: the rest is made up, without zeros, but for the hole.
type sparse struct {
	parts map[int64][]byte
	hole  span
	zeros bool   // the rest is zeros
	read  *int64 // bytes
}

func (f sparse) ReadAt(b []byte, off int64) (int, error) {
	*f.read += int64(len(b))
	for n := 0; n < len(b); {
		n += copy(b[n:], nonzero)
	}
	if from := max(f.hole.from, off); from < min(f.hole.to, off+int64(len(b))) {
		clear(b[from-off : min(f.hole.to-off, int64(len(b)))])
	}
	if f.zeros {
		clear(b)
	}
	for at, part := range f.parts {
		if from := max(at, off); from < min(at+int64(len(part)), off+int64(len(b))) {
			copy(b[from-off:], part[from-at:])
		}
	}
	return len(b), nil
}

var nonzero = noise(4 * page)

// largeFilm is a film of the given size with its index in front, and data of which nothing but the head is said.
func largeFilm(t testing.TB, size int64) map[int64][]byte {
	film := asset(t, "clip.mp4")
	at := bytes.Index(film, []byte("mdat")) - 4
	binary.BigEndian.PutUint32(film[at-4:], uint32(at+16)) // the chunk is where the longer header ends
	head := append(bytes.Clone(film[:at]), "\x00\x00\x00\x01mdat"...)
	return map[int64][]byte{0: binary.BigEndian.AppendUint64(head, uint64(size-int64(at)))}
}

func TestCheck_provesALargeFilmByLittleOfIt(t *testing.T) {
	const size = 20 << 30
	var read int64
	f := sparse{parts: largeFilm(t, size), read: &read}
	got, err := Check(t.Context(), f, size)
	if err != nil || got.Verdict != Complete {
		t.Errorf("want a proof, got %v %s, %v", got.Verdict, got, err)
	}
	if read > 4<<20 {
		t.Errorf("want at most 4 MiB read, got %d bytes", read)
	}
}

// What the samples see of a large file: a gap of size/256, wherever it is. Smaller ones are for SEEK_HOLE.
func TestCheck_samplesFindALargeGap(t *testing.T) {
	const size = 1 << 30
	const gap = size / samples
	for from := int64(page); from+gap <= size; from += 31 << 20 {
		var read int64
		f := sparse{parts: largeFilm(t, size), hole: span{from, from + gap}, read: &read}
		if got, err := Check(t.Context(), f, size); err != nil || got.Verdict != Unknown {
			t.Errorf("gap at %d: want a doubt, got %s, %v", from, got, err)
		}
	}
}

// Files that say much about themselves must not cost more than a bounded number of reads.
func TestCheck_isBounded(t *testing.T) {
	le, size := binary.LittleEndian, int64(1)<<40
	tiffHead := func(tag, kind uint16, n, at uint32) []byte {
		b := append([]byte("II*\x00\x08\x00\x00\x00"), 2, 0)
		for _, tag := range []uint16{tag, tag + 6} {
			b = le.AppendUint32(le.AppendUint32(le.AppendUint16(le.AppendUint16(b, tag), kind), n), at)
		}
		return b
	}
	boxes := bytes.Repeat([]byte("\x00\x00\x00\x08free"), 1<<17)
	for name, parts := range map[string]map[int64][]byte{
		"strips without number":      {0: tiffHead(tagStrips, 4, 1<<32-1, 4096)},
		"directories without number": {0: tiffHead(tagSubDirs, 4, 1<<32-1, 4096)},
		"boxes without number":       {0: append(atom("ftyp", []byte("isom0000")...), boxes...)},
		"directory of a ZIP": {0: []byte("PK\x03\x04"), size - 22: append([]byte("PK\x05\x06\x00\x00\x00\x00\xff\xff\xff\xff"),
			0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0)},
	} {
		var read int64
		got, err := Check(t.Context(), sparse{parts: parts, zeros: true, read: &read}, size)
		if err != nil || got.Verdict == Complete {
			t.Errorf("%s: want no proof, got %s, %v", name, got, err)
		}
		if read > 3*maxRead {
			t.Errorf("%s: want a bounded number of bytes read, got %d", name, read)
		}
	}
}

func TestCheck_needsLittleMemory(t *testing.T) {
	for _, name := range []string{"photo-large.jpg", "broken/bomb.png", "clip.mp4", "lzw.tif", "archive.zip"} {
		b := asset(t, name)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		check(t, b)
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > 256<<10 {
			t.Errorf("%s: want at most 256 KiB, got %d", name, got)
		}
	}
}

func FuzzCheck(f *testing.F) {
	for _, s := range proven(f) {
		if len(s.data) < 12<<10 {
			f.Add(s.data)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got := check(t, b)
		if got.Verdict != Unknown && got.Format == "" || got.Reason == "" {
			t.Errorf("want a format and a reason, got %+v", got)
		}
		// Whatever is proven must not be proven with zeros instead of its second half, unless they are the same.
		half := append(bytes.Clone(b[:len(b)/2]), make([]byte, len(b)-len(b)/2)...)
		if got.Verdict == Complete && !bytes.Equal(half, b) && check(t, half).Verdict == Complete {
			t.Errorf("%s: want no proof of its first half and zeros", got)
		}
	})
}

func BenchmarkCheckJPEG(b *testing.B) {
	pic := asset(b, "photo-large.jpg")
	scan := bytes.Index(pic, []byte("\xff\xda"))
	body := pic[scan+14 : len(pic)-2]
	large := append(append(bytes.Clone(pic[:scan+14]), bytes.Repeat(body, (6<<20)/len(body))...), "\xff\xd9"...)
	b.Run("check", func(b *testing.B) {
		b.SetBytes(int64(len(large)))
		for b.Loop() {
			if got := check(b, large); got.Verdict != Complete {
				b.Fatal(got)
			}
		}
	})
	b.Run("floor-read", func(b *testing.B) {
		b.SetBytes(int64(len(large)))
		buf := make([]byte, window)
		for b.Loop() {
			if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{bytes.NewReader(large)}, buf); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	for _, s := range proven(b) {
		b.Run(strings.ReplaceAll(s.name, " ", "-"), func(b *testing.B) {
			b.SetBytes(int64(len(s.data)))
			for b.Loop() {
				check(b, s.data)
			}
		})
	}
}
