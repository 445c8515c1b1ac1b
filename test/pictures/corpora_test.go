package pictures_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"hotfolderd/thumbnails"
)

// collections are the modules whose files for testing are pictures; all of them are needed by this program, and so are here.
var collections = []string{
	"github.com/bep/imagemeta", "github.com/disintegration/imaging", "github.com/kovidgoyal/imaging",
	"github.com/gen2brain/heic", "github.com/gen2brain/avif", "github.com/gen2brain/webp", "golang.org/x/image",
}

func moduleDir(tb testing.TB, module string) string {
	tb.Helper()
	return goSays(tb, "list", "-m", "-f", "{{.Dir}}", module)
}

func goSays(tb testing.TB, args ...string) string {
	tb.Helper()
	out, err := exec.Command("go", args...).Output()
	check(tb, err)
	return strings.TrimSpace(string(out))
}

// photos are pictures of cameras, upright as they are stored.
func photos(tb testing.TB) []string {
	tb.Helper()
	return []string{
		filepath.Join(moduleDir(tb, "github.com/kovidgoyal/imaging"), "prism/test-images/pizza-rgb8-srgb.jpg"),
		filepath.Join(moduleDir(tb, "github.com/disintegration/imaging"), "testdata/branches.jpg"),
	}
}

var pictureNames = []string{
	".jpg", ".jpeg", ".png", ".gif", ".tif", ".tiff", ".webp", ".bmp", ".heic", ".heif", ".avif", ".psd", ".psb",
	".nef", ".cr2", ".arw", ".dng", ".pef", ".svg", ".pdf", ".eps", ".ai",
}

// corpus is the pictures of all collections, those of Go's own library, and our own.
func corpus(t *testing.T) (files []string) {
	t.Helper()
	dirs := []string{filepath.Join(goSays(t, "env", "GOROOT"), "src/image"), "../../testdata"}
	for _, m := range collections {
		dirs = append(dirs, moduleDir(t, m))
	}
	for _, dir := range dirs {
		check(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if err == nil && e.Type().IsRegular() && slices.Contains(pictureNames, strings.ToLower(filepath.Ext(path))) {
				files = append(files, path)
			}
			return err
		}))
	}
	return files
}

// TestCorpora_everyPictureIsRenderedOrRefusedInWords gives all of them to the program's own renderer: none may kill it or take long, and
// what is refused says why. It prints a table.
func TestCorpora_everyPictureIsRenderedOrRefusedInWords(t *testing.T) {
	pool, err := thumbnails.NewPool(thumbnails.PoolOptions{Command: []string{built(t), "thumbnail-worker"}, Workers: 1})
	check(t, err)
	defer func() { check(t, pool.Close()) }()
	files := corpus(t)
	if len(files) < 250 {
		t.Fatalf("want at least 250 pictures, found %d", len(files))
	}
	table := map[string]map[string]int{}
	for _, file := range files {
		kind := strings.ToLower(filepath.Ext(file))
		if filepath.Base(filepath.Dir(file)) == "goexif" {
			kind += ", cut behind its metadata"
		}
		if table[kind] == nil {
			table[kind] = map[string]int{}
		}
		how := "rendered"
		if err := renderIn(pool, file); err != nil {
			var fault *thumbnails.Error
			if !errors.As(err, &fault) || fault.Kind == thumbnails.Crashed || fault.Kind == thumbnails.Timeout || fault.Reason == "" {
				t.Errorf("%s: %v", file, err)
				continue
			}
			how = fault.Kind.String()
			t.Logf("%s: %v", filepath.Base(file), fault)
		}
		table[kind][how]++
	}
	for _, kind := range slices.Sorted(maps.Keys(table)) {
		t.Logf("%-30s rendered %3d, unsupported %d, damaged %d, too large %d", kind, table[kind]["rendered"], table[kind]["unsupported"], table[kind]["corrupt"], table[kind]["too_large"])
	}
	for _, kind := range []string{".jpg", ".png", ".webp", ".tiff", ".gif"} {
		if got := table[kind]; got["rendered"] < 3*(got["unsupported"]+got["corrupt"]) {
			t.Errorf("%s: want most rendered, got %v", kind, got)
		}
	}
}

func renderIn(e thumbnails.Engine, file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	_, err = e.Render(context.Background(), bytes.NewReader(data), int64(len(data)),
		thumbnails.Spec{Sizes: []int{256, 64}, Format: thumbnails.Auto}, thumbnails.Limits{Timeout: 5 * time.Minute})
	return err
}

// TestCorpora_orientations has the same picture stored in all eight ways, by two collections.
func TestCorpora_orientations(t *testing.T) {
	sets := map[string]string{
		"imaging": filepath.Join(moduleDir(t, "github.com/disintegration/imaging"), "testdata/orientation_%d.jpg"),
		"kovid":   filepath.Join(moduleDir(t, "github.com/kovidgoyal/imaging"), "testdata/orientation_%d.jpg"),
	}
	for name, pattern := range sets {
		t.Run(name, func(t *testing.T) {
			var first image.Image
			for o := 1; o <= 8; o++ {
				r, err := renderFile(fmt.Sprintf(pattern, o), thumbnails.Spec{Sizes: []int{64}})
				check(t, err)
				m, err := jpeg.Decode(bytes.NewReader(r.Renditions[0].Data))
				check(t, err)
				if first == nil {
					first = m
				}
				if m.Bounds() != first.Bounds() {
					t.Errorf("orientation %d: want %v, got %v", o, first.Bounds(), m.Bounds())
					continue
				}
				if psnr, _ := compared(first, m); psnr < 25 {
					t.Errorf("orientation %d: another picture, %.1f dB", o, psnr)
				}
			}
		})
	}
}
