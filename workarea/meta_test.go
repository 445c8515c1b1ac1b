package workarea

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"image"
	"image/jpeg"
	"testing"
	"time"
	"unicode/utf8"
)

// exifJPEG is a JPEG with the given ASCII tags and an orientation.
func exifJPEG(t testing.TB, tags map[uint16]string, orientation uint16) []byte {
	t.Helper()
	var pic bytes.Buffer
	if err := jpeg.Encode(&pic, image.NewGray(image.Rect(0, 0, 8, 8)), nil); err != nil {
		t.Fatal(err)
	}
	le := binary.LittleEndian
	n := len(tags) + 1
	ifd := le.AppendUint16(nil, uint16(n))
	var values []byte
	at := uint32(8 + 2 + 12*n + 4)
	for _, id := range []uint16{0x010e, 0x010f, 0x0110, 0x0112, 0x8298} {
		text, ok := tags[id]
		switch {
		case id == 0x0112:
			ifd = le.AppendUint16(ifd, id)
			ifd = le.AppendUint16(ifd, 3)
			ifd = le.AppendUint32(ifd, 1)
			ifd = le.AppendUint32(ifd, uint32(orientation))
		case ok:
			value := append([]byte(text), 0, 0, 0, 0, 0)
			ifd = le.AppendUint16(ifd, id)
			ifd = le.AppendUint16(ifd, 2)
			ifd = le.AppendUint32(ifd, uint32(len(value)))
			ifd = le.AppendUint32(ifd, at+uint32(len(values)))
			values = append(values, value...)
		}
	}
	ifd = le.AppendUint32(ifd, 0)
	tiff := append([]byte("II*\x00\x08\x00\x00\x00"), append(ifd, values...)...)
	app1 := append([]byte("Exif\x00\x00"), tiff...)
	out := append([]byte{0xff, 0xd8, 0xff, 0xe1}, binary.BigEndian.AppendUint16(nil, uint16(len(app1)+2))...)
	return append(append(out, app1...), pic.Bytes()[2:]...)
}

func TestStage_readsMetadataOfAnImage(t *testing.T) {
	a := open(t, folder(t))
	data := exifJPEG(t, map[uint16]string{0x010f: "ACME", 0x0110: "Cam\x01era 3", 0x8298: string(bytes.Repeat([]byte("ü"), 400))}, 6)
	c, s, err := a.Stage(t.Context(), bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Discard()
	for name, want := range map[string]string{"Make": "ACME", "Model": "Camera 3", "Orientation": "6"} {
		if got := c.Meta[name]; got != want {
			t.Errorf("%s: want %q, got %q", name, want, got)
		}
	}
	if got := c.Meta["Copyright"]; len(got) > maxMetaValue || !utf8.ValidString(got) {
		t.Errorf("want at most %d bytes of whole letters, got %q", maxMetaValue, got)
	}
}

func TestReadMeta_boundsOfAHostileFile(t *testing.T) {
	data := exifJPEG(t, map[uint16]string{0x010f: "ACME"}, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := readMeta(ctx, "image/jpeg", bytes.NewReader(data), int64(len(data))); got != nil {
		t.Errorf("want nothing after the end, got %v", got)
	}
	endless := &counting{pattern: []byte{0xff, 0xe1, 0x00, 0x02}}
	begin := time.Now()
	readMeta(t.Context(), "image/jpeg", endless, 1<<40)
	if endless.read > maxMetaRead+(1<<20) || time.Since(begin) > 5*maxMetaTime {
		t.Errorf("want at most %d bytes read, got %d in %v", maxMetaRead, endless.read, time.Since(begin))
	}
	for _, mime := range []string{"image/jpeg", "image/png", "image/tiff", "image/webp", "image/heic"} {
		if got := readMeta(t.Context(), mime, broken{}, 1<<20); got != nil {
			t.Errorf("%s: want nothing of what cannot be read, got %v", mime, got)
		}
	}
	if got := readMeta(t.Context(), "image/jpeg", panicking{}, 1<<20); got != nil {
		t.Errorf("want nothing after a panic, got %v", got)
	}
}

// counting is an image of endless segments.
type counting struct {
	pattern []byte
	read    int
}

func (c *counting) ReadAt(p []byte, off int64) (int, error) {
	c.read += len(p)
	for i := range p {
		p[i] = c.pattern[(off+int64(i)+2)%4]
	}
	if off == 0 {
		copy(p, "\xff\xd8")
	}
	return len(p), nil
}

type broken struct{}

func (broken) ReadAt([]byte, int64) (int, error) { return 0, errors.New("bad sector") }

type panicking struct{}

func (panicking) ReadAt([]byte, int64) (int, error) { panic("a bug of somebody else") }

func FuzzReadMeta(f *testing.F) {
	f.Add("image/jpeg", exifJPEG(f, map[uint16]string{0x010f: "ACME"}, 1))
	f.Add("image/tiff", []byte("II*\x00\x08\x00\x00\x00"))
	f.Add("image/png", []byte("\x89PNG\r\n\x1a\n"))
	f.Add("image/webp", []byte("RIFF\x00\x00\x00\x00WEBPVP8X"))
	f.Add("image/heic", []byte("\x00\x00\x00\x18ftypheic"))
	f.Fuzz(func(t *testing.T, mime string, data []byte) {
		meta := readMeta(t.Context(), mime, bytes.NewReader(data), int64(len(data)))
		if len(meta) > maxMetaTags {
			t.Fatalf("%d tags", len(meta))
		}
		for name, v := range meta {
			if v == "" || len(v) > maxMetaValue || !utf8.ValidString(v) {
				t.Fatalf("%s is %q", name, v)
			}
		}
	})
}
