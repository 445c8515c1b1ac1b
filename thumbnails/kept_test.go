package thumbnails

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"image"
	"image/color"
	"image/draw"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/bep/imagemeta"
)

// exifOfOwner is a block with an orientation, an owner, and what nobody should learn: the number of the camera, a date and a place.
func exifOfOwner(artist, copyright string) []byte {
	le := binary.LittleEndian
	b := []byte("II*\x00\x08\x00\x00\x00")
	fields := []struct {
		tag, kind uint16
		text      string
		n, value  uint32
	}{
		{0x0112, 3, "", 1, 6},
		{0x0132, 2, "2024:05:06 07:08:09\x00", 0, 0},
		{0x013b, 2, artist + "\x00    ", 0, 0},
		{0x8298, 2, copyright + "\x00    ", 0, 0},
		{0x8825, 4, "", 1, 0},
		{0xa431, 2, "SERIAL-4711\x00", 0, 0},
	}
	at := len(b) + 2 + 12*len(fields) + 4
	var values []byte
	b = le.AppendUint16(b, uint16(len(fields)))
	gps := len(b) + 12*4 + 8
	for _, f := range fields {
		b = le.AppendUint16(le.AppendUint16(b, f.tag), f.kind)
		if f.text == "" {
			b = le.AppendUint32(le.AppendUint32(b, f.n), f.value)
			continue
		}
		b = le.AppendUint32(le.AppendUint32(b, uint32(len(f.text))), uint32(at+len(values)))
		values = append(values, f.text...)
	}
	b = append(append(b, 0, 0, 0, 0), values...)
	le.PutUint32(b[gps:], uint32(len(b)))
	b = le.AppendUint16(b, 2)
	b = append(b, 1, 0, 2, 0, 2, 0, 0, 0, 'N', 0, 0, 0)
	b = append(b, 2, 0, 5, 0, 3, 0, 0, 0)
	b = le.AppendUint32(b, uint32(len(b)+8))
	b = append(b, 0, 0, 0, 0)
	for _, v := range []uint32{52, 1, 31, 1, 4711, 100} {
		b = le.AppendUint32(b, v)
	}
	return b
}

// xmpOf is a packet with a place, a date and the given properties.
func xmpOf(properties string) []byte {
	return []byte(`<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">` +
		`<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"` +
		` xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/" xmlns:aux="http://ns.adobe.com/exif/1.0/aux/"` +
		` exif:GPSLatitude="52,31.4711N" xmp:CreateDate="2024-05-06" aux:SerialNumber="SERIAL-4711">` + properties + `</rdf:Description></rdf:RDF></x:xmpmeta>`)
}

const owners = `<dc:creator><rdf:Seq><rdf:li>Ann</rdf:li><rdf:li>Bob &lt;b&gt;</rdf:li></rdf:Seq></dc:creator>` +
	`<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">© A&amp;B "x"</rdf:li><rdf:li xml:lang="de">anders</rdf:li></rdf:Alt></dc:rights>` +
	`<photoshop:Credit>Agency</photoshop:Credit><photoshop:Source>Desk</photoshop:Source>` +
	`<xmpRights:UsageTerms><rdf:Alt><rdf:li xml:lang="x-default">Ask</rdf:li></rdf:Alt></xmpRights:UsageTerms>` +
	`<dc:title><rdf:Alt><rdf:li xml:lang="x-default">Title</rdf:li></rdf:Alt></dc:title>` +
	`<dc:description><rdf:Alt><rdf:li xml:lang="x-default">In words</rdf:li></rdf:Alt></dc:description>`

// iptcOf is a segment of Photoshop with records of an application.
func iptcOf(records map[byte]string) []byte {
	var b []byte
	for _, id := range []byte{80, 110, 116} {
		b = append(b, 0x1c, 2, id, byte(len(records[id])>>8), byte(len(records[id])))
		b = append(b, records[id]...)
	}
	head := append([]byte("Photoshop 3.0\x008BIM\x04\x04\x00\x00"), binary.BigEndian.AppendUint32(nil, uint32(len(b)))...)
	return append(head, b...)
}

func jpegWithSegment(data []byte, marker byte, body []byte) []byte {
	out := binary.BigEndian.AppendUint16([]byte{0xff, 0xd8, 0xff, marker}, uint16(len(body)+2))
	return append(append(out, body...), data[2:]...)
}

func jpegWithXMP(data, packet []byte) []byte {
	return jpegWithSegment(data, 0xe1, append([]byte("http://ns.adobe.com/xap/1.0/\x00"), packet...))
}

// xmpIn reads what a rendition says, by imagemeta. Of a PNG it reads no XMP: there avifenc hands the packet on to an AVIF; and of a WebP not
// always: there webpmux hands it out, and webpinfo says that nothing else is there.
func xmpIn(t *testing.T, r Rendition) map[string]any {
	t.Helper()
	data, kind := r.Data, imagemeta.JPEG
	switch r.Format {
	case PNG:
		data, kind = asAVIF(t, data), imagemeta.AVIF
	case WebP:
		data = jpegWithXMP(asJPEG(t, quarters(8, 8)), webpPacket(t, data))
	}
	got := map[string]any{}
	_, err := imagemeta.Decode(imagemeta.Options{
		R: bytes.NewReader(data), ImageFormat: kind, Sources: imagemeta.XMP | imagemeta.EXIF | imagemeta.IPTC,
		HandleTag: func(i imagemeta.TagInfo) error {
			if i.Tag != "About" {
				got[i.Tag] = i.Value
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func webpPacket(t *testing.T, data []byte) []byte {
	t.Helper()
	file := asFile(t, "a.webp", data)
	out, err := exec.Command("webpinfo", file).CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("No error detected")) || bytes.Contains(out, []byte("Chunk EXIF")) {
		t.Errorf("webpinfo: %v\n%s", err, out)
	}
	if out, err := exec.Command("webpmux", "-get", "xmp", file, "-o", file+".xmp").CombinedOutput(); err != nil {
		t.Fatalf("webpmux: %v\n%s", err, out)
	}
	packet, err := os.ReadFile(file + ".xmp")
	if err != nil {
		t.Fatal(err)
	}
	return packet
}

func asAVIF(t *testing.T, data []byte) []byte {
	t.Helper()
	from := asFile(t, "a.png", data)
	if out, err := exec.Command("avifenc", "-s", "10", from, from+".avif").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	made, err := os.ReadFile(from + ".avif")
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func sameWords(t *testing.T, r Rendition, want map[string]any) {
	t.Helper()
	got := xmpIn(t, r)
	for tag, v := range want {
		list, is := v.([]string)
		if other, too := got[tag].([]string); is && too && slices.Equal(list, other) {
			continue
		} else if is || got[tag] != v {
			t.Errorf("%s, %s: want %q, got %q", r.Format, tag, v, got[tag])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s: want %v and nothing else, got %v", r.Format, want, got)
	}
}

func carriesNothingPrivate(t *testing.T, r Rendition) {
	t.Helper()
	for _, trace := range []string{"GPS", "4711", "SERIAL", "2024", "52,31", "Exif", "EXIF", "eXIf", "ICC", "Photoshop"} {
		if bytes.Contains(r.Data, []byte(trace)) {
			t.Errorf("%s: %q is in the thumbnail", r.Format, trace)
		}
	}
}

func TestKeep_onlyTheWordsAreInRenditions(t *testing.T) {
	data := jpegWithEXIF(jpegWithXMP(asJPEG(t, quarters(200, 100)), xmpOf(owners)), exifOfOwner("", ""))
	all := map[string]any{
		"Creator": []string{"Ann", "Bob <b>"}, "Rights": `© A&B "x"`, "Credit": "Agency", "Source": "Desk", "UsageTerms": "Ask", "Title": "Title",
		"Description": "In words",
	}
	for _, c := range []struct {
		keep []string
		want []string
	}{
		{nil, nil},
		{[]string{"copyright"}, []string{"Rights"}},
		{[]string{"credit", "creator"}, []string{"Credit", "Creator"}},
		{keepWords(), []string{"Creator", "Rights", "Credit", "Source", "UsageTerms", "Title", "Description"}},
	} {
		want := map[string]any{}
		for _, tag := range c.want {
			want[tag] = all[tag]
		}
		for _, format := range []string{JPEG, PNG, WebP} {
			r := renderOK(t, data, Spec{Sizes: []int{64}, Format: format, Keep: c.keep}).Renditions[0]
			carriesNothingPrivate(t, r)
			if len(want) > 0 {
				sameWords(t, r, want)
			} else if bytes.Contains(r.Data, []byte("xmp")) || bytes.Contains(r.Data, []byte("XMP")) {
				t.Errorf("%s: want no XMP", format)
			}
		}
	}
}

// TestKeep_isReadWhereverItStands: EXIF goes before XMP and XMP before IPTC, word by word.
func TestKeep_isReadWhereverItStands(t *testing.T) {
	m, spec := quarters(80, 40), Spec{Sizes: []int{32}, Keep: []string{"copyright", "creator", "credit"}}
	block := exifOfOwner("Eve", "by the camera")
	xmp := xmpOf(`<dc:creator><rdf:Seq><rdf:li>Xaver</rdf:li></rdf:Seq></dc:creator><photoshop:Credit>of XMP</photoshop:Credit>`)
	iptc := iptcOf(map[byte]string{80: "Ida", 110: "of IPTC", 116: "too"})
	plain := asJPEG(t, m)
	still := renderOK(t, asPNG(t, m), Spec{Sizes: []int{80}, Format: WebP}).Renditions[0].Data[12:]
	for name, c := range map[string]struct {
		data []byte
		want map[string]any
	}{
		"EXIF in a JPEG":                        {jpegWithEXIF(plain, block), map[string]any{"Creator": "Eve", "Rights": "by the camera"}},
		"XMP in a JPEG":                         {jpegWithXMP(plain, xmp), map[string]any{"Creator": "Xaver", "Credit": "of XMP"}},
		"IPTC in a JPEG":                        {jpegWithSegment(plain, 0xed, iptc), map[string]any{"Creator": "Ida", "Rights": "too", "Credit": "of IPTC"}},
		"XMP and IPTC":                          {jpegWithXMP(jpegWithSegment(plain, 0xed, iptc), xmp), map[string]any{"Creator": "Xaver", "Rights": "too", "Credit": "of XMP"}},
		"all three":                             {jpegWithEXIF(jpegWithXMP(jpegWithSegment(plain, 0xed, iptc), xmp), block), map[string]any{"Creator": "Eve", "Rights": "by the camera", "Credit": "of XMP"}},
		"broken EXIF":                           {jpegWithEXIF(jpegWithXMP(plain, xmp), block[:70]), map[string]any{"Creator": "Xaver", "Credit": "of XMP"}},
		"EXIF in a PNG":                         {pngWithEXIF(asPNG(t, m), block), map[string]any{"Creator": "Eve", "Rights": "by the camera"}},
		"a WebP":                                {riff(vp8x(1<<3|1<<2, 80, 40), still, riffChunk("EXIF", block), riffChunk("XMP ", xmp)), map[string]any{"Creator": "Eve", "Rights": "by the camera", "Credit": "of XMP"}},
		"XMP in a PNG":                          {withPacketOf(PNG, asPNG(t, m), xmp), map[string]any{"Creator": "Xaver", "Credit": "of XMP"}},
		"packed XMP behind the pixels of a PNG": {pngWithPackedXMP(asPNG(t, m), xmp), map[string]any{"Creator": "Xaver", "Credit": "of XMP"}},
		"a WebP of odd chunks":                  {riff(vp8x(1<<2, 80, 40), riffChunk("ODD ", []byte("x")), still, riffChunk("XMP ", xmp)), map[string]any{"Creator": "Xaver", "Credit": "of XMP"}},
		"a WebP as by JPEG":                     {riff(vp8x(1<<3, 80, 40), still, riffChunk("EXIF", append([]byte("Exif\x00\x00"), block...))), map[string]any{"Creator": "Eve", "Rights": "by the camera"}},
		"XMP in a TIFF":                         {asTIFF(t, "TIFF", []string{"-profile", asFile(t, "a.xmp", xmp)}, nil), map[string]any{"Creator": "Xaver", "Credit": "of XMP"}},
		"a raw file's EXIF":                     {rawOfOwner(jpegWithEXIF(plain, block), "Rit"), map[string]any{"Creator": "Rit"}},
		"nothing of the kind":                   {plain, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := renderOK(t, c.data, spec).Renditions[0]
			carriesNothingPrivate(t, r)
			sameWords(t, r, c.want)
		})
	}
}

func withPacketOf(format string, data, packet []byte) []byte {
	return withPacket(Rendition{Format: format, Data: data}, packet)
}

func pngWithPackedXMP(data, packet []byte) []byte {
	b := bytes.NewBufferString("XML:com.adobe.xmp\x00\x01\x00en\x00name\x00")
	z := zlib.NewWriter(b)
	_, _ = z.Write(packet)
	_ = z.Close()
	end := len(data) - 12
	return slices.Concat(data[:end], pngChunk("iTXt", b.Bytes()), data[end:])
}

// rawOfOwner is a small raw file whose picture inside has an owner too.
func rawOfOwner(inside []byte, artist string) []byte {
	const head = 8 + 6 + 12*5
	name := binary.LittleEndian.Uint32(append([]byte(artist), 0)[:4])
	b := append([]byte("II*\x00\x08\x00\x00\x00"), tiffDirectory(
		[4]uint32{tagSubfileType, 4, 1, 1}, [4]uint32{tagCompression, 3, 1, 1}, [4]uint32{0x013b, 2, 4, name},
		[4]uint32{tagJPEG, 4, 1, head}, [4]uint32{tagJPEGBytes, 4, 1, uint32(len(inside))})...)
	return append(b, inside...)
}

func asFile(t *testing.T, name string, data []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestKeep_filesAreWhatTheyWere: with pictures of all kinds, others read the file, and the picture is the same to the last bit.
func TestKeep_filesAreWhatTheyWere(t *testing.T) {
	clear := quarters(61, 35)
	draw.Draw(clear, image.Rect(0, 0, 30, 20), image.NewUniform(color.NRGBA{R: 200, A: 128}), image.Point{}, draw.Src)
	for name, m := range map[string]image.Image{"opaque": quarters(61, 35), "transparent": clear, "grey": image.NewGray(image.Rect(0, 0, 20, 9))} {
		original := pngWithEXIF(asPNG(t, m), exifOfOwner("Eve", "odd"))
		for _, spec := range []Spec{{Format: JPEG}, {Format: JPEG, Progressive: true}, {Format: PNG}, {Format: WebP}, {Format: WebP, Quality: 100}} {
			spec.Sizes = []int{61, 16}
			plain := renderOK(t, original, spec)
			spec.Keep = []string{"creator", "copyright"}
			for i, r := range renderOK(t, original, spec).Renditions {
				want := plain.Renditions[i]
				in, out := map[string]string{JPEG: "jpg", PNG: "png", WebP: "webp"}[r.Format]+":-", "rgba:-"
				if !bytes.Equal(piped(t, want.Data, "convert", in, "-depth", "8", out), piped(t, r.Data, "convert", in, "-depth", "8", out)) {
					t.Errorf("%s, %+v: want the same picture, got another", name, spec)
				}
				if why := flaw(t.Context(), r.Data, r.Size, r.Format); why != "" {
					t.Errorf("%s, %+v: %s", name, spec, why)
				}
				sameWords(t, r, map[string]any{"Creator": "Eve", "Rights": "odd"})
			}
		}
	}
}

// TestKeep_isBounded: of values as long as can be, each as long as it becomes in XML, and cut between runes.
func TestKeep_isBounded(t *testing.T) {
	long := strings.Repeat("&amp;", 9000) + "end"
	var many strings.Builder
	for range 500 {
		many.WriteString("<rdf:li>Ann &amp; Bob</rdf:li>")
	}
	xmp := xmpOf(`<dc:creator><rdf:Seq>` + many.String() + `</rdf:Seq></dc:creator><photoshop:Credit>` + long + `</photoshop:Credit>`)
	data := jpegWithEXIF(jpegWithXMP(asJPEG(t, quarters(80, 40)), xmp), exifOfOwner("", strings.Repeat("ü€", 1600)))
	r := renderOK(t, data, Spec{Sizes: []int{32}, Keep: keepWords()}).Renditions[0]
	got := xmpIn(t, r)
	for tag, most := range map[string]int{"Credit": keptBytes / 5, "Rights": keptBytes} {
		text, _ := got[tag].(string)
		if len(text) > most || len(text) < most-5 || !utf8.ValidString(text) {
			t.Errorf("%s: want %d bytes of whole runes, got %d", tag, most, len(text))
		}
	}
	if names, _ := got["Creator"].([]string); len(names) != keptItems {
		t.Errorf("want %d creators, got %d", keptItems, len(names))
	}
	k := kept{}
	for _, word := range keepWords() {
		k[word] = slices.Repeat([]string{strings.Repeat(`"`, 3*keptBytes)}, keptItems)
	}
	if n := len(k.packet()); n > 0xffff-64 {
		t.Errorf("want a packet that fits in a segment, got %d bytes", n)
	}
}

func TestKeep_isCleaned(t *testing.T) {
	for in, want := range map[string]string{
		"a\tb\r\n c ": "a b c", "\x00\x1bx\u202ey": "xy", "\xff\xfe": "", "]]><!--": "]]><!--", "\ufffeé": "é",
	} {
		if got := cleanText(in); got != want {
			t.Errorf("%q: want %q, got %q", in, want, got)
		}
	}
	if got := cleanTexts([]byte("x")); got != nil {
		t.Errorf("want nothing of bytes, got %q", got)
	}
}

func TestKeep_refusesOtherWords(t *testing.T) {
	_, err := Spec{Sizes: []int{16}, Keep: []string{"copyright", "gps"}}.checked()
	if err == nil || !strings.Contains(err.Error(), `"gps": copyright, creator, credit, source, terms, title, description`) {
		t.Errorf("want the words, got %v", err)
	}
}

// TestKeep_isTheSameOfAllNodes: in this process and in a confined child.
func TestKeep_isTheSameOfAllNodes(t *testing.T) {
	data := jpegWithEXIF(jpegWithXMP(asJPEG(t, quarters(200, 100)), xmpOf(owners)), exifOfOwner("Eve", ""))
	spec := Spec{Sizes: []int{64, 32}, Keep: []string{"title", "creator"}}
	res, err := testPool(t, "imaging", 1, confineEnv+"=1").Render(t.Context(), bytes.NewReader(data), int64(len(data)), spec, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range renderOK(t, data, spec).Renditions {
		if !bytes.Equal(want.Data, res.Renditions[i].Data) {
			t.Errorf("%d pixels: want the same bytes", want.Size)
		}
	}
	sameWords(t, res.Renditions[0], map[string]any{"Creator": "Eve", "Title": "Title"})
}

// FuzzKeep: whatever an original has, what comes out is a rendition that can be read, with a packet that is XML.
func FuzzKeep(f *testing.F) {
	m := asJPEG(f, quarters(16, 8))
	f.Add(jpegWithEXIF(m, exifOfOwner("Eve", "x")))
	f.Add(jpegWithXMP(m, xmpOf(owners)))
	f.Add(jpegWithSegment(m, 0xed, iptcOf(map[byte]string{80: "Ida"})))
	f.Add(pngWithPackedXMP(asPNG(f, quarters(16, 8)), xmpOf(owners)))
	f.Add(pngWithEXIF(asPNG(f, quarters(16, 8)), exifOfOwner("Eve", "x")))
	f.Fuzz(func(t *testing.T, data []byte) {
		defer boundedMemory(t, data)()
		res, err := NewImaging().Render(t.Context(), bytes.NewReader(data), int64(len(data)), Spec{Sizes: []int{8}, Format: Auto, Keep: keepWords()}, Limits{MaxPixels: 1 << 16})
		if err != nil {
			return
		}
		for _, r := range res.Renditions {
			if why := flaw(t.Context(), r.Data, r.Size, r.Format); why != "" {
				t.Error(why)
			}
			if r.Format == JPEG {
				xmpIn(t, r)
			}
		}
	})
}
