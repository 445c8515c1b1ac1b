package workarea

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"hotfolderd/asset"
)

func TestTags_areReadFromTheBytes(t *testing.T) {
	a := open(t, folder(t))
	xmp := `http://ns.adobe.com/xap/1.0/` + "\x00" + `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">` +
		`<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="5"/></rdf:RDF></x:xmpmeta>`
	pic := exifJPEG(t, map[uint16]string{0x010f: "ACME", 0x0110: "Cam\x01era"}, 6)
	app1 := append([]byte{0xff, 0xe1}, binary.BigEndian.AppendUint16(nil, uint16(len(xmp)+2))...)
	pic = append(append(pic[:2:2], append(app1, xmp...)...), pic[2:]...)
	rec, _ := mustWalk(t, a, job{key: "a.jpg", body: string(pic)})
	tags, err := a.Tags(t.Context(), rec.Content)
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[string]string{"exif Make": "ACME", "exif Model": "Camera", "xmp Rating": "5"} {
		source, name, _ := strings.Cut(at, " ")
		if got := tags[source][name]; got != want {
			t.Errorf("%s: want %q, got %q of %v", at, want, got, tags)
		}
	}
	rec, _ = mustWalk(t, a, job{key: "a.txt", body: "text"})
	if tags, err := a.Tags(t.Context(), rec.Content); err != nil || len(tags) != 0 {
		t.Errorf("want no tags of a text, got %v %v", tags, err)
	}
	_, err = a.Tags(t.Context(), asset.Content{Type: "image/jpeg", Hash: asset.Hash{1}})
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("want fs.ErrNotExist, got %v", err)
	}
}

// TestMeta_hostileFilesAreBounded reads files that claim or hold far more than they should.
func TestMeta_hostileFilesAreBounded(t *testing.T) {
	var zeros bytes.Buffer
	z := zlib.NewWriter(&zeros)
	_, _ = z.Write(make([]byte, 64<<20))
	_ = z.Close()
	ztxt := "Raw profile type iptc\x00\x00" + zeros.String()
	deep := strings.Repeat("<a>", 1<<20)
	var many strings.Builder
	many.WriteString(`<x:xmpmeta xmlns:x="x"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description `)
	for i := range 100_000 {
		fmt.Fprintf(&many, `xmlns:n%d="u" n%d:T%d="%d" `, i, i, i, i)
	}
	for name, c := range map[string]struct{ kind, file string }{
		"a bomb":       {"image/png", "\x89PNG\r\n\x1a\n" + chunk("zTXt", ztxt)},
		"long chunk":   {"image/png", "\x89PNG\r\n\x1a\n\xff\xff\xff\xffeXIf"},
		"deep XMP":     {"image/webp", riff("XMP ", deep)},
		"many XMP":     {"image/webp", riff("XMP ", many.String()+"/></rdf:RDF></x:xmpmeta>")},
		"loop of IFDs": {"image/tiff", "II*\x00\x08\x00\x00\x00\x00\x00\x08\x00\x00\x00"},
		"huge count":   {"image/tiff", "II*\x00\x08\x00\x00\x00\xff\xff" + strings.Repeat("\x0f\x01\x02\x00\xff\xff\xff\xff\x08\x00\x00\x00", 9000)},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			began := time.Now()
			meta := readMeta(t.Context(), c.kind, strings.NewReader(c.file), int64(len(c.file)))
			runtime.ReadMemStats(&after)
			if len(meta) > maxMetaTags+2 {
				t.Errorf("want few tags, got %d", len(meta))
			}
			if took := time.Since(began); took > 30*time.Second {
				t.Errorf("it took %s", took)
			}
			if used := int64(after.TotalAlloc - before.TotalAlloc); used > 512<<20 {
				t.Errorf("it took %d MB of memory", used>>20)
			} else {
				t.Logf("%d MB in all, %s", used>>20, time.Since(began))
			}
		})
	}
}

func chunk(kind, data string) string {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	b = append(append(b, kind...), data...)
	return string(binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:])))
}

func riff(kind, data string) string {
	part := func(kind, data string) string {
		return kind + string(binary.LittleEndian.AppendUint32(nil, uint32(len(data)))) + data
	}
	return part("RIFF", "WEBP"+part("VP8X", "\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00")+part(kind, data))
}

func TestWindowed_readsWhatIsThere(t *testing.T) {
	data := make([]byte, 3*tagWindow+7)
	for i := range data {
		data[i] = byte(rand.IntN(256))
	}
	w := &windowed{r: bytes.NewReader(data), size: int64(len(data))}
	if err := iotest.TestReader(io.NewSectionReader(w, 0, w.size), data); err != nil {
		t.Error(err)
	}
}
