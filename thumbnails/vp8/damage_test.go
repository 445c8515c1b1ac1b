package vp8

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"runtime/metrics"
	"testing"

	"golang.org/x/image/vp8"
)

// TestDecode_givesWhatThereIs cuts a frame in the middle: the upper part is that of the whole, the lower one grey.
func TestDecode_givesWhatThereIs(t *testing.T) {
	whole := cwebp(t, scene(320, 400), "-q 90")
	for _, scale := range []int{1, 2, 4, 8} {
		want := decodeOK(t, whole, scale)
		part := whole[:len(whole)*2/3]
		got, err := Decode(bytes.NewReader(part), int64(len(part)), Size{Scale: scale}, Limits{})
		if !errors.Is(err, io.ErrUnexpectedEOF) || got == nil {
			t.Fatalf("1/%d: want a picture and %v, got %v", scale, io.ErrUnexpectedEOF, err)
		}
		third := got.YStride * got.Rect.Dy() / 3
		if !bytes.Equal(want.Y[:third], got.Y[:third]) {
			t.Errorf("1/%d: the upper third differs", scale)
		}
		if last := got.Y[len(got.Y)-got.YStride:]; bytes.Count(last, []byte{128}) != len(last) {
			t.Errorf("1/%d: want grey where nothing is known", scale)
		}
	}
}

// TestDecode_cutAnywhere: an error beside a picture, or none; and what golang.org/x/image decodes is decoded.
func TestDecode_cutAnywhere(t *testing.T) {
	for _, frame := range seeds(t) {
		for n := range frame {
			answers(t, frame[:n], uint8(n))
		}
	}
}

func TestDecode_sourceThatFails(t *testing.T) {
	broken := errors.New("the disk is gone")
	frame := cwebp(t, scene(640, 400), "-q 95")
	for _, n := range []int{0, 1, 100, len(frame) / 2} {
		if _, err := Decode(failing{frame, n, broken}, int64(len(frame)), Size{Scale: 8}, Limits{}); !errors.Is(err, broken) {
			t.Errorf("after %d bytes: want %v, got %v", n, broken, err)
		}
	}
}

// failing has n bytes.
type failing struct {
	data []byte
	n    int
	err  error
}

func (f failing) ReadAt(p []byte, off int64) (int, error) {
	if off >= int64(f.n) {
		return 0, f.err
	}
	n := copy(p, f.data[off:f.n])
	if n < len(p) {
		return n, f.err
	}
	return n, nil
}

// TestDecode_refuses what is over its limits, or nothing that it knows, before it allocates.
func TestDecode_refuses(t *testing.T) {
	frame := cwebp(t, scene(100, 50), "-q 75")
	if _, err := Decode(bytes.NewReader(frame), int64(len(frame)), Size{Scale: 1}, Limits{Pixels: 5000}); err != nil {
		t.Errorf("within its limits: %v", err)
	}
	spoiled := func(at int, b byte) []byte { s := bytes.Clone(frame); s[at] = b; return s }
	for name, data := range map[string][]byte{
		"too many pixels": frame, "between frames": spoiled(0, frame[0]|1), "no start": spoiled(4, 0), "no width": append(spoiled(6, 0)[:7:7], append([]byte{0}, frame[8:]...)...),
		"all of 16383": append(bytes.Clone(frame[:6]), "\xff\x3f\xff\x3f"...), "nothing": nil,
	} {
		before := allocated()
		m, err := Decode(bytes.NewReader(data), int64(len(data)), Size{Scale: 1}, Limits{Pixels: 4999})
		if m != nil || err == nil {
			t.Errorf("%s: want an error, got none", name)
		}
		if got := allocated() - before; got > 64<<10 {
			t.Errorf("%s: %d bytes allocated", name, got)
		}
	}
	if _, err := Decode(bytes.NewReader(frame), int64(len(frame)), Size{Scale: 3}, Limits{}); err == nil {
		t.Error("1/3: want an error, got none")
	}
}

// FuzzDecode is TestDecode_spoiled without an end.
func FuzzDecode(f *testing.F) {
	for i, frame := range seeds(f) {
		f.Add(frame, uint8(i))
	}
	f.Fuzz(func(t *testing.T, data []byte, by uint8) { answers(t, data, by) })
}

// seeds are small frames of several kinds.
func seeds(tb testing.TB) [][]byte {
	tb.Helper()
	ppm := scene(50, 40)
	return [][]byte{
		cwebp(tb, ppm, "-q 80"), cwebp(tb, ppm, "-q 5 -f 100"), cwebp(tb, ppm, "-nostrong -segments 2 -sns 100"),
		libvpx(tb, ppm, "-slices 8"), libvpx(tb, ppm, "-profile:v 3 -slices 2 -crf 4 -qmin 0 -qmax 4"),
	}
}

// TestDecode_spoiled changes some bytes here and there.
func TestDecode_spoiled(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for i, frame := range seeds(t) {
		for range 2000 {
			spoiled := bytes.Clone(frame)
			for range 1 + r.IntN(4) {
				spoiled[r.IntN(len(spoiled))] = byte(r.Uint32())
			}
			if answers(t, spoiled, uint8(r.IntN(8))); t.Failed() {
				t.Fatalf("seed %d, as %x", i, spoiled)
			}
		}
	}
}

// answers fails unless there is a picture of the size that the header says, or an error; and unless what golang.org/x/image decodes is decoded here too.
func answers(t *testing.T, data []byte, by uint8) {
	t.Helper()
	scale := 1 << (by & 3)
	to := Size{Scale: scale, Halved: by&4 != 0}
	lim := Limits{Pixels: 1 << 16}
	before := allocated()
	m, err := Decode(bytes.NewReader(data), int64(len(data)), to, lim)
	if got := allocated() - before; got > 4<<20 {
		t.Errorf("%d bytes allocated", got)
	}
	if m == nil && err == nil {
		t.Fatal("neither a picture nor an error")
	}
	d := vp8.NewDecoder()
	d.Init(bytes.NewReader(data), len(data))
	head, headErr := d.DecodeFrameHeader()
	if headErr != nil || !head.KeyFrame || head.Width*head.Height > 1<<16 || head.Width*head.Height == 0 {
		return
	}
	if m != nil && (m.Rect.Dx() != Scaled(head.Width, scale) || m.Rect.Dy() != Scaled(head.Height, scale)) {
		t.Errorf("want 1/%d of %d x %d, got %v", scale, head.Width, head.Height, m.Rect)
	}
	if _, theirs := d.DecodeFrame(); theirs == nil && err != nil {
		t.Errorf("golang.org/x/image decodes it, got %v", err)
	}
}

// allocated is the bytes that were ever allocated.
func allocated() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
