package thumbnails

import (
	"bytes"
	"context"
	"errors"
	"image/color"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// withAll is the engine with all programs, which run as in the program: see TestMain.
func withAll(t *testing.T, how string, allowed ...string) Engine {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return WithPrograms(NewImaging(), ProgramOptions{Allowed: allowed, Command: []string{"/usr/bin/env", workerEnv + "=" + how, self}})
}

// fourFields is a drawing of 300 x 200: red and green above blue and yellow.
const fourFields = `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="300" height="200">
<rect width="150" height="100" fill="#dc0000"/><rect x="150" width="150" height="100" fill="#00b400"/>
<rect y="100" width="150" height="100" fill="#0000e6"/><rect x="150" y="100" width="150" height="100" fill="#e6dc00"/></svg>`

func made(t *testing.T, argv ...string) []byte {
	t.Helper()
	if text, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", argv, err, text)
	}
	return readFile(t, argv[len(argv)-1])
}

func TestPrograms_renderWhatIsNotKnownHere(t *testing.T) {
	dir := t.TempDir()
	svg, picture0 := filepath.Join(dir, "a.svg"), filepath.Join(dir, "a.png")
	if err := errors.Join(os.WriteFile(svg, []byte(fourFields), 0o600), os.WriteFile(picture0, asPNG(t, quarters(300, 200)), 0o600)); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{
		"svg": []byte(fourFields),
		"pdf": made(t, "rsvg-convert", "-f", "pdf", svg, "-o", filepath.Join(dir, "a.pdf")),
		"mp4": made(t, "ffmpeg", "-v", "error", "-loop", "1", "-i", picture0, "-t", "1", "-pix_fmt", "yuv420p", filepath.Join(dir, "a.mp4")),
		"mkv": made(t, "ffmpeg", "-v", "error", "-loop", "1", "-i", picture0, "-t", "1", "-pix_fmt", "yuv420p", filepath.Join(dir, "a.mkv")),
		"png": asPNG(t, quarters(300, 200)),
	}
	e := withAll(t, "program", Programs()...)
	for name, data := range files {
		t.Run(name, func(t *testing.T) {
			res, err := e.Render(t.Context(), bytes.NewReader(data), int64(len(data)), Spec{Sizes: []int{90}, Format: PNG}, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			m := picture(t, res.Renditions[0])
			if b := m.Bounds(); b.Dx() != 90 || b.Dy() != 60 {
				t.Errorf("want 90 x 60, got %v", b)
			}
			for _, at := range []struct {
				x, y int
				c    color.NRGBA
			}{{22, 15, red}, {67, 15, green}, {22, 45, blue}, {67, 45, yellow}} {
				near(t, m, at.x, at.y, at.c, 24)
			}
		})
	}
}

func TestPrograms_onlyWhenAllowed(t *testing.T) {
	e := withAll(t, "program", "pdftoppm")
	_, err := e.Render(t.Context(), strings.NewReader(fourFields), int64(len(fourFields)), Spec{Sizes: []int{90}}, Limits{})
	wantKind(t, Unsupported, err)
	if name := e.Name(); name != imagingName+"+pdftoppm" {
		t.Errorf("want the name to tell, got %s", name)
	}
	r := New(nil, "", e, Options{})
	if !r.renders("application/pdf") || r.renders("image/svg+xml") || !r.renders("image/png") || r.renders("text/plain") {
		t.Error("want what is allowed rendered, and what is known")
	}
}

func TestPrograms_whatTheyCannotShowHasTheirWords(t *testing.T) {
	data := []byte("%PDF-1.7 and nothing else")
	_, err := withAll(t, "program", "pdftoppm").Render(t.Context(), bytes.NewReader(data), int64(len(data)), Spec{Sizes: []int{90}}, Limits{})
	if fault := wantKind(t, Corrupt, err); !strings.Contains(fault.Reason, "pdftoppm cannot show this PDF: \"Syntax") {
		t.Errorf("want the program's words, got %q", fault.Reason)
	}
}

// TestPrograms_areHeldBack has a program that tries what it should not be able to do, and one that never ends.
func TestPrograms_areHeldBack(t *testing.T) {
	t.Setenv("AWS_SECRET_ACCESS_KEY", "not for programs of others")
	data := []byte("%PDF-1.7")
	run := func(how string, lim Limits) error {
		_, err := withAll(t, how, "pdftoppm").Render(t.Context(), bytes.NewReader(data), int64(len(data)), Spec{Sizes: []int{90}}, lim)
		return err
	}
	t.Run("time", func(t *testing.T) {
		began := time.Now()
		wantKind(t, Timeout, run("hang as a program", Limits{Timeout: 300 * time.Millisecond}))
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("want an end after 300 ms, got one after %s", took)
		}
		if left := children(t); len(left) > 0 {
			t.Errorf("want it gone, got %v", left)
		}
	})
	t.Run("the rest", func(t *testing.T) {
		fault := wantKind(t, Corrupt, run("pry as a program", Limits{Memory: 1 << 30}))
		for _, want := range []string{
			"folder=0", "socket=operation not permitted", "remove=operation not permitted", "parent=operation not permitted", "library=<nil>",
			"files=64", "memory=1073741824", "seconds=21", "bytes=0", "secret=;",
			"open /etc/passwd: permission denied", "open written: permission denied",
		} {
			if !strings.Contains(fault.Reason, want) {
				t.Errorf("want %q, got %s", want, fault.Reason)
			}
		}
	})
	t.Run("canceled", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		_, err := withAll(t, "hang as a program", "pdftoppm").Render(ctx, bytes.NewReader(data), int64(len(data)), Spec{Sizes: []int{90}}, Limits{})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("want the context's error, got %v", err)
		}
	})
}

// TestPrograms_memory has ffmpeg make a picture with too little of it.
func TestPrograms_memory(t *testing.T) {
	dir := t.TempDir()
	in := filepath.Join(dir, "a.png")
	if err := os.WriteFile(in, asPNG(t, quarters(3840, 2160)), 0o600); err != nil {
		t.Fatal(err)
	}
	data := made(t, "ffmpeg", "-v", "error", "-loop", "1", "-i", in, "-t", "0.5", "-pix_fmt", "yuv420p", "-preset", "ultrafast", filepath.Join(dir, "a.mp4"))
	_, err := withAll(t, "program", "ffmpeg").Render(t.Context(), bytes.NewReader(data), int64(len(data)), Spec{Sizes: []int{90}}, Limits{Memory: 150 << 20})
	wantKind(t, Corrupt, err)
}

func TestBecome_isForItsProgramsOnly(t *testing.T) {
	for _, argv := range [][]string{nil, {"sh", "-c", "true"}, {"../pdftoppm"}, {""}} {
		if err := Become(argv); err == nil {
			t.Errorf("%q: want an error", argv)
		}
	}
	if n := strconv.Itoa(len(Programs())); n != "3" {
		t.Errorf("want three programs, got %s", n)
	}
}
