package pictures_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// input is pictures of one kind.
type input struct {
	name  string
	files []string
	sizes []int
}

// inputs are made here, with the edges, the smooth parts and the noise of photographs: 24 megapixels, 12 for PNG and WebP, and 500 of one.
func inputs(b *testing.B, dir string) []input {
	b.Helper()
	large, half := scene(6000, 4000), scene(4032, 3024)
	ppm := filepath.Join(dir, "large.ppm")
	check(b, os.WriteFile(ppm, large, 0o666))
	middle := filepath.Join(dir, "half.ppm")
	check(b, os.WriteFile(middle, half, 0o666))
	made := func(name, ext string, argv ...string) input {
		file := filepath.Join(dir, name+ext)
		for i := range argv {
			if argv[i] == "OUT" {
				argv[i] = file
			}
		}
		text, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
		if err != nil {
			b.Fatalf("%v: %v: %s", argv, err, text)
		}
		return input{name: name, files: linked(b, file, 3), sizes: []int{256, 1024}}
	}
	return []input{
		made("jpeg-24mp", ".jpg", "cjpeg", "-quality", "92", "-sample", "2x1", "-outfile", "OUT", ppm),
		made("jpeg-24mp-progressive", ".jpg", "cjpeg", "-quality", "92", "-progressive", "-sample", "2x1", "-outfile", "OUT", ppm),
		{"web-500", web(b, dir, large), []int{256}},
		made("png-12mp", ".png", "convert", middle, "OUT"),
		made("tiff-24mp-plain", ".tif", "convert", ppm, "-compress", "None", "OUT"),
		made("tiff-24mp-lzw", ".tif", "convert", ppm, "-compress", "LZW", "OUT"),
		made("webp-12mp", ".webp", "cwebp", "-quiet", "-q", "85", filepath.Join(dir, "png-12mp.png"), "-o", "OUT"),
	}
}

// linked is the file under several names: libvips remembers what it did with a name.
func linked(b *testing.B, file string, n int) (files []string) {
	b.Helper()
	for i := range n {
		name := fmt.Sprintf("%s-%d%s", file, i, filepath.Ext(file))
		check(b, os.Link(file, name))
		files = append(files, name)
	}
	return files
}

// web is 50 cuts of the large picture, each ten times.
func web(b *testing.B, dir string, large []byte) (files []string) {
	b.Helper()
	const w, h, head = 1200, 833, len("P6 6000 4000 255\n")
	for n := range 50 {
		x0, y0 := n%10*480, n/10*630
		cut := fmt.Appendf(nil, "P6 %d %d 255\n", w, h)
		for y := range h {
			at := head + 3*((y0+y)*6000+x0)
			cut = append(cut, large[at:at+3*w]...)
		}
		file := filepath.Join(dir, fmt.Sprintf("web-%02d.jpg", n))
		cmd := exec.Command("cjpeg", "-quality", "80", "-outfile", file)
		cmd.Stdin = bytes.NewReader(cut)
		check(b, cmd.Run())
		files = append(files, linked(b, file, 10)...)
	}
	return files
}

// scene is a picture with smooth parts, fine lines, edges and noise, as PPM.
func scene(w, h int) []byte {
	r := rand.New(rand.NewPCG(7, uint64(w)))
	b := fmt.Appendf(make([]byte, 0, 3*w*h+32), "P6 %d %d 255\n", w, h)
	across, down := make([]float64, w), make([]float64, h)
	for x := range across {
		across[x] = 70*math.Sin(float64(x)/137) + 12*math.Sin(float64(x)*float64(x)/90000)
	}
	for y := range down {
		down[y] = 60 * math.Cos(float64(y)/123)
	}
	for y := range h {
		for x := range w {
			v := 125 + across[x] + down[y] + 10*(r.Float64()-0.5)
			if (x/141+y/99)%3 == 0 {
				v += 50
			}
			b = append(b, level(v), level(250-v+across[x]), level(v-down[y]))
		}
	}
	return b
}

func level(v float64) byte { return byte(min(max(v, 0), 255)) }
