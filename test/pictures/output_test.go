package pictures_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
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

// TestOutput_theFormatChangesByRule: what was made before the change is shown as it was made, what comes after it as the rule says then,
// also the same bytes under another name.
func TestOutput_theFormatChangesByRule(t *testing.T) {
	const rule = "complete: { settle: 200ms, patience: 500ms }\nthumbnails: { sizes: [128], format: %s }\n"
	n := startNode(t, "", fmt.Sprintf(rule, "jpeg"))
	name, data, _ := good(t, 14)
	n.drop(name, data)
	n.shown(name, data, "jpeg")
	check(t, os.WriteFile(filepath.Join(n.dir, "rules", "inbox.yaml"), fmt.Appendf(nil, "hotfolder: inbox\n"+rule, "webp"), 0o666))
	within(t, time.Minute, "the node has the rule", func() bool {
		text, _ := os.ReadFile(n.log.Name())
		return bytes.Contains(text, []byte("rules loaded"))
	})
	other, more, _ := good(t, 24)
	n.drop(other, more)
	n.shown(other, more, "webp")
	n.shown(name, data, "jpeg")
	n.drop("again.jpg", data)
	n.shown("again.jpg", data, "webp")
	n.shown(name, data, "jpeg")
}

// shown waits until the page of an asset, and that of all, show it in a format, and looks whether that is what comes.
func (n *node) shown(name string, data []byte, format string) {
	n.tb.Helper()
	at := fmt.Sprintf("/v1/thumbnails/%x/128?format=%s", sha256.Sum256(data), format)
	for _, page := range []string{"/", "/assets/inbox/" + name} {
		within(n.tb, time.Minute, page+" shows "+name+" as "+format, func() bool {
			_, _, html := n.get(page)
			return bytes.Contains(html, []byte(at)) && bytes.Contains(html, []byte(name))
		})
	}
	if status, kind, body := n.get(at); status != 200 || kind != "image/"+format || http.DetectContentType(body) != kind {
		n.tb.Errorf("%s: want a %s, got %d %s, and %s", name, format, status, kind, http.DetectContentType(body))
	}
}

// TestOutput_whatIsNotRenderedHasAnIconAndAReason: formats without a decoder here are imported, named by their kind, and the reason is told.
func TestOutput_whatIsNotRenderedHasAnIconAndAReason(t *testing.T) {
	n := startNode(t, "", "complete: { settle: 200ms, patience: 500ms, prove: false }\nthumbnails: { sizes: [128] }\n")
	jp2 := "\x00\x00\x00\x0cjP  \r\n\x87\n\x00\x00\x00\x14ftypjp2 \x00\x00\x00\x00jp2 "
	for name, head := range map[string]string{
		"a.jp2": jp2, "b.jxl": "\x00\x00\x00\x0cJXL \r\n\x87\n", "c.wmf": "\xd7\xcd\xc6\x9a\x00\x00", "d.eps": "%!PS-Adobe-3.0 EPSF-3.0\nshowpage\n",
	} {
		n.drop(name, []byte(head+strings.Repeat("\x00", 500)))
		within(t, time.Minute, name+" has an icon", func() bool {
			_, _, page := n.get("/")
			return bytes.Contains(page, []byte(`<span class="kind">`+strings.TrimPrefix(filepath.Ext(name), ".")+`</span>`))
		})
		if _, _, page := n.get("/assets/inbox/" + name); !regexp.MustCompile(`no thumbnails?: <bdi>[^<]*no p`).Match(page) {
			t.Errorf("%s: want the reason on its page, got %s", name, page)
		}
		if status, _, body := n.get("/v1/assets/inbox/" + name + "/thumbnail?size=128"); status != 404 || !bytes.Contains(body, []byte("no p")) {
			t.Errorf("%s: want the reason why there is none, got %d %s", name, status, body)
		}
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
