package pictures_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os/exec"
	"regexp"
	"testing"
	"time"
)

// TestOutput_webPByRule: the page shows pictures as WebP, made in the confined process; as JPEG they are there for who asks.
func TestOutput_webPByRule(t *testing.T) {
	n := startNode(t, "", "complete: { settle: 200ms, patience: 500ms }\nthumbnails: { sizes: [128], format: webp }\n")
	name, data, want := good(t, 14)
	n.drop(name, data)
	n.untilThumbnail(name)
	var at [][]byte
	within(t, time.Minute, "WebP on the page", func() bool {
		_, _, page := n.get("/")
		at = regexp.MustCompile(`src="(/v1/thumbnails/[0-9a-f]{64}/128\?format=webp)"`).FindSubmatch(page)
		return at != nil
	})
	status, kind, body := n.get(string(at[1]))
	if status != 200 || kind != "image/webp" {
		t.Fatalf("want a WebP, got %d %s", status, kind)
	}
	got := color.NRGBAModel.Convert(fromWebP(t, body).At(60, 40)).(color.NRGBA)
	for _, p := range [][2]uint8{{want.R, got.R}, {want.G, got.G}, {want.B, got.B}} {
		if d := int(p[0]) - int(p[1]); d > 12 || d < -12 {
			t.Fatalf("want %v, got %v", want, got)
		}
	}
	if status, kind, _ := n.get("/v1/assets/inbox/" + name + "/thumbnail?size=128&format=jpeg"); status != 200 || kind != "image/jpeg" {
		t.Errorf("want a JPEG for who asks, got %d %s", status, kind)
	}
}

// fromWebP decodes by the format's own program: Go's decoders say nothing of the range that a WebP's colours have.
func fromWebP(t *testing.T, body []byte) image.Image {
	t.Helper()
	dwebp := exec.Command("dwebp", "-quiet", "-o", "-", "--", "-")
	dwebp.Stdin = bytes.NewReader(body)
	out, err := dwebp.Output()
	if err != nil {
		t.Fatal(err)
	}
	m, err := png.Decode(bytes.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	return m
}
