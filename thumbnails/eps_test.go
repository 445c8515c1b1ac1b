package thumbnails

import (
	"bytes"
	"context"
	"encoding/binary"
	"image"
	"image/color"
	"os"
	"strings"
	"testing"
)

// eps is PostScript with a picture of itself behind it.
func eps(preview []byte) []byte {
	const script, head = "%!PS-Adobe-3.0 EPSF-3.0\nshowpage\n", 30
	b := []byte(epsMagic)
	for _, n := range []int{head, len(script), 0, 0, head + len(script), len(preview)} {
		b = binary.LittleEndian.AppendUint32(b, uint32(n))
	}
	return append(append(append(b, 0xff, 0xff), script...), preview...)
}

func TestRender_showsThePictureInsideAnEPS(t *testing.T) {
	res := renderOK(t, eps(tiffWith(quarters(300, 200), 1)), Spec{Sizes: []int{90}, Format: PNG})
	if res.Width != 300 || res.Height != 200 {
		t.Errorf("want 300 x 200, got %d x %d", res.Width, res.Height)
	}
	m := picture(t, res.Renditions[0])
	near(t, m, 22, 15, red, 8)
	near(t, m, 67, 45, yellow, 8)
}

// TestRender_showsThePictureAmongTheComments has a file by ps2epsi, of Ghostscript.
func TestRender_showsThePictureAmongTheComments(t *testing.T) {
	data, err := os.ReadFile("testdata/preview.epsi")
	if err != nil {
		t.Fatal(err)
	}
	m := picture(t, renderOK(t, data, Spec{Sizes: []int{60}, Format: PNG}).Renditions[0])
	if got := m.Bounds().Size(); got != image.Pt(60, 40) {
		t.Fatalf("want 60 x 40, got %v", got)
	}
	black, white := color.NRGBA{A: 255}, color.NRGBA{255, 255, 255, 255}
	near(t, m, 45, 8, black, 0)
	near(t, m, 45, 32, white, 0)
}

// TestRender_previewsOfAnyDepth: nothing is white, and all bits are black, line by line in whole bytes.
func TestRender_previewsOfAnyDepth(t *testing.T) {
	for lines, want := range map[string][2]uint8{
		"3 2 1 2\n% 20\n% a0\n": {255, 0}, "3 2 2 1\n%9400E0\n": {85, 255}, "3 2 4 9\r\n% 5f 00 a0 00": {170, 85}, "3 2 8 1\n%01 fe 00\n%FF00 20": {254, 0},
	} {
		data := []byte("%!PS-Adobe-3.0 EPSF-3.0\n%%EndComments\n%%BeginPreview: " + lines + "\n%%EndPreview\n")
		m := picture(t, renderOK(t, data, Spec{Sizes: []int{3}, Format: PNG}).Renditions[0])
		near(t, m, 0, 0, color.NRGBA{want[0], want[0], want[0], 255}, 0)
		near(t, m, 0, 1, color.NRGBA{want[1], want[1], want[1], 255}, 0)
	}
	for name, lines := range map[string]string{"too few": "9 9 8 1\n% 00", "nothing": "", "no digits": "2 1 8 1\n% 0x", "three bits": "2 1 3 1\n% 00", "no line": "2 1 8 1"} {
		t.Log(name)
		wantFault(t, Corrupt, []byte("%!PS\n%%BeginPreview: "+lines+"\n%%EndPreview\n"), Limits{})
	}
	wantFault(t, TooLarge, []byte("%!PS\n%%BeginPreview: 30000 30000 8 1\n% 00\n%%EndPreview\n"), Limits{})
}

func TestRender_saysWhyPostScriptIsNotShown(t *testing.T) {
	far := eps(tiffWith(quarters(30, 20), 1))
	binary.LittleEndian.PutUint32(far[20:], 0xfffffff0)
	inside := eps(eps(tiffWith(quarters(30, 20), 1)))
	for name, data := range map[string][]byte{
		"only PostScript": []byte("%!PS-Adobe-3.0\nshowpage\n"), "only the magic": []byte(epsMagic), "far": far, "EPS in EPS": inside, "no TIFF": eps([]byte("nothing")),
	} {
		_, err := NewImaging().Render(context.Background(), bytes.NewReader(data), int64(len(data)), Spec{Sizes: []int{90}}, Limits{})
		if fault := wantKind(t, Unsupported, err); !strings.Contains(fault.Reason, "no picture of itself") {
			t.Errorf("%s: %v", name, fault)
		}
	}
}
