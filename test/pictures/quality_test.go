package pictures_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg"
	_ "image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/disintegration/imaging"

	"hotfolderd/thumbnails"
)

// BenchmarkQuality holds thumbnails of 256 and 1024 pixels, without loss, against what ImageMagick makes with Lanczos of the whole picture in 16
// bits: in linear light, and in the values as they are stored, where all engines work unless told otherwise. Pictures are left out that are not
// twice as large.
func BenchmarkQuality(b *testing.B) {
	q := quality{b, b.TempDir()}
	files := append([]string{q.scene(3000, 2000), q.scene(6000, 4000)}, photos(b)...)
	for _, size := range []int{256, 1024} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			q := quality{b, q.dir}
			for b.Loop() {
				b.Logf("%s", q.table(q.larger(files, 2*size), size))
			}
		})
	}
}

type quality struct {
	b   *testing.B
	dir string
}

func (q quality) scene(w, h int) (file string) {
	ppm, file := filepath.Join(q.dir, "a.ppm"), filepath.Join(q.dir, fmt.Sprintf("%d.jpg", w))
	check(q.b, os.WriteFile(ppm, scene(w, h), 0o666))
	tool(q.b, "cjpeg", "-quality", "95", "-sample", "1x1", "-outfile", file, ppm)
	return file
}

func (q quality) larger(files []string, side int) (all []string) {
	for _, file := range files {
		f, err := os.Open(file)
		check(q.b, err)
		c, _, err := image.DecodeConfig(f)
		check(q.b, errors.Join(err, f.Close()))
		if max(c.Width, c.Height) >= side {
			all = append(all, file)
		}
	}
	return all
}

// quick is how each engine makes a thumbnail.
var quick = []struct {
	name string
	make func(q quality, file, out string, size int) image.Image
}{
	{"ours", func(q quality, file, _ string, size int) image.Image {
		return q.rendered(file, thumbnails.Spec{Sizes: []int{size}, Format: thumbnails.PNG})
	}},
	{"ours, JPEG of 100", func(q quality, file, _ string, size int) image.Image { // another way, that of most thumbnails
		return q.rendered(file, thumbnails.Spec{Sizes: []int{size}, Format: thumbnails.JPEG, Quality: 100})
	}},
	{"libvips", func(q quality, file, out string, size int) image.Image {
		return shown(q.b, out, "vipsthumbnail", "--no-rotate", "--size", strconv.Itoa(size), "-o", out, file)
	}},
	{"libvips, JPEG of 100", func(q quality, file, out string, size int) image.Image {
		out = strings.TrimSuffix(out, ".png") + ".jpg"
		return shown(q.b, out, "vipsthumbnail", "--no-rotate", "--size", strconv.Itoa(size), "-o", out+"[Q=100,subsample-mode=on]", file)
	}},
	{"libvips --linear", func(q quality, file, out string, size int) image.Image {
		return shown(q.b, out, "vipsthumbnail", "--no-rotate", "--linear", "--size", strconv.Itoa(size), "-o", out, file)
	}},
	{"imaging", func(q quality, file, _ string, size int) image.Image {
		m, err := imaging.Open(file)
		check(q.b, err)
		return imaging.Fit(m, size, size, imaging.Lanczos)
	}},
	{"ImageMagick", func(q quality, file, out string, size int) image.Image {
		return shown(q.b, out, "convert", "-define", "jpeg:size="+square(2*size), file, "-resize", square(size), out)
	}},
	{"GraphicsMagick", func(q quality, file, out string, size int) image.Image {
		return shown(q.b, out, "gm", "convert", "-size", square(2*size), file, "-resize", square(size), out)
	}},
}

func (q quality) rendered(file string, spec thumbnails.Spec) image.Image {
	r, err := renderFile(file, spec)
	check(q.b, err)
	m, _, err := image.Decode(bytes.NewReader(r.Renditions[0].Data))
	check(q.b, err)
	return m
}

func square(size int) string { return fmt.Sprintf("%dx%d", size, size) }

func (q quality) table(files []string, size int) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%d pictures; means\n%-21s %14s %14s %14s %14s\n", len(files), "engine", "PSNR linear", "SSIM linear", "PSNR stored", "SSIM stored")
	for _, e := range quick {
		var sums [4]float64
		for _, file := range files {
			m := e.make(q, file, filepath.Join(q.dir, "out.png"), size)
			for i, space := range [][]string{{"-colorspace", "RGB"}, nil} {
				psnr, ssim := compared(q.reference(file, m.Bounds().Size(), space), m)
				sums[2*i] += psnr / float64(len(files))
				sums[2*i+1] += ssim / float64(len(files))
			}
		}
		fmt.Fprintf(&text, "%-21s %14.1f %14.4f %14.1f %14.4f\n", e.name, sums[0], sums[1], sums[2], sums[3])
	}
	return text.String()
}

// reference is a file at a size, made in that space.
func (q quality) reference(file string, size image.Point, space []string) image.Image {
	ref := filepath.Join(q.dir, "ref.png")
	argv := append([]string{"convert", file, "-depth", "16"}, space...)
	return shown(q.b, ref, append(argv, "-filter", "Lanczos", "-resize", fmt.Sprintf("%dx%d!", size.X, size.Y), "-colorspace", "sRGB", "-depth", "8", "PNG24:"+ref)...)
}

func tool(b *testing.B, argv ...string) {
	b.Helper()
	if text, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
		b.Fatalf("%v: %v: %s", argv, err, text)
	}
}

// shown is the file that a tool makes.
func shown(b *testing.B, file string, argv ...string) image.Image {
	b.Helper()
	tool(b, argv...)
	f, err := os.Open(file)
	check(b, err)
	defer func() { _ = f.Close() }()
	m, _, err := image.Decode(f)
	check(b, err)
	return m
}

// compared is the peak signal to noise ratio of brightness, and its structural similarity in windows of 8 by 8.
func compared(want, got image.Image) (psnr, ssim float64) {
	size := want.Bounds().Size()
	a, b := bright(want), bright(got)
	var square float64
	for i := range a {
		square += (a[i] - b[i]) * (a[i] - b[i])
	}
	psnr = 10 * math.Log10(255*255/max(square/float64(len(a)), 1e-6))
	windows := 0
	for y := 0; y+8 <= size.Y; y += 4 {
		for x := 0; x+8 <= size.X; x += 4 {
			ssim += similar(a, b, y*size.X+x, size.X)
			windows++
		}
	}
	return psnr, ssim / float64(max(windows, 1))
}

func similar(a, b []float64, at, stride int) float64 {
	var sa, sb, saa, sbb, sab float64
	for y := range 8 {
		for x := range 8 {
			p, q := a[at+y*stride+x], b[at+y*stride+x]
			sa, sb, saa, sbb, sab = sa+p, sb+q, saa+p*p, sbb+q*q, sab+p*q
		}
	}
	const n, c1, c2 = 64, 6.5025, 58.5225
	ma, mb := sa/n, sb/n
	va, vb, cov := saa/n-ma*ma, sbb/n-mb*mb, sab/n-ma*mb
	return (2*ma*mb + c1) * (2*cov + c2) / ((ma*ma + mb*mb + c1) * (va + vb + c2))
}

func bright(m image.Image) []float64 {
	r := m.Bounds()
	var all []float64
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			c := color.NRGBAModel.Convert(m.At(x, y)).(color.NRGBA)
			all = append(all, 0.299*float64(c.R)+0.587*float64(c.G)+0.114*float64(c.B))
		}
	}
	return all
}
