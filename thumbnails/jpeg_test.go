package thumbnails

import (
	"bytes"
	"context"
	"errors"
	"image"
	"os"
	"path/filepath"
	"testing"

	"github.com/disintegration/imaging"
)

// TestRender_scaledDecodingLooksTheSame holds what is made of a scaled decode against the library's filter over the
// whole original: at sizes that are no multiple of a block too, where a part of a pixel must stay a part.
func TestRender_scaledDecodingLooksTheSame(t *testing.T) {
	files := map[string][]byte{}
	for _, name := range []string{"photo-large.jpg", "photo.jpg", "progressive.jpg"} {
		data, err := os.ReadFile(filepath.Join("../testdata/assets", name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = data
	}
	large, err := imaging.Decode(bytes.NewReader(files["photo-large.jpg"]))
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []image.Point{{1201, 803}, {997, 1301}, {1999, 1501}} {
		files[size.String()] = asJPEG(t, imaging.CropCenter(large, size.X, size.Y))
	}
	for name, data := range files {
		whole, err := imaging.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		for _, size := range []int{400, 256, 100, 60} {
			r := renderOK(t, data, Spec{Sizes: []int{size}, Format: PNG}).Renditions[0]
			want := imaging.Resize(whole, r.Width, r.Height, imaging.Lanczos)
			b, db := whole.Bounds(), psnr(want, imaging.Clone(picture(t, r)))
			if db < 42 {
				t.Errorf("%s to %d: want at least 42 dB, got %.1f", name, size, db)
			}
			t.Logf("%s to %d, decoded at %d/8: %.1f dB", name, size, eighthsFor(b.Dx(), b.Dy(), size), db)
		}
	}
}

func TestEighthsFor_leavesTwiceTheSize(t *testing.T) {
	for _, c := range []struct{ w, h, size, want int }{
		{6000, 4000, 256, 1},
		{6000, 4000, 375, 1},
		{6000, 4000, 376, 2},
		{6000, 4000, 1024, 3},
		{6000, 4000, 1125, 3},
		{6000, 4000, 1126, 4},
		{6000, 4000, 1501, 8},
		{200, 100, 256, 8},
		{6000, 10, 256, 2},
		{8, 1, 1, 8},
	} {
		if got := eighthsFor(c.w, c.h, c.size); got != c.want {
			t.Errorf("%d x %d to %d: want %d/8, got %d/8", c.w, c.h, c.size, c.want, got)
		}
	}
}

// TestRender_damagedJPEGIsRefusedAtEveryScale: a part of the picture is not taken for the whole.
func TestRender_damagedJPEGIsRefusedAtEveryScale(t *testing.T) {
	data := camera(t, 800, 600)
	for _, size := range []int{800, 300, 150, 50} {
		_, err := NewImaging().Render(context.Background(), bytes.NewReader(data[:len(data)*3/4]), int64(len(data)*3/4), Spec{Sizes: []int{size}}, Limits{})
		if fault := (*Error)(nil); !errors.As(err, &fault) || fault.Kind != Corrupt {
			t.Errorf("%d pixels: want an error that says corrupt, got %v", size, err)
		}
	}
}
