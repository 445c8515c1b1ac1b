package jpegscale

import (
	"bytes"
	"errors"
	"fmt"
	"image/jpeg"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestProgressive_isTheSamePictureInOtherScans has libjpeg-turbo decode both, and tell what was written.
func TestProgressive_isTheSamePictureInOtherScans(t *testing.T) {
	each(t, func(t *testing.T, sampling string, data []byte) {
		got, err := Progressive(data, Limits{})
		if sampling == "rgb" {
			if unsupported := jpeg.UnsupportedError(""); !errors.As(err, &unsupported) {
				t.Fatalf("the colours of Adobe: want unsupported, got %v", err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		samePixels(t, data, got)
	})
}

func samePixels(t *testing.T, data, got []byte) {
	t.Helper()
	if kind := run(t, got, "file", "-"); !strings.Contains(string(kind), "progressive") {
		t.Fatalf("want a progressive file, got %s", kind)
	}
	if !bytes.Equal(run(t, data, "djpeg", "-dct", "int"), run(t, got, "djpeg", "-dct", "int")) {
		t.Fatal("want the same pixels, got others")
	}
}

// TestProgressive_ofEmptyBlocks has more of them than one code can have.
func TestProgressive_ofEmptyBlocks(t *testing.T) {
	const w, h = 1608, 1352
	ppm := fmt.Appendf(nil, "P6 %d %d 255\n", w, h)
	ppm = append(ppm, bytes.Repeat([]byte{90, 140, 20}, w*h)...)
	last := ppm[len(ppm)-3*w*2:]
	for i := range last {
		last[i] = byte(i * 31)
	}
	data := run(t, ppm, "cjpeg", "-sample", "1x1")
	got, err := Progressive(data, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	samePixels(t, data, got)
	if len(got) > len(data)/2 {
		t.Errorf("want one code for many empty blocks, got %d bytes of %d", len(got), len(data))
	}
}

// TestProgressive_isMadeToMeasure: what scans cost is less than what codes save.
func TestProgressive_isMadeToMeasure(t *testing.T) {
	data := run(t, scene(1024, 683), "cjpeg", "-quality", "82")
	got, err := Progressive(data, Limits{})
	if err != nil || len(got) >= len(data) {
		t.Errorf("want fewer than %d bytes, got %d, %v", len(data), len(got), err)
	}
}

func TestProgressive_refusesWhatIsDamaged(t *testing.T) {
	data := run(t, scene(200, 100), "cjpeg")
	for n := range len(data) - 2 {
		if got, err := Progressive(data[:n], Limits{}); err == nil || got != nil {
			t.Fatalf("%d of %d bytes: want an error, got %d bytes and %v", n, len(data), len(got), err)
		}
	}
	if _, err := Progressive(data, Limits{Pixels: 100}); err == nil {
		t.Error("over the limit: want an error, got none")
	}
}

// TestCodeLengths_ofCountsThatGrowTooFast: those of Fibonacci make the deepest tree.
func TestCodeLengths_ofCountsThatGrowTooFast(t *testing.T) {
	var steep, random [symbols + 1]int
	steep[0], steep[1] = 1, 1
	for i := 2; i < 40; i++ {
		steep[i] = steep[i-1] + steep[i-2]
	}
	r := rand.New(rand.NewPCG(3, 4))
	for i := range symbols {
		random[i] = 1 + r.IntN(1000)
	}
	for name, counts := range map[string][symbols + 1]int{"steep": steep, "random": random, "one": {7: 5}} {
		before, full, most := counts, 0, 0
		lengths := codeLengths(&counts)
		for s, n := range lengths {
			if (n > 0) != (before[s] > 0 || s == symbols) || n > longest {
				t.Errorf("%s: symbol %d, counted %d times: %d bits", name, s, before[s], n)
			}
			if n > 0 {
				full += 1 << (longest - n)
			}
			most = max(most, n)
		}
		if full != 1<<longest || lengths[symbols] != most {
			t.Errorf("%s: want a full tree whose last code is the one that is left out, got %d of %d, and %d of %d bits", name, full, 1<<longest, lengths[symbols], most)
		}
	}
}

func BenchmarkProgressive(b *testing.B) {
	for _, width := range []int{256, 1024} {
		data := run(b, scene(width, width*2/3), "cjpeg", "-quality", "82")
		b.Run(fmt.Sprint(width), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Progressive(data, Limits{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
