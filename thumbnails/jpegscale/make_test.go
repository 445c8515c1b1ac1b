package jpegscale

import (
	"bytes"
	"fmt"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"hotfolderd/thumbnails/picturetest"
)

// The files of the tests are written by libjpeg-turbo: it knows every kind.

// run is a tool of libjpeg-turbo with a file as its input.
func run(tb testing.TB, in []byte, tool string, args ...string) []byte {
	tb.Helper()
	cmd := exec.Command(tool, args...)
	var out, said bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &out, &said
	if err := cmd.Run(); err != nil {
		tb.Fatalf("%s %v: %v: %s", tool, args, err, &said)
	}
	return out.Bytes()
}

// scene is a picture with smooth parts, edges and noise, as PPM.
func scene(w, h int) []byte {
	return picturetest.Scene(w, h, func(_ int) float64 { return 6 })
}

// kind is a kind of JPEG, and how cjpeg is asked for it.
type kind struct {
	name string
	args []string
}

var samplings = []kind{
	{"444", []string{"-sample", "1x1"}},
	{"422", []string{"-sample", "2x1"}},
	{"420", []string{"-sample", "2x2"}},
	{"440", []string{"-sample", "1x2"}},
	{"411", []string{"-sample", "4x1"}},
	{"410", []string{"-sample", "4x2"}},
	{"grey", []string{"-grayscale"}},
	{"grey2x2", []string{"-grayscale", "-sample", "2x2"}},
	{"rgb", []string{"-rgb"}},
}

// apart has each component in a scan of its own; bitwise sends coefficients bit after bit.
const (
	apart   = "0;\n1;\n2;\n"
	bitwise = "0 1 2: 0-0, 0, 2;\n0: 1-63, 0, 2;\n1: 1-9, 0, 1;\n2: 1-63, 0, 1;\n1: 10-63, 0, 1;\n0: 1-63, 2, 1;\n" +
		"0 1 2: 0-0, 2, 1;\n1: 1-63, 1, 0;\n2: 1-63, 1, 0;\n0 1 2: 0-0, 1, 0;\n0: 1-63, 1, 0;\n"
)

func codings(tb testing.TB) []kind {
	script := func(text string) string {
		name := filepath.Join(tb.TempDir(), "scans")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			tb.Fatal(err)
		}
		return name
	}
	return []kind{
		{"baseline", nil},
		{"extended", []string{"-quality", "30", "-qslots", "0", "-optimize"}},
		{"coarse", []string{"-quality", "15"}},
		{"fine", []string{"-quality", "100"}},
		{"restart", []string{"-restart", "3B"}},
		{"restart rows", []string{"-restart", "1"}},
		{"apart", []string{"-scans", script(apart)}},
		{"progressive", []string{"-progressive"}},
		{"progressive restart", []string{"-progressive", "-restart", "5B"}},
		{"bitwise", []string{"-scans", script(bitwise)}},
	}
}

// each calls f with files of all samplings, codings and some sizes.
func each(t *testing.T, f func(t *testing.T, sampling string, data []byte)) {
	sizes := []image.Point{{203, 149}, {64, 64}, {1, 1}, {17, 9}}
	coded := codings(t)
	for _, s := range samplings {
		for _, c := range coded {
			if len(s.name) > 3 && len(c.args) == 2 && c.args[0] == "-scans" {
				continue // the scripts are for three components
			}
			for _, size := range sizes[:1+3*b2i(c.args == nil || c.name == "bitwise")] {
				t.Run(fmt.Sprintf("%s/%s/%dx%d", s.name, c.name, size.X, size.Y), func(t *testing.T) {
					args := append([]string{"-quality", "90"}, c.args...)
					f(t, s.name, run(t, scene(size.X, size.Y), "cjpeg", append(args, s.args...)...))
				})
			}
		}
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// assets are the JPEG files of testdata, the broken ones too.
func assets(tb testing.TB) map[string][]byte {
	tb.Helper()
	found := map[string][]byte{}
	for _, pattern := range []string{"*.jpg", "broken/*.jpg"} {
		names, err := filepath.Glob(filepath.Join("../../testdata/assets", pattern))
		if err != nil {
			tb.Fatal(err)
		}
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err != nil {
				tb.Fatal(err)
			}
			found[filepath.Base(name)] = b
		}
	}
	if len(found) < 10 {
		tb.Fatalf("only %d files: this looks in the wrong place", len(found))
	}
	return found
}

func decodeOK(tb testing.TB, data []byte, eighths int) image.Image {
	tb.Helper()
	m, err := Decode(bytes.NewReader(data), Size{Eighths: eighths}, Limits{})
	if err != nil {
		tb.Fatalf("Decode at %d/8: %v", eighths, err)
	}
	return m
}
