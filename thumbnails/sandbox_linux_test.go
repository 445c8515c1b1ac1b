package thumbnails

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// prying is an engine that tries what a decoder that was taken over would try, and says what it got.
type prying struct{}

func (prying) Name() string { return "prying" }

func (prying) Close() error { return nil }

func (prying) Render(context.Context, io.ReaderAt, int64, Spec, Limits) (Result, error) {
	var got []string
	try := func(what string, err error) {
		if err == nil {
			got = append(got, what)
		}
	}
	_, err := os.Open("/etc/hostname")
	try("read a file", err)
	try("write a file", os.WriteFile("/tmp/thumbnails-was-here", nil, 0o600))
	try("remove a file", syscall.Unlink("/tmp/thumbnails-is-here"))
	_, err = net.Dial("tcp", "127.0.0.1:1")
	if !errors.Is(err, syscall.EPERM) {
		try("reach the network", nil)
	}
	try("start a program", exec.Command("/bin/true").Run())
	_, _, errno := syscall.RawSyscall(syscall.SYS_PTRACE, syscall.PTRACE_ATTACH, 1<<22+1, 0) // a process that cannot be
	if errno != syscall.EPERM {
		try("look into a process", nil)
	}
	status, _ := os.ReadFile("/proc/self/status")
	try("read about itself", errIf(len(status) == 0))
	return Result{}, fmt.Errorf("it could: %s;", strings.Join(got, ", "))
}

func errIf(on bool) error {
	if on {
		return errors.New("nothing")
	}
	return nil
}

func TestConfine_leavesNothingButRendering(t *testing.T) {
	e := testPool(t, "prying", 1, confineEnv+"=1")
	_, err := e.Render(context.Background(), strings.NewReader("x"), 1, testSpec, Limits{})
	if err == nil || !strings.HasSuffix(err.Error(), "it could: ;") {
		t.Errorf("the confined worker says %v", err)
	}
}

// TestConfine_theWorkerThatIsNotConfinedCould, else the other test shows nothing.
func TestConfine_theWorkerThatIsNotConfinedCould(t *testing.T) {
	e := testPool(t, "prying", 1)
	if _, err := e.Render(context.Background(), strings.NewReader("x"), 1, testSpec, Limits{}); err == nil || !strings.Contains(err.Error(), "read a file") {
		t.Errorf("a worker that is not confined says %v", err)
	}
}

// TestConfine_allFormatsAreRendered: WebAssembly too, which compiles code.
func TestConfine_allFormatsAreRendered(t *testing.T) {
	e := testPool(t, "imaging", 1, confineEnv+"=1")
	for name, data := range map[string][]byte{
		"jpeg": asJPEG(t, quarters(300, 200)), "png": asPNG(t, quarters(30, 20)), "tiff": tiffWith(quarters(30, 20), 1),
		"heic": readFile(t, asHEIF(t, quarters(64, 48), ".heic")), "avif": readFile(t, asHEIF(t, quarters(64, 48), ".avif")),
		"psd": asPSD(t, ".psd"), "with a profile": pngWithProfile(asPNG(t, quarters(30, 20)), profileFile(t, adobeRGB)),
	} {
		res, err := e.Render(context.Background(), strings.NewReader(string(data)), int64(len(data)), testSpec, slow)
		if err != nil || len(res.Renditions) != 2 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestConfine_allFormatsAreWritten: WebP too, whose encoder is WebAssembly.
func TestConfine_allFormatsAreWritten(t *testing.T) {
	e := testPool(t, "imaging", 1, confineEnv+"=1")
	data := asPNG(t, quarters(300, 200))
	for format := range extensions {
		for _, quality := range []int{80, 100} {
			spec := Spec{Sizes: []int{64, 32}, Format: format, Quality: quality}
			res, err := e.Render(context.Background(), bytes.NewReader(data), int64(len(data)), spec, slow)
			if err != nil || len(res.Renditions) != 2 {
				t.Errorf("%s of quality %d: %v", format, quality, err)
				continue
			}
			for _, r := range res.Renditions {
				if f := flaw(t.Context(), r.Data, r.Size, format); f != "" {
					t.Errorf("%s of quality %d: %s", format, quality, f)
				}
			}
		}
	}
}
