package thumbnails

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Profiles that Debian's packages icc-profiles-free and libgs-common bring.
const (
	adobeRGB = "/usr/share/color/icc/ghostscript/a98.icc"
	wideRGB  = "/usr/share/color/icc/ghostscript/rommrgb.icc"
	press    = "/usr/share/color/icc/ghostscript/default_cmyk.icc"
	plainRGB = "/usr/share/color/icc/ghostscript/srgb.icc"
	grey     = "/usr/share/color/icc/Gray.icc"
	lightRGB = "/usr/share/color/icc/LStar-RGB.icc"
)

func profileFile(tb testing.TB, name string) []byte {
	tb.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		tb.Fatalf("%v: tests need the Debian packages icc-profiles-free and libgs-common (make tools)", err)
	}
	return b
}

// TestColours_isWhatLittleCMSSays holds random colours against the reference implementation.
func TestColours_isWhatLittleCMSSays(t *testing.T) {
	for _, c := range []struct {
		profile  string
		channels int
		mean     float64 // of the difference of a channel, in steps of 8 bits
		most     int     // for 99 of 100 channels
	}{
		{adobeRGB, 3, 0.3, 2},
		{wideRGB, 3, 0.5, 4},
		{lightRGB, 3, 0.6, 4},
		{press, 4, 0.8, 4},
		{grey, 1, 0.3, 1},
	} {
		t.Run(filepath.Base(c.profile), func(t *testing.T) {
			given := randomColours(c.channels, 4000)
			want := littleCMS(t, c.profile, given)
			ours := coloursOf(profileFile(t, c.profile))
			if ours == nil {
				t.Fatal("the profile was not understood")
			}
			sum, far := 0, 0
			for i, in := range given {
				got := convert(ours, in)
				for ch := range 3 {
					d := max(int(got[ch])-int(want[i][ch]), int(want[i][ch])-int(got[ch]))
					sum += d
					if d > c.most {
						far++
					}
				}
			}
			mean := float64(sum) / float64(3*len(given))
			if n := 3 * len(given); mean > c.mean || far > n/100 {
				t.Errorf("the mean difference is %.2f steps, at most %.2f is near; %d of %d channels are more than %d off", mean, c.mean, far, n, c.most)
			}
		})
	}
}

func convert(c *colours, in []byte) []byte {
	out := make([]byte, 4)
	switch c.channels {
	case 1:
		copy(out, []byte{in[0], in[0], in[0], 255})
		c.grayRow(out)
	case 3:
		copy(out, append(bytes.Clone(in), 255))
		c.row(out)
	case 4:
		c.inkRow(out, in)
	}
	return out
}

func randomColours(channels, n int) [][]byte {
	random := rand.New(rand.NewPCG(1, 2))
	all := make([][]byte, n)
	for i := range all {
		all[i] = make([]byte, channels)
		for ch := range all[i] {
			all[i][ch] = byte(random.IntN(256))
		}
	}
	return all
}

// littleCMS asks the tool of Little CMS, which takes inks in percent.
func littleCMS(t *testing.T, profile string, given [][]byte) [][3]byte {
	t.Helper()
	var in strings.Builder
	for _, c := range given {
		for _, v := range c {
			if len(c) == 4 {
				fmt.Fprintf(&in, "%.4f ", float64(v)/2.55)
			} else {
				fmt.Fprintf(&in, "%d ", v)
			}
		}
		in.WriteString("\n")
	}
	cmd := exec.Command("transicc", "-i", profile, "-o", plainRGB, "-t1", "-b", "-n", "-s")
	cmd.Stdin = strings.NewReader(in.String())
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: the test needs transicc of the Debian package liblcms2-utils (make tools)", err)
	}
	all := make([][3]byte, 0, len(given))
	for line := range strings.Lines(string(out)) {
		var r, g, b float64
		if n, _ := fmt.Sscan(line, &r, &g, &b); n == 3 {
			all = append(all, [3]byte{byte(r + 0.5), byte(g + 0.5), byte(b + 0.5)})
		}
	}
	if len(all) != len(given) {
		t.Fatalf("%d answers to %d colours", len(all), len(given))
	}
	return all
}

// TestRender_heedsTheProfileOfEachFormat compares with the same pixels without a profile, which must differ.
func TestRender_heedsTheProfileOfEachFormat(t *testing.T) {
	wide := profileFile(t, adobeRGB)
	m := quarters(64, 64)
	for name, data := range map[string][]byte{
		"JPEG in one piece": jpegWithProfile(asJPEG(t, m), wide, 60000),
		"JPEG in pieces":    jpegWithProfile(asJPEG(t, m), wide, 100),
		"PNG":               pngWithProfile(asPNG(t, m), wide),
		"TIFF":              tiffWithProfile(tiffWith(m, 1), wide),
	} {
		t.Run(name, func(t *testing.T) {
			got := picture(t, renderOK(t, data, Spec{Sizes: []int{32}, Format: PNG}).Renditions[0])
			want := convert(coloursOf(wide), []byte{green.R, green.G, green.B})
			near(t, got, 24, 8, color.NRGBA{want[0], want[1], want[2], 255}, 6)
			if want[0] == green.R && want[1] == green.G {
				t.Fatal("the profile changes nothing, so this shows nothing")
			}
		})
	}
}

func TestRender_heedsTheProfileOfInks(t *testing.T) {
	inks := profileFile(t, press)
	data := jpegWithProfile(fourInks(16, 16, 0, [4]uint8{255 - 200, 255 - 30, 255 - 10, 255 - 20}), inks, 60000)
	got := picture(t, renderOK(t, data, Spec{Sizes: []int{16}, Format: PNG}).Renditions[0])
	want := littleCMS(t, press, [][]byte{{200, 30, 10, 20}})[0]
	near(t, got, 8, 8, color.NRGBA{want[0], want[1], want[2], 255}, 4)
}

// TestRender_spoiledProfilesChangeNothing: each is taken for no profile.
func TestRender_spoiledProfilesChangeNothing(t *testing.T) {
	whole := profileFile(t, adobeRGB)
	many := bytes.Clone(whole)
	binary.BigEndian.PutUint32(many[128:], 1<<31)
	outside := bytes.Clone(whole)
	binary.BigEndian.PutUint32(outside[132+8:], 1<<31)
	for name, profile := range map[string][]byte{
		"half": whole[:len(whole)/2], "many tags": many, "a tag outside": outside, "zeros": make([]byte, 500), "short": whole[:40],
		"inks for colours": profileFile(t, press),
	} {
		t.Run(name, func(t *testing.T) {
			got := picture(t, renderOK(t, pngWithProfile(asPNG(t, quarters(64, 64)), profile), Spec{Sizes: []int{32}, Format: PNG}).Renditions[0])
			near(t, got, 24, 8, green, 0)
		})
	}
}

// TestRender_sRGBIsLeftAsItIs is exact: a profile that says sRGB must not cost a rounding.
func TestRender_sRGBIsLeftAsItIs(t *testing.T) {
	data := pngWithProfile(asPNG(t, quarters(64, 64)), profileFile(t, plainRGB))
	near(t, picture(t, renderOK(t, data, Spec{Sizes: []int{32}, Format: PNG}).Renditions[0]), 24, 8, green, 0)
}

func FuzzProfile(f *testing.F) {
	for _, name := range []string{adobeRGB, press, grey} {
		b := profileFile(f, name)
		f.Add(b[:min(len(b), 4096)])
	}
	f.Fuzz(func(_ *testing.T, profile []byte) {
		if len(profile) >= minProfile {
			_, _ = newColours(profile)
		}
	})
}

func FuzzProfileOf(f *testing.F) {
	f.Add(jpegWithProfile(asJPEG(f, quarters(16, 16)), profileFile(f, adobeRGB), 100))
	f.Add(pngWithProfile(asPNG(f, quarters(16, 16)), profileFile(f, adobeRGB)))
	f.Add(tiffWithProfile(tiffWith(quarters(8, 8), 1), profileFile(f, adobeRGB)))
	f.Fuzz(func(_ *testing.T, data []byte) {
		s := newSource(context.Background(), bytes.NewReader(data), int64(len(data)))
		for _, mime := range []string{"image/jpeg", "image/png", "image/tiff"} {
			profileOf(s, measured{format: format{mime: mime}})
		}
	})
}

func BenchmarkColours(b *testing.B) {
	c := coloursOf(profileFile(b, adobeRGB))
	m := image.NewNRGBA(image.Rect(0, 0, 1024, 683))
	b.SetBytes(int64(len(m.Pix)))
	for b.Loop() {
		c.apply(m)
	}
}

func BenchmarkNewColours(b *testing.B) {
	for _, name := range []string{adobeRGB, press} {
		b.Run(filepath.Base(name), func(b *testing.B) {
			profile := profileFile(b, name)
			for b.Loop() {
				if _, err := newColours(profile); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func jpegWithProfile(data, profile []byte, piece int) []byte {
	b := bytes.Clone(data[:2])
	all := (len(profile) + piece - 1) / piece
	for i := range all {
		part := profile[i*piece : min((i+1)*piece, len(profile))]
		b = append(b, 0xff, 0xe2)
		b = binary.BigEndian.AppendUint16(b, uint16(2+12+2+len(part)))
		b = append(append(b, "ICC_PROFILE\x00"...), byte(i+1), byte(all))
		b = append(b, part...)
	}
	return append(b, data[2:]...)
}

func pngWithProfile(data, profile []byte) []byte {
	var z bytes.Buffer
	w := zlib.NewWriter(&z)
	_, _ = w.Write(profile)
	_ = w.Close()
	const header = 8 + 25
	b := append(bytes.Clone(data[:header]), pngChunk("iCCP", append([]byte("p\x00\x00"), z.Bytes()...))...)
	return append(b, data[header:]...)
}

// tiffWithProfile adds a tag to the directory, which stands at the end.
func tiffWithProfile(data, profile []byte) []byte {
	at := int(binary.LittleEndian.Uint32(data[4:]))
	n := int(binary.LittleEndian.Uint16(data[at:]))
	entries := bytes.Clone(data[at+2 : at+2+12*n])
	b := append(bytes.Clone(data[:at]), data[at:]...) // old offsets stay where they lead
	where := len(b)
	b = append(b, profile...)
	if len(b)%2 == 1 {
		b = append(b, 0)
	}
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)))
	b = binary.LittleEndian.AppendUint16(b, uint16(n+1))
	b = append(b, entries...)
	b = binary.LittleEndian.AppendUint16(b, 34675)
	b = binary.LittleEndian.AppendUint16(b, 7)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(profile)))
	b = binary.LittleEndian.AppendUint32(b, uint32(where))
	return append(b, 0, 0, 0, 0)
}
