package admin

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"hotfolderd/asset"
)

func TestAsset_bytesWithTagRangeAndConditions(t *testing.T) {
	f := newFake()
	h := f.put("p/a b.jpg", "image/jpeg", "0123456789")
	s := newServer(t, f, Options{})
	const target = "/v1/assets/p/a%20b.jpg"
	tag := `"` + h.String() + `"`
	w := request(t, s, "GET", target)
	wantStatus(t, 200, w)
	if w.Body.String() != "0123456789" || w.Header().Get("ETag") != tag || w.Header().Get("Content-Type") != "image/jpeg" || w.Header().Get("X-Hotfolder-Version") != "3" {
		t.Errorf("want the bytes with their tag and type, got %q %v", w.Body, w.Header())
	}
	for _, row := range []struct {
		k, v   string
		status int
		body   string
	}{
		{"Range", "bytes=2-4", 206, "234"},
		{"Range", "bytes=-3", 206, "789"},
		{"Range", "bytes=7-", 206, "789"},
		{"Range", "bytes=99-", 416, ""},
		{"If-None-Match", tag, 304, ""},
		{"If-None-Match", `"other"`, 200, "0123456789"},
		{"If-Match", tag, 200, "0123456789"},
		{"If-Match", `"other"`, 412, ""},
	} {
		w := request(t, s, "GET", target, header(row.k, row.v))
		if w.Code != row.status || row.status < 400 && w.Body.String() != row.body {
			t.Errorf("%s: %s: want %d %q, got %d %q", row.k, row.v, row.status, row.body, w.Code, w.Body)
		}
	}
	w = request(t, s, "GET", target, header("Range", "bytes=0-1,4-5"))
	wantStatus(t, 206, w)
	wantText(t, "\r\n\r\n01\r\n", w)
	wantText(t, "\r\n\r\n45\r\n", w)
	w = request(t, s, "HEAD", target)
	if wantStatus(t, 200, w); w.Header().Get("Content-Length") != "10" || w.Body.Len() != 0 {
		t.Errorf("HEAD: want the length alone, got %v %q", w.Header(), w.Body)
	}
	if f.opened == 0 || f.opened != f.closed {
		t.Errorf("want every reader closed: %d opened, %d closed", f.opened, f.closed)
	}
}

func TestAsset_browserIsToldHowToShowIt(t *testing.T) {
	for _, row := range []struct{ name, contentType, disposition, csp string }{
		{"a.jpg", "image/jpeg", "inline; filename=a.jpg", sandboxCSP},
		{"a.txt", "text/plain; charset=utf-8", "inline; filename=a.txt", sandboxCSP},
		{"a.pdf", "application/pdf", "inline; filename=a.pdf", pdfCSP},
		{"a.html", "text/html", "attachment; filename=a.html", sandboxCSP},
		{"a.svg", "image/svg+xml", "attachment; filename=a.svg", sandboxCSP},
		{"a.xml", "text/xml", "attachment; filename=a.xml", sandboxCSP},
		{"a.jpg", "not a type", "attachment; filename=a.jpg", sandboxCSP},
		{"a.jpg", "", "attachment; filename=a.jpg", sandboxCSP},
		{"x\r\nSet-Cookie: a=b", "image/png", "inline; filename=\"x__Set-Cookie: a=b\"", sandboxCSP},
		{"ä\u202egpj.exe", "application/zip", "attachment; filename*=utf-8''%C3%A4_gpj.exe", sandboxCSP},
	} {
		f := newFake()
		f.put(row.name, row.contentType, "<script>alert(1)</script>")
		w := request(t, newServer(t, f, Options{}), "GET", assetURL(asset.Key(row.name)))
		wantStatus(t, 200, w)
		h := w.Header()
		if h.Get("Content-Disposition") != row.disposition || h.Get("Content-Security-Policy") != row.csp || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%q as %q: want %q, got %q with %q", row.name, row.contentType, row.disposition, h.Get("Content-Disposition"), h.Get("Content-Security-Policy"))
		}
		if got := h.Get("Content-Type"); strings.Contains(got, "html") && row.contentType != "text/html" {
			t.Errorf("%q as %q: the type was guessed: %q", row.name, row.contentType, got)
		}
	}
}

func TestAsset_namesAreBytesAndBadOnesAreRefused(t *testing.T) {
	f := newFake()
	for _, name := range []string{"a\xff.jpg", "a/b c", "%41", "a+b", "a?b#c", "a;b", `a\b`, "line\nend", "שלום", "a/...", strings.Repeat("x", 255)} {
		f.put(name, "image/png", "bytes of "+name)
		w := request(t, newServer(t, f, Options{}), "GET", assetURL(asset.Key(name)))
		if w.Code != 200 || w.Body.String() != "bytes of "+name {
			t.Errorf("%q: want its bytes, got %d %q", name, w.Code, w.Body)
		}
		if w := request(t, newServer(t, f, Options{}), "GET", assetsPath+url.PathEscape(name)); w.Code != 200 {
			t.Errorf("%q with its slashes encoded: want 200, got %d", name, w.Code)
		}
	}
	for _, path := range []string{"", "a//b", "/a", "a/", "../a", "a/../b", "%2e%2e/a", "a%2f..%2fb", "a/.", "a%00b", "%2fa", strings.Repeat("x", 256)} {
		w := request(t, newServer(t, f, Options{}), "GET", assetsPath+path)
		if w.Code != 400 || !strings.Contains(w.Body.String(), "not a usable name") {
			t.Errorf("%q: want 400 with the reason, got %d %s", path, w.Code, w.Body)
		}
	}
	wantStatus(t, 404, request(t, newServer(t, f, Options{}), "GET", assetsPath+"none.jpg"))
}

func TestAsset_lostBytesAreAFaultNotA404(t *testing.T) {
	f := newFake()
	h := f.put("a.jpg", "image/jpeg", "x")
	delete(f.bytes, h.String())
	w := request(t, newServer(t, f, Options{}), "GET", "/v1/assets/a.jpg")
	wantStatus(t, 500, w)
	wantText(t, "no bytes", w)
}

func TestThumbnail_suffixIsToldFromAName(t *testing.T) {
	f := newFake()
	f.put("a.jpg", "image/jpeg", "a", 256, 1024)
	f.put("b", "image/jpeg", "b", 256)
	f.put("b/thumbnail", "image/png", "really called thumbnail", 64)
	f.put("doc", "text/plain", "doc")
	s := newServer(t, f, Options{})
	for target, want := range map[string]string{
		"a.jpg/thumbnail":                 "thumbnail 256 of a.jpg",
		"a.jpg/thumbnail?size=256":        "thumbnail 256 of a.jpg",
		"a.jpg/thumbnail?size=300":        "thumbnail 1024 of a.jpg",
		"a.jpg/thumbnail?size=4000":       "thumbnail 1024 of a.jpg",
		"b/thumbnail":                     "really called thumbnail",
		"b/thumbnail?size=256":            "thumbnail 256 of b",
		"b/thumbnail/thumbnail":           "thumbnail 64 of b/thumbnail",
		"b/thumbnail/thumbnail?size=16":   "thumbnail 64 of b/thumbnail",
		"a.jpg?size=256":                  "a",
		"doc/thumbnail":                   "asks for none",
		"none/thumbnail":                  "there is no asset",
		"thumbnail":                       "there is no asset",
		"a.jpg/thumbnail?size=1":          "size is a number",
		"a.jpg/thumbnail?size=x":          "size is a number",
		"a.jpg/thumbnail?size=1000000000": "size is a number",
	} {
		if w := request(t, s, "GET", assetsPath+target); !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: want %q, got %d %s", target, want, w.Code, w.Body)
		}
	}
}

func TestThumbnail_noneSaysWhy(t *testing.T) {
	f := newFake()
	f.put("a.jpg", "image/jpeg", "a")
	rec := f.names["a.jpg"]
	rec.Thumbnails = &asset.Thumbnails{Error: "the image has 400 million pixels"}
	f.names["a.jpg"] = rec
	w := request(t, newServer(t, f, Options{}), "GET", "/v1/assets/a.jpg/thumbnail?size=256")
	wantStatus(t, 404, w)
	wantText(t, "400 million pixels", w)
}

func TestThumbnail_byHash(t *testing.T) {
	f := newFake()
	h := f.put("a.jpg", "image/jpeg", "a", 256)
	f.bytes[h.String()+"-64-png"] = []byte("png")
	s := newServer(t, f, Options{})
	w := request(t, s, "GET", "/v1/thumbnails/"+h.String()+"/256")
	wantStatus(t, 200, w)
	if w.Header().Get("Content-Type") != "image/jpeg" {
		t.Errorf("want a JPEG, got %v", w.Header())
	}
	wantStatus(t, http.StatusNotModified, request(t, s, "GET", "/v1/thumbnails/"+h.String()+"/256", header("If-None-Match", w.Header().Get("ETag"))))
	if w := request(t, s, "GET", "/v1/thumbnails/"+h.String()+"/64"); w.Header().Get("Content-Type") != "image/png" {
		t.Errorf("want the PNG found, got %v", w.Header())
	}
	for target, want := range map[string]int{h.String() + "/512": 404, "xyz/256": 400, h.String() + "/0": 400, h.String() + "/256?format=svg": 400, h.String() + "/64?format=jpeg": 404} {
		if w := request(t, s, "GET", "/v1/thumbnails/"+target); w.Code != want {
			t.Errorf("%s: want %d, got %d", target, want, w.Code)
		}
	}
	if f.opened != f.closed {
		t.Errorf("want every reader closed: %d opened, %d closed", f.opened, f.closed)
	}
}

// TestThumbnail_madeAnewIsSeen: no address of a thumbnail may be kept without asking, and who asks with the old ETag gets the new bytes.
func TestThumbnail_madeAnewIsSeen(t *testing.T) {
	f := newFake()
	h := f.put("a.jpg", "image/jpeg", "a", 256)
	s := newServer(t, f, Options{})
	for _, target := range []string{"/v1/thumbnails/" + h.String() + "/256?format=jpeg", "/v1/assets/a.jpg/thumbnail?size=256"} {
		f.bytes[h.String()+"-256-jpeg"] = []byte("as it was")
		before := request(t, s, "GET", target)
		if got := before.Header().Get("Cache-Control"); got != "private, no-cache" {
			t.Errorf("%s: want it asked for each time, got %q", target, got)
		}
		f.bytes[h.String()+"-256-jpeg"] = []byte("made anew")
		again := request(t, s, "GET", target, header("If-None-Match", before.Header().Get("ETag")))
		wantStatus(t, http.StatusOK, again)
		wantText(t, "made anew", again)
	}
}

func FuzzAssetPath(f *testing.F) {
	for _, s := range []string{"/v1/assets/a", "/v1/assets/a%2fb", "/v1/assets/%", "/v1/assets/..", "/v1/assets/a/thumbnail", "/v1/assets/%ff"} {
		f.Add(s)
	}
	s, err := New(newFake().backend(), Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, path string) {
		key, err := assetName(path)
		if err == nil {
			if again, err := assetName(assetURL(key)); err != nil || again != key {
				t.Fatalf("want %q back from its URL, got %q, %v", key, again, err)
			}
			if _, err := asset.ParseKey(string(key)); err != nil {
				t.Fatalf("a bad name came through: %v", err)
			}
		}
		u, err := url.ParseRequestURI("http://127.0.0.1" + path)
		if err != nil {
			return
		}
		w := request(t, s, "GET", "/", func(r *http.Request) { r.URL = u })
		if w.Code >= 500 || strings.ContainsAny(w.Header().Get("Location"), "\r\n") {
			t.Fatalf("%q: got %d", path, w.Code)
		}
	})
}
