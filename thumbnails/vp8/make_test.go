package vp8

import (
	"bytes"
	"encoding/binary"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"hotfolderd/thumbnails/picturetest"
)

// The files of the tests are written by libwebp, and by libvpx, which knows more of what a frame can have.

// scene is a picture with smooth parts, edges and bands of noise, as PPM.
func scene(w, h int) []byte {
	return picturetest.Scene(w, h, func(y int) float64 { return 6 * float64(y/64%2) })
}

// tool runs a program that writes OUT from IN, and is what it wrote.
func tool(tb testing.TB, in []byte, argv ...string) []byte {
	tb.Helper()
	dir := tb.TempDir()
	from, to := filepath.Join(dir, "in.ppm"), filepath.Join(dir, "out")
	if err := os.WriteFile(from, in, 0o600); err != nil {
		tb.Fatal(err)
	}
	for i := range argv {
		argv[i] = strings.NewReplacer("IN", from, "OUT", to).Replace(argv[i])
	}
	if text, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
		tb.Fatalf("%v: %v: %s", argv, err, text)
	}
	out, err := os.ReadFile(to)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

// cwebp is the frame in the file that it writes.
func cwebp(tb testing.TB, ppm []byte, how string) []byte {
	tb.Helper()
	argv := append(append([]string{"cwebp", "-quiet"}, strings.Fields(how)...), "IN", "-o", "OUT")
	return frameOf(tb, tool(tb, ppm, argv...))
}

// frameOf is the lossy frame of a WebP.
func frameOf(tb testing.TB, webp []byte) []byte {
	tb.Helper()
	for at := 12; at+8 <= len(webp); {
		n := int(binary.LittleEndian.Uint32(webp[at+4:]))
		if string(webp[at:at+4]) == "VP8 " {
			return webp[at+8 : at+8+n]
		}
		at += 8 + n + n&1
	}
	tb.Fatal("no lossy picture in the file")
	return nil
}

// libvpx is the first frame of what ffmpeg writes with it.
func libvpx(tb testing.TB, ppm []byte, how string) []byte {
	tb.Helper()
	argv := append([]string{"ffmpeg", "-v", "error", "-i", "IN", "-c:v", "libvpx", "-pix_fmt", "yuv420p"}, strings.Fields(how)...)
	const head, before = 32, 12 // of the file, of the frame
	ivf := tool(tb, ppm, append(argv, "-frames:v", "1", "-f", "ivf", "OUT")...)
	return ivf[head+before : head+before+int(binary.LittleEndian.Uint32(ivf[head:]))]
}

// kinds are frames of all kinds, by what they were asked for.
func kinds(tb testing.TB, ppm []byte) map[string][]byte {
	tb.Helper()
	all := make(map[string][]byte)
	for _, how := range []string{
		"-q 0", "-q 30", "-q 75", "-q 98", "-segments 1", "-segments 2 -sns 100", "-sns 0 -m 0", "-m 6 -q 60", "-f 0", "-f 100 -strong", "-f 100 -nostrong -q 20",
		"-f 60 -sharpness 3", "-f 90 -sharpness 7 -q 10", "-nostrong -sharpness 5", "-partition_limit 100", "-m 6 -pass 4 -segments 3 -af", "-preset drawing -q 40",
	} {
		all["cwebp "+how] = cwebp(tb, ppm, how)
	}
	for _, how := range []string{"-b:v 200k", "-slices 2 -b:v 2M", "-slices 4 -b:v 100k -profile:v 1", "-slices 8 -crf 4 -qmin 0 -qmax 4", "-slices 8 -crf 63 -qmin 63 -qmax 63", "-profile:v 2", "-profile:v 3"} {
		all["libvpx "+how] = libvpx(tb, ppm, how)
	}
	return all
}

// decodeOK is for what must be decoded.
func decodeOK(tb testing.TB, frame []byte, scale int) *image.YCbCr {
	tb.Helper()
	m, err := Decode(bytes.NewReader(frame), int64(len(frame)), Size{Scale: scale}, Limits{})
	if err != nil {
		tb.Fatal(err)
	}
	return m
}
