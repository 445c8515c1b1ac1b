package vp8

import (
	"bytes"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/image/vp8"
)

// TestDecode_fullSizeIsThatOfTheLibrary holds every value of every kind of frame against golang.org/x/image.
func TestDecode_fullSizeIsThatOfTheLibrary(t *testing.T) {
	for _, size := range [][2]int{{320, 200}, {161, 99}, {16, 16}, {17, 1}, {1, 40}} {
		for name, frame := range kinds(t, scene(size[0], size[1])) {
			same(t, name, library(t, frame), decodeOK(t, frame, 1))
		}
	}
}

// TestDecode_picturesOfTheLibrary has those that come with the library.
func TestDecode_picturesOfTheLibrary(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "golang.org/x/image").Output()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(out)), "testdata", "*.lossy*.webp"))
	if err != nil || len(files) < 7 {
		t.Fatalf("want seven pictures or more, got %d, %v", len(files), err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		frame := frameOf(t, data)
		same(t, filepath.Base(file), library(t, frame), decodeOK(t, frame, 1))
	}
}

func library(t *testing.T, frame []byte) *image.YCbCr {
	t.Helper()
	d := vp8.NewDecoder()
	d.Init(bytes.NewReader(frame), len(frame))
	if _, err := d.DecodeFrameHeader(); err != nil {
		t.Fatal(err)
	}
	m, err := d.DecodeFrame()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func same(t *testing.T, name string, want, got *image.YCbCr) {
	t.Helper()
	if want.Rect != got.Rect || want.SubsampleRatio != got.SubsampleRatio {
		t.Errorf("%s: want %v %v, got %v %v", name, want.Rect, want.SubsampleRatio, got.Rect, got.SubsampleRatio)
		return
	}
	for y := range got.Rect.Dy() {
		for x := range got.Rect.Dx() {
			if w, g := want.YCbCrAt(x, y), got.YCbCrAt(x, y); w != g {
				t.Errorf("%s: at %d,%d: want %v, got %v", name, x, y, w, g)
				return
			}
		}
	}
}
