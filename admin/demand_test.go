package admin

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"hotfolderd/asset"
)

func TestThumbnail_onDemandIsRoundedUpToWhatIsAllowed(t *testing.T) {
	f := newFake()
	f.put("a.jpg", "image/jpeg", "a", 100)
	f.put("b.jpg", "image/jpeg", "b")
	f.put("busy.jpg", "image/jpeg", "busy")
	f.put("text", "text/plain", "words")
	b := f.backend()
	b.Sizes = []int{64, 256}
	b.MakeThumbnail = func(_ context.Context, rec asset.Record, size int, format string) (Thumbnail, error) {
		switch rec.Name {
		case "busy.jpg":
			return Thumbnail{}, fmt.Errorf("%w: too many", asset.ErrNotNow)
		case "text":
			return Thumbnail{}, fmt.Errorf("%w: no preview for text/plain", ErrNoThumbnail)
		}
		data := fmt.Appendf(nil, "%s %d", rec.Name, size)
		return Thumbnail{Reader: &fakeReader{bytes.NewReader(data), f, int64(len(data))}, Format: cmp.Or(format, "jpeg")}, nil
	}
	s, err := New(b, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for target, want := range map[string][4]string{
		"a.jpg/thumbnail?size=64":             {"200", "a.jpg 64", "64", "image/jpeg"},
		"a.jpg/thumbnail?size=65":             {"200", "a.jpg 100", "100", "image/jpeg"},
		"a.jpg/thumbnail":                     {"200", "a.jpg 256", "256", "image/jpeg"},
		"a.jpg/thumbnail?size=4000":           {"200", "a.jpg 256", "256", "image/jpeg"},
		"b.jpg/thumbnail?size=65&format=png":  {"200", "b.jpg 256", "256", "image/png"},
		"b.jpg/thumbnail?size=65&format=webp": {"200", "b.jpg 256", "256", "image/webp"},
		"b.jpg/thumbnail?size=65&format=gif":  {"400", "format is", "", ""},
		"busy.jpg/thumbnail?size=64":          {"503", "too many", "", ""},
		"text/thumbnail?size=64":              {"404", "no preview for text/plain", "", ""},
	} {
		w := request(t, s, "GET", assetsPath+target)
		if fmt.Sprint(w.Code) != want[0] || !strings.Contains(w.Body.String(), want[1]) || w.Header().Get(sizeHeader) != want[2] {
			t.Errorf("%s: want %q, got %d %s %v", target, want, w.Code, w.Body, w.Header())
		}
		if want[3] != "" && w.Header().Get("Content-Type") != want[3] {
			t.Errorf("%s: want %s, got %v", target, want[3], w.Header())
		}
		if w.Code == http.StatusServiceUnavailable && w.Header().Get("Retry-After") == "" {
			t.Errorf("%s: want Retry-After", target)
		}
	}
}

// TestThumbnail_etagIsByContent has a thumbnail of one original made anew with other bytes.
func TestThumbnail_etagIsByContent(t *testing.T) {
	f := newFake()
	f.put("a.jpg", "image/jpeg", "a", 256)
	b := f.backend()
	content := "first"
	b.MakeThumbnail = func(context.Context, asset.Record, int, string) (Thumbnail, error) {
		return Thumbnail{Reader: &fakeReader{bytes.NewReader([]byte(content)), f, int64(len(content))}, Format: "webp"}, nil
	}
	known := ""
	b.KnownThumbnail = func(asset.Record, int, string) (KnownThumbnail, bool) {
		return knownAs([]byte(known), "webp"), known != ""
	}
	s, err := New(b, Options{})
	if err != nil {
		t.Fatal(err)
	}
	tag := func(want int, conditions ...func(*http.Request)) string {
		t.Helper()
		w := request(t, s, "GET", "/v1/assets/a.jpg/thumbnail?size=256", conditions...)
		wantStatus(t, want, w)
		if kind := w.Header().Get("Content-Type"); want == http.StatusOK && kind != "image/webp" {
			t.Errorf("want image/webp, got %s", kind)
		}
		return w.Header().Get("ETag")
	}
	first := tag(http.StatusOK)
	if again := tag(http.StatusNotModified, header("If-None-Match", first)); again != first {
		t.Errorf("want the same tag for the same bytes, %s, got %s", first, again)
	}
	content = "other"
	second := tag(http.StatusOK, header("If-None-Match", first))
	if second == first {
		t.Errorf("want another tag for other bytes, got %s for both", first)
	}
	known = content
	if fromMemory := tag(http.StatusNotModified, header("If-None-Match", second)); fromMemory != second {
		t.Errorf("want the same tag from memory, %s, got %s", second, fromMemory)
	}
}
