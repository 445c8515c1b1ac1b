package pictures_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/disintegration/imaging"

	"hotfolderd/thumbnails"
)

// BenchmarkQuality holds thumbnails of 256 pixels, without loss, against what ImageMagick makes with Lanczos of the whole picture in 16
// bits: in linear light, and in the values as they are stored, where all engines work unless told otherwise.
func BenchmarkQuality(b *testing.B) {
	dir := b.TempDir()
	ppm, jpg := filepath.Join(dir, "a.ppm"), filepath.Join(dir, "a.jpg")
	check(b, os.WriteFile(ppm, scene(3000, 2000), 0o666))
	tool(b, "cjpeg", "-quality", "95", "-sample", "1x1", "-outfile", jpg, ppm)
	files := append([]string{jpg}, photos(b)...)
	made := []struct {
		name string
		make func(file, out string) image.Image
	}{
		{"ours", func(file, _ string) image.Image {
			r, err := renderFile(file, thumbnails.Spec{Sizes: []int{256}, Format: thumbnails.PNG})
			check(b, err)
			m, err := png.Decode(bytes.NewReader(r.Renditions[0].Data))
			check(b, err)
			return m
		}},
		{"libvips", func(file, out string) image.Image {
			return shown(b, out, "vipsthumbnail", "--no-rotate", "--size", "256", "-o", out, file)
		}},
		{"libvips --linear", func(file, out string) image.Image {
			return shown(b, out, "vipsthumbnail", "--no-rotate", "--linear", "--size", "256", "-o", out, file)
		}},
		{"imaging", func(file, _ string) image.Image {
			m, err := imaging.Open(file)
			check(b, err)
			return imaging.Fit(m, 256, 256, imaging.Lanczos)
		}},
		{"ImageMagick", func(file, out string) image.Image {
			return shown(b, out, "convert", "-define", "jpeg:size=512x512", file, "-resize", "256x256", out)
		}},
		{"GraphicsMagick", func(file, out string) image.Image {
			return shown(b, out, "gm", "convert", "-size", "512x512", file, "-resize", "256x256", out)
		}},
	}
	for b.Loop() {
		var text strings.Builder
		fmt.Fprintf(&text, "%d pictures; means\n%-18s %14s %14s %14s %14s\n", len(files), "engine", "PSNR linear", "SSIM linear", "PSNR stored", "SSIM stored")
		for _, e := range made {
			var sums [4]float64
			for _, file := range files {
				m := e.make(file, filepath.Join(dir, "out.png"))
				for i, space := range [][]string{{"-colorspace", "RGB"}, nil} {
					ref := filepath.Join(dir, "ref.png")
					argv := append([]string{"convert", file, "-depth", "16"}, space...)
					argv = append(argv, "-filter", "Lanczos", "-resize", fmt.Sprintf("%dx%d!", m.Bounds().Dx(), m.Bounds().Dy()), "-colorspace", "sRGB", "-depth", "8", "PNG24:"+ref)
					psnr, ssim := compared(shown(b, ref, argv...), m)
					sums[2*i] += psnr / float64(len(files))
					sums[2*i+1] += ssim / float64(len(files))
				}
			}
			fmt.Fprintf(&text, "%-18s %14.1f %14.4f %14.1f %14.4f\n", e.name, sums[0], sums[1], sums[2], sums[3])
		}
		b.Logf("%s", &text)
	}
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
	m, err := png.Decode(f)
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
