package jpegscale

import (
	"bytes"
	"errors"
	"image"
	"image/jpeg"
	"io"
	"math/rand/v2"
	"runtime/metrics"
	"testing"
	"testing/iotest"
)

// TestDecode_givesWhatThereIs cuts files in the middle: the upper part of the picture is that of the whole file, the
// lower one is grey, and an error says that it is cut off.
func TestDecode_givesWhatThereIs(t *testing.T) {
	whole := run(t, scene(320, 400), "cjpeg", "-quality", "90")
	for _, eighths := range Eighths() {
		want := decodeOK(t, whole, eighths).(*image.YCbCr)
		m, err := Decode(bytes.NewReader(whole[:len(whole)/2]), Size{Eighths: eighths}, Limits{})
		if !errors.Is(err, io.ErrUnexpectedEOF) || m == nil {
			t.Fatalf("%d/8: want a picture and %v, got %v", eighths, io.ErrUnexpectedEOF, err)
		}
		got := m.(*image.YCbCr)
		third := got.YStride * got.Rect.Dy() / 3
		if !bytes.Equal(want.Y[:third], got.Y[:third]) {
			t.Errorf("%d/8: the upper third differs", eighths)
		}
		if last := got.Y[len(got.Y)-got.YStride:]; bytes.Count(last, []byte{grey}) != len(last) {
			t.Errorf("%d/8: want grey where nothing is known", eighths)
		}
	}
}

// TestDecode_needsNoMoreOfAProgressiveFile: at 1/8 what comes behind the last bit of the first coefficients is not read.
func TestDecode_needsNoMoreOfAProgressiveFile(t *testing.T) {
	data := run(t, scene(640, 480), "cjpeg", "-progressive", "-quality", "95")
	src := &counter{r: bytes.NewReader(data)}
	if _, err := Decode(iotest.HalfReader(src), Size{Eighths: 1}, Limits{}); err != nil {
		t.Fatal(err)
	}
	if src.n > len(data)*9/10 {
		t.Errorf("want the last scans left alone, got %d of %d bytes read", src.n, len(data))
	}
}

type counter struct {
	r io.Reader
	n int
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p[:min(len(p), 512)])
	c.n += n
	return n, err
}

// TestDecode_restartsBehindDamage spoils one interval: all others stay as they were.
func TestDecode_restartsBehindDamage(t *testing.T) {
	whole := run(t, scene(320, 320), "cjpeg", "-restart", "1", "-quality", "90")
	for name, spoil := range map[string]func(at int, b []byte) []byte{
		"zeros":         func(at int, b []byte) []byte { clear(b[at+30 : at+60]); return b },
		"a lost marker": func(at int, b []byte) []byte { return append(b[:at:at], b[at+2:]...) },
		"a lost row":    func(at int, b []byte) []byte { return append(b[:at:at], b[bytes.Index(b, []byte{0xff, rst0 + 4}):]...) },
	} {
		t.Run(name, func(t *testing.T) {
			at := bytes.Index(whole, []byte{0xff, rst0 + 3})
			data := spoil(at, bytes.Clone(whole))
			want := decodeOK(t, whole, 8).(*image.YCbCr)
			m, err := Decode(bytes.NewReader(data), Size{Eighths: 8}, Limits{})
			if err == nil && name != "zeros" { // which are codes like others
				t.Fatal("want an error beside the picture, got none")
			}
			got := m.(*image.YCbCr)
			row := 16 * got.YStride
			if !bytes.Equal(want.Y[:3*row], got.Y[:3*row]) || !bytes.Equal(want.Y[6*row:], got.Y[6*row:]) {
				t.Error("want damage in the rows 3 to 5 alone")
			}
		})
	}
}

// TestDecode_cutAnywhere: no panic, and an error or a picture whatever is left of a file.
func TestDecode_cutAnywhere(t *testing.T) {
	for _, args := range [][]string{nil, {"-progressive"}, {"-restart", "2B"}} {
		data := run(t, scene(40, 30), "cjpeg", args...)
		for n := range data {
			for _, eighths := range Eighths() {
				if m, err := Decode(bytes.NewReader(data[:n]), Size{eighths, n%2 == 0}, Limits{}); m == nil && err == nil {
					t.Fatalf("%v cut at %d: neither a picture nor an error", args, n)
				}
			}
		}
	}
}

func TestDecode_readersOfOneByte(t *testing.T) {
	data := run(t, scene(80, 60), "cjpeg", "-progressive", "-restart", "2B")
	m, err := Decode(iotest.OneByteReader(bytes.NewReader(data)), Size{Eighths: 4}, Limits{})
	if err != nil || !bytes.Equal(brightness(m), brightness(decodeOK(t, data, 4))) {
		t.Errorf("want the same picture, got %v", err)
	}
}

func TestDecode_sourceThatFails(t *testing.T) {
	broken := errors.New("the disk is gone")
	data := run(t, scene(320, 200), "cjpeg")
	for _, n := range []int{0, 1, 100, len(data) / 2} {
		if _, err := Decode(io.MultiReader(bytes.NewReader(data[:n]), iotest.ErrReader(broken)), Size{Eighths: 1}, Limits{}); !errors.Is(err, broken) {
			t.Errorf("after %d bytes: want %v, got %v", n, broken, err)
		}
	}
}

func TestDecode_limits(t *testing.T) {
	data := run(t, scene(100, 50), "cjpeg", "-progressive")
	for name, lim := range map[string]Limits{"pixels": {Pixels: 4999}, "scans": {Scans: 3}} {
		t.Run(name, func(t *testing.T) {
			if _, err := Decode(bytes.NewReader(data), Size{Eighths: 8}, lim); err == nil {
				t.Errorf("%+v: want an error, got none", lim)
			}
		})
	}
	if _, err := Decode(bytes.NewReader(data), Size{Eighths: 8}, Limits{Pixels: 5000, Scans: 10}); err != nil {
		t.Errorf("within its limits: %v", err)
	}
}

// TestDecode_endlessScans repeats a scan of few bytes over a large picture: it ends by the number of scans.
func TestDecode_endlessScans(t *testing.T) {
	head := []byte("\xff\xd8\xff\xdb\x00\x43\x00")
	head = append(head, bytes.Repeat([]byte{1}, 64)...)
	head = append(head, "\xff\xc2\x00\x0b\x08\x20\x00\x20\x00\x01\x01\x11\x00"...)
	head = append(head, "\xff\xc4\x00\x14\x10\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xe0"...) // 0: the next 32767 blocks end
	scan := append([]byte("\xff\xda\x00\x08\x01\x01\x00\x01\x3f\x01"), bytes.Repeat([]byte{0x7f, 0x7f}, 40)...)
	data := append(head, bytes.Repeat(scan, 100_000)...)
	_, err := Decode(bytes.NewReader(data), Size{Eighths: 8}, Limits{})
	if bad := jpeg.FormatError(""); !errors.As(err, &bad) {
		t.Errorf("want a refusal, got %v", err)
	}
}

// FuzzDecode is TestDecode_spoiled without an end.
func FuzzDecode(f *testing.F) {
	for i, data := range seeds(f) {
		f.Add(data, uint8(i))
	}
	f.Fuzz(func(t *testing.T, data []byte, by uint8) {
		answers(t, data, Size{Eighths()[int(by&7)%len(Eighths())], by&8 != 0})
	})
}

// seeds are small files of many kinds.
func seeds(tb testing.TB) [][]byte {
	tb.Helper()
	all := [][]byte{assets(tb)["cmyk.jpg"], assets(tb)["gray.jpg"]}
	for _, args := range [][]string{nil, {"-progressive"}, {"-restart", "2B"}, {"-grayscale"}, {"-sample", "4x1"}, {"-rgb"}, {"-progressive", "-restart", "1B"}} {
		all = append(all, run(tb, scene(40, 30), "cjpeg", args...))
	}
	return all
}

// TestDecode_spoiled changes some bytes here and there.
func TestDecode_spoiled(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for i, data := range seeds(t) {
		for range 40_000 / (100 + len(data)/100) {
			spoiled := bytes.Clone(data)
			for range 1 + r.IntN(4) {
				spoiled[r.IntN(len(spoiled))] = byte(r.Uint32())
			}
			if answers(t, spoiled, Size{Eighths()[r.IntN(len(Eighths()))], r.IntN(2) == 0}); t.Failed() {
				t.Fatalf("seed %d, as %x", i, spoiled)
			}
		}
	}
}

// answers fails unless there is a picture of the size that the header says, or an error. Where image/jpeg gives a picture
// there must be one, though what it overlooks may be an error here.
func answers(t *testing.T, data []byte, size Size) {
	t.Helper()
	lim := Limits{Pixels: 1 << 18, Scans: 50}
	before := allocated()
	m, err := Decode(bytes.NewReader(data), size, lim)
	if got, most := allocated()-before, uint64(64*lim.Pixels); got > most {
		t.Errorf("want at most %d bytes allocated, got %d", most, got)
	}
	c, headErr := jpeg.DecodeConfig(bytes.NewReader(data))
	switch {
	case m == nil && err == nil:
		t.Error("neither a picture nor an error")
	case m != nil && headErr == nil:
		want := image.Rect(0, 0, Scaled(c.Width, size.Eighths), Scaled(c.Height, size.Eighths))
		if m.Bounds() != want {
			t.Errorf("want %v, got %v", want, m.Bounds())
		}
		_ = m.At(m.Bounds().Max.X-1, m.Bounds().Max.Y-1) // it is there
	}
	if m != nil || headErr != nil || lim.size(c.Width, c.Height) != nil {
		return
	}
	if _, theirs := jpeg.Decode(bytes.NewReader(data)); theirs == nil {
		t.Errorf("image/jpeg decodes it, got %v", err)
	}
}

// allocated is the bytes that were ever allocated.
func allocated() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
