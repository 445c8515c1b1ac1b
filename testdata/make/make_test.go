package main

import (
	"archive/zip"
	"bytes"
	"image"
	_ "image/gif"
	_ "image/jpeg"
	_ "image/png"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/bep/imagemeta"
	_ "golang.org/x/image/bmp"
	_ "golang.org/x/image/tiff"
	_ "golang.org/x/image/webp"
)

const assets = "../assets"

func TestAssets_areWhatIsMade(t *testing.T) {
	dir := t.TempDir()
	if err := write(dir); err != nil {
		t.Fatal(err)
	}
	made, kept := tree(t, dir), tree(t, assets)
	delete(kept, "README.md")
	delete(kept, ".gitattributes")
	for name, want := range made {
		if got, ok := kept[name]; !ok || !bytes.Equal(want, got) {
			t.Errorf("%s: want the %d bytes that are made, got %d others (present: %v)", name, len(want), len(got), ok)
		}
	}
	for name := range kept {
		if _, ok := made[name]; !ok {
			t.Errorf("%s: nothing makes it", name)
		}
	}
}

func TestAssets_areSmallAndListed(t *testing.T) {
	files, total := tree(t, assets), 0
	for name, b := range files {
		total += len(b)
		if base := filepath.Base(name); base != "README.md" && base != ".gitattributes" && !strings.Contains(string(files["README.md"]), base) &&
			!strings.HasPrefix(base, "orientation-") {
			t.Errorf("%s: the README does not say what it is for", name)
		}
	}
	if total >= 3<<20 {
		t.Errorf("want less than 3 MB, got %d bytes", total)
	}
}

func TestAssets_goodOnesDecode(t *testing.T) {
	want := map[string][2]int{
		"photo.jpg": {1200, 800}, "photo-large.jpg": {3000, 2000}, "photo-adobergb.jpg": {320, 240}, "progressive.jpg": {480, 320},
		"cmyk.jpg": {320, 240}, "gray.jpg": {240, 160}, "alpha.png": {240, 180}, "sixteen-bit.png": {160, 120}, "palette.png": {240, 160},
		"animated.gif": {160, 120}, "lzw.tif": {200, 150}, "uncompressed.tif": {150, 100}, "directory-last.tif": {120, 80},
		"lossless.webp": {120, 90}, "picture.bmp": {160, 120}, "broken/png-named.jpg": {60, 40},
	}
	for name, size := range want {
		m := decoded(t, name)
		if got := [2]int{m.Bounds().Dx(), m.Bounds().Dy()}; got != size {
			t.Errorf("%s: want %v, got %v", name, size, got)
		}
	}
}

// The encoders written here must give back the picture: these are lossless, and those nearly so.
func TestEncoders_keepThePicture(t *testing.T) {
	for name, tolerance := range map[string]int{"lzw.tif": 0, "uncompressed.tif": 0, "progressive.jpg": 7, "cmyk.jpg": 8} {
		got := decoded(t, name)
		want := scene(got.Bounds().Dx(), got.Bounds().Dy())
		if off := difference(want, got); off > tolerance {
			t.Errorf("%s: want at most %d off a pixel in the mean, got %d", name, tolerance, off)
		}
	}
	if off := difference(translucent(120, 90), decoded(t, "lossless.webp")); off != 0 {
		t.Errorf("lossless.webp: want the same pixels, got %d off", off)
	}
}

func TestOriented_showTheSamePicture(t *testing.T) {
	shown := quadrants(320, 240)
	for o := 1; o <= 8; o++ {
		m := decoded(t, "orientation-"+strconv.Itoa(o)+".jpg")
		w, h := m.Bounds().Dx(), m.Bounds().Dy()
		turned := image.NewRGBA(shown.Rect)
		for y := range h {
			for x := range w {
				sx, sy := shownAt(o, x, y, w, h)
				turned.Set(sx, sy, m.At(x, y))
			}
		}
		if off := difference(shown, turned); off > 3 {
			t.Errorf("orientation %d: want the picture, got %d off", o, off)
		}
	}
}

func TestPhoto_hasItsMetadata(t *testing.T) {
	b, err := os.ReadFile(assets + "/orientation-6.jpg")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]any{}
	_, err = imagemeta.Decode(imagemeta.Options{
		R: bytes.NewReader(b), ImageFormat: imagemeta.JPEG, Sources: imagemeta.EXIF,
		HandleTag: func(i imagemeta.TagInfo) error { got[i.Tag] = i.Value; return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"Make": "Example Optics", "Model": "Field 7", "Orientation": uint16(6), "DateTimeOriginal": "2024:05:17 14:03:21"}
	for tag, v := range want {
		if got[tag] != v {
			t.Errorf("%s: want %v, got %v", tag, v, got[tag])
		}
	}
	if lat, ok := got["GPSLatitude"].(float64); !ok || lat < 52.5 || lat > 52.6 {
		t.Errorf("GPSLatitude: want 52.52, got %v", got["GPSLatitude"])
	}
}

func TestArchives_open(t *testing.T) {
	for _, name := range []string{"archive.zip", "letter.docx"} {
		r, err := zip.OpenReader(filepath.Join(assets, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range r.File {
			in, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, in); err != nil {
				t.Errorf("%s: %s: %v", name, f.Name, err)
			}
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Tests unquote odd-names.txt and drop files of these names; each line must be a Go string, and none twice.
func TestOddNames_areQuotedStrings(t *testing.T) {
	b, err := os.ReadFile("../odd-names.txt")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for line := range strings.Lines(string(b)) {
		name, err := strconv.Unquote(strings.TrimSuffix(line, "\n"))
		if err != nil || name == "" || seen[name] {
			t.Errorf("%s: want a quoted name of its own, got %q, %v", line, name, err)
		}
		seen[name] = true
		for part := range strings.SplitSeq(name, "/") {
			if len(part) > 255 || part == "" {
				t.Errorf("%q: want parts of 1 to 255 bytes, got %d", name, len(part))
			}
		}
	}
	if len(seen) < 40 {
		t.Errorf("want at least 40 names, got %d", len(seen))
	}
}

func tree(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(dir, path))
		out[path] = b
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func decoded(t *testing.T, name string) image.Image {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(assets, name))
	if err != nil {
		t.Fatal(err)
	}
	m, _, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return m
}

// difference is the mean over all pixels of the largest difference in a channel, of 255.
func difference(a, b image.Image) int {
	sum, n := 0, 0
	for y := a.Bounds().Min.Y; y < a.Bounds().Max.Y; y++ {
		for x := a.Bounds().Min.X; x < a.Bounds().Max.X; x++ {
			r, g, bl, al := a.At(x, y).RGBA()
			r2, g2, b2, a2 := b.At(x, y).RGBA()
			sum += max(apart(r, r2), apart(g, g2), apart(bl, b2), apart(al, a2))
			n++
		}
	}
	return (sum + n - 1) / n
}

func apart(a, b uint32) int { return max(int(a), int(b))>>8 - min(int(a), int(b))>>8 }
