package thumbnails

import (
	"bytes"
	"context"
	"encoding/binary"
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
