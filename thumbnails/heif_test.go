package thumbnails

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// tool runs a program that makes or reads a file of the test.
func tool(tb testing.TB, name string, args ...string) {
	tb.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		tb.Fatalf("%s %q: %v\n%s\nthe test needs the Debian packages libheif-examples and libavif-bin (make tools)", name, args, err, out)
	}
}

func readFile(tb testing.TB, name string) []byte {
	tb.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// asHEIF encodes with libheif's or libavif's own tool.
func asHEIF(tb testing.TB, m image.Image, ext string, args ...string) (file string) {
	tb.Helper()
	dir := tb.TempDir()
	plain, file := filepath.Join(dir, "in.png"), filepath.Join(dir, "out"+ext)
	if err := os.WriteFile(plain, asPNG(tb, m), 0o600); err != nil {
		tb.Fatal(err)
	}
	if ext == ".avif" {
		tool(tb, "avifenc", append(args, "-s", "9", plain, file)...)
	} else {
		tool(tb, "heif-enc", append(args, "-q", "90", plain, "-o", file)...)
	}
	return file
}

// slow limits are for machines that are busy: a module of WebAssembly is compiled first.
var slow = Limits{Timeout: 5 * time.Minute}

func renderSlowly(tb testing.TB, data []byte, spec Spec) Result {
	tb.Helper()
	res, err := NewImaging().Render(context.Background(), bytes.NewReader(data), int64(len(data)), spec, slow)
	if err != nil {
		tb.Fatal(err)
	}
	return res
}

func TestRender_HEICAndAVIF(t *testing.T) {
	for _, ext := range []string{".heic", ".avif"} {
		t.Run(ext, func(t *testing.T) {
			data := readFile(t, asHEIF(t, quarters(160, 120), ext))
			res := renderSlowly(t, data, Spec{Sizes: []int{80}, Format: PNG})
			if res.Width != 160 || res.Height != 120 {
				t.Errorf("it is said to be %d x %d", res.Width, res.Height)
			}
			got := picture(t, res.Renditions[0])
			for _, p := range []struct {
				x, y int
				want color.NRGBA
			}{{10, 10, red}, {70, 10, green}, {10, 50, blue}, {70, 50, yellow}} {
				near(t, got, p.x, p.y, p.want, 14)
			}
		})
	}
}

// TestRender_turnsAVIFAsLibheifDoes holds each turn and flip against another reader of the format.
func TestRender_turnsAVIFAsLibheifDoes(t *testing.T) {
	for quarter := range 4 {
		for _, mirror := range []string{"", "0", "1"} {
			t.Run(fmt.Sprint(quarter, mirror), func(t *testing.T) {
				args := []string{"--irot", fmt.Sprint(quarter)}
				if mirror != "" {
					args = append(args, "--imir", mirror)
				}
				file := asHEIF(t, quarters(64, 48), ".avif", args...)
				other := filepath.Join(t.TempDir(), "other.png")
				tool(t, "heif-convert", file, other)
				want, err := png.Decode(bytes.NewReader(readFile(t, other)))
				if err != nil {
					t.Fatal(err)
				}
				res := renderSlowly(t, readFile(t, file), Spec{Sizes: []int{64}, Format: PNG})
				got := picture(t, res.Renditions[0])
				if got.Bounds() != want.Bounds() || res.Width != want.Bounds().Dx() {
					t.Fatalf("it came out as %v, said to be %d x %d, libheif has %v", got.Bounds(), res.Width, res.Height, want.Bounds())
				}
				b := want.Bounds()
				for _, x := range []int{b.Dx() / 4, b.Dx() * 3 / 4} {
					for _, y := range []int{b.Dy() / 4, b.Dy() * 3 / 4} {
						near(t, got, x, y, color.NRGBAModel.Convert(want.At(x, y)).(color.NRGBA), 14)
					}
				}
			})
		}
	}
}

func TestRender_HEIFThatIsTooLargeOrBroken(t *testing.T) {
	data := readFile(t, asHEIF(t, quarters(64, 48), ".avif"))
	wide := bytes.Clone(data)
	at := bytes.Index(wide, []byte("ispe"))
	copy(wide[at+8:], "\x00\x01\x00\x00\x00\x01\x00\x00")
	wantFault(t, TooLarge, wide, Limits{})
	wantFault(t, Corrupt, data[:len(data)/2], slow)
	wantFault(t, Corrupt, data[:40], slow)
}

func FuzzHEIF(f *testing.F) {
	f.Add(readFile(f, asHEIF(f, quarters(64, 48), ".avif")))
	f.Add(readFile(f, asHEIF(f, quarters(64, 48), ".heic")))
	f.Fuzz(func(_ *testing.T, data []byte) {
		_, _ = readHEIF(newSource(context.Background(), bytes.NewReader(data), int64(len(data))))
	})
}
