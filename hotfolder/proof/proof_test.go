package proof

import (
	"bytes"
	"context"
	"errors"
	"image"
	_ "image/gif"
	_ "image/jpeg"
	_ "image/png"
	"io"
	"strings"
	"testing"
)

func TestCheck_provesWholeFiles(t *testing.T) {
	for _, s := range proven(t) {
		if got := check(t, s.data); got.Verdict != Complete || got.Format != s.format {
			t.Errorf("%s: want complete %s, got %v %s", s.name, s.format, got.Verdict, got)
		}
	}
}

func TestCheck_neverProvesACutFile(t *testing.T) {
	for _, s := range proven(t) {
		for _, n := range places(len(s.data)) {
			if got := check(t, s.data[:n]); got.Verdict == Complete && n != s.alike {
				t.Errorf("%s: want no proof for %d bytes of %d, got %s", s.name, n, len(s.data), got)
			}
		}
	}
}

// A writer that sets the size first and fills from the front leaves zeros behind the place it has come to.
func TestCheck_neverProvesAFileFilledFromTheFront(t *testing.T) {
	for _, s := range proven(t) {
		for _, n := range places(len(s.data)) {
			b := make([]byte, len(s.data))
			copy(b, s.data[:n])
			if bytes.Equal(b, s.data) {
				continue // only zeros are missing
			}
			if got := check(t, b); got.Verdict == Complete {
				t.Errorf("%s: want no proof for %d bytes of %d and zeros, got %s", s.name, n, len(s.data), got)
			}
		}
	}
}

// A writer that fills in any other order leaves whole pages of zeros. Files of up to 8 MiB are looked at page by page; for
// larger ones the caller's look for holes is needed as well.
func TestCheck_neverProvesAFileWithAPageNotWritten(t *testing.T) {
	for _, s := range proven(t) {
		pages := len(s.data) / page
		for from := range pages {
			for _, n := range []int{1, 2, pages - from} {
				b := bytes.Clone(s.data)
				clear(b[from*page : min(from+n, pages)*page])
				if got := check(t, b); got.Verdict == Complete {
					t.Errorf("%s: want no proof with %d pages missing at page %d, got %s", s.name, n, from, got)
				}
			}
		}
	}
}

// A preallocated file may also be longer than what is written in the end.
func TestCheck_neverProvesZerosBehindTheEnd(t *testing.T) {
	for _, s := range proven(t) {
		for _, n := range []int{1, 2, 7, 512, 4096, 100_000} {
			if n == 1 && s.format == "TIFF" && len(s.data)%2 == 1 {
				continue // the pad byte that TIFF allows
			}
			if got := check(t, append(bytes.Clone(s.data), make([]byte, n)...)); got.Verdict == Complete {
				t.Errorf("%s: want no proof with %d zeros behind, got %s", s.name, n, got)
			}
		}
	}
}

func TestCheck_provenPicturesDecode(t *testing.T) {
	for _, s := range proven(t) {
		if !strings.Contains("JPEG PNG GIF", s.format) || strings.Contains(s.name, "bomb") || s.name == "broken/corrupt.jpg" {
			continue
		}
		if _, _, err := image.Decode(bytes.NewReader(s.data)); err != nil {
			t.Errorf("%s: want a picture, got %v", s.name, err)
		}
	}
}

func TestCheck_doubtsWhatCannotBeKnown(t *testing.T) {
	film, table, far := asset(t, "clip.mp4"), "\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00", "\x00\x00\x00\x00\x00\x00\x00\x01\x00\xff"
	for name, tt := range map[string]struct {
		data []byte
		want Verdict
	}{
		"text":                     {asset(t, "note.txt"), Unknown},
		"svg":                      {asset(t, "drawing.svg"), Unknown},
		"bmp":                      {asset(t, "picture.bmp"), Unknown},
		"empty":                    {nil, Unknown},
		"truncated JPEG":           {asset(t, "broken/truncated.jpg"), Incomplete},
		"truncated PNG":            {asset(t, "broken/truncated.png"), Incomplete},
		"TIFF in a circle":         {asset(t, "broken/loop.tif"), Incomplete},
		"directory behind pixels":  {asset(t, "directory-last.tif"), Unknown},
		"TIFF without directory":   {append([]byte("II*\x00\x00\x00\x00\x00"), noise(500)...), Incomplete},
		"words behind EOI":         {append(asset(t, "gray.jpg"), "more"...), Unknown},
		"PDF without line end":     {bytes.TrimRight(asset(t, "page.pdf"), "\n"), Unknown},
		"motion photo, film to go": {motionPhoto(asset(t, "gray.jpg"), nil), Incomplete},
		"open box":                 {append(bytes.Clone(film), 0, 0, 0, 0, 'm', 'd', 'a', 't', 1), Unknown},
		"fragments":                {append(bytes.Clone(film), atom("moof", 1)...), Unknown},
		"fragments with index":     {append(append(bytes.Clone(film), atom("moof", 1)...), atom("mfra", 1)...), Complete},
		"index to nowhere":         {bytes.Replace(film, append([]byte("stco"), table...), append([]byte("stco"), far...), 1), Incomplete},
		"PNG with a wrong byte":    {flipped(asset(t, "alpha.png")), Incomplete},
	} {
		if got := check(t, tt.data); got.Verdict != tt.want {
			t.Errorf("%s: want %v, got %v %s", name, tt.want, got.Verdict, got)
		}
	}
}

func TestCheck_reasonsAreWords(t *testing.T) {
	for _, s := range proven(t) {
		for _, n := range []int{len(s.data), len(s.data) / 2, 0} {
			got := check(t, s.data[:n])
			if got.Reason == "" || strings.ContainsAny(got.Reason, "\n\x00") || strings.Contains(got.Reason, "%!") {
				t.Errorf("%s: want a clause, got %q", s.name, got.Reason)
			}
		}
	}
}

func TestCheck_aReaderThatFailsIsAnError(t *testing.T) {
	broken := errors.New("cable pulled")
	for _, s := range proven(t) {
		for _, after := range []int64{0, int64(len(s.data)) / 2} {
			r := failing{bytes.NewReader(s.data), after, broken}
			if got, err := Check(t.Context(), r, int64(len(s.data))); !errors.Is(err, broken) || got.Verdict == Complete {
				t.Errorf("%s: want %v, got %v, %v", s.name, broken, got.Verdict, err)
			}
		}
	}
}

func TestCheck_aFileThatShrinksIsNotProven(t *testing.T) {
	for _, s := range proven(t) {
		got, err := Check(t.Context(), bytes.NewReader(s.data[:len(s.data)-1]), int64(len(s.data)))
		if err != nil || got.Verdict == Complete {
			t.Errorf("%s: want no proof and no error, got %v, %v", s.name, got.Verdict, err)
		}
	}
}

func TestCheck_endsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := asset(t, "photo.jpg")
	if _, err := Check(ctx, bytes.NewReader(b), int64(len(b))); !errors.Is(err, context.Canceled) {
		t.Errorf("want %v, got %v", context.Canceled, err)
	}
}

func check(t testing.TB, b []byte) Evidence {
	t.Helper()
	got, err := Check(t.Context(), bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// places are all places in a small file, and for a larger one 500 spread over it and all of its last 300.
func places(n int) []int {
	var out []int
	for i := 0; i < n; i++ {
		if n <= 8<<10 || n-i <= 300 || i%(n/500) == 0 {
			out = append(out, i)
		}
	}
	return out
}

func flipped(b []byte) []byte {
	b[len(b)/2] ^= 1
	return b
}

// failing fails for every read that reaches beyond after.
type failing struct {
	r     io.ReaderAt
	after int64
	err   error
}

func (f failing) ReadAt(b []byte, off int64) (int, error) {
	if off+int64(len(b)) > f.after {
		return 0, f.err
	}
	return f.r.ReadAt(b, off)
}
