package admin

import (
	"fmt"
	"strings"
	"testing"

	"hotfolderd/asset"
)

func TestVersions_areListedNewestFirst(t *testing.T) {
	f := newFake()
	f.put("a/b", "text/plain", "bytes")
	s := newServer(t, f, Options{})
	var got []string
	for next := ""; ; {
		w := request(t, s, "GET", "/v1/assets/a/b?versions&limit=2&cursor="+next)
		wantStatus(t, 200, w)
		l := decoded[versionList](t, w)
		for _, v := range l.Versions {
			got = append(got, fmt.Sprint(v.Number, v.Name, v.URL))
		}
		if next = l.Next; next == "" {
			break
		}
		wantStatus(t, 400, request(t, s, "GET", "/v1/assets/a/c?versions&cursor="+next))
		wantStatus(t, 400, request(t, s, "GET", "/v1/assets?cursor="+next))
	}
	if want := "3a/b/v1/assets/a/b?version=3 2a/b/v1/assets/a/b?version=2 1a/b/v1/assets/a/b?version=1"; strings.Join(got, " ") != want {
		t.Errorf("want %s, got %s", want, got)
	}
	w := request(t, s, "GET", "/v1/assets/none?versions")
	wantStatus(t, 404, w)
	wantText(t, `"detail":"there is no asset \"none\""`, w)
}

func TestVersion_ofANumber(t *testing.T) {
	f := newFake()
	h := f.put("a", "text/plain", "bytes")
	f.put("b/thumbnail", "image/jpeg", "x", 256)
	s := newServer(t, f, Options{})
	w := request(t, s, "GET", "/v1/assets/a?version=2", header("Range", "bytes=1-2"))
	wantStatus(t, 206, w)
	if w.Body.String() != "yt" || w.Header().Get("X-Hotfolder-Version") != "2" || w.Header().Get("ETag") != `"`+h.String()+`"` {
		t.Errorf("got %q %v", w.Body, w.Header())
	}
	wantStatus(t, 404, request(t, s, "GET", "/v1/assets/a?version=4"))
	wantStatus(t, 404, request(t, s, "GET", "/v1/assets/none?version=1"))
	for _, bad := range []string{"", "0", "-1", "x", "1.0", "99999999999"} {
		wantStatus(t, 400, request(t, s, "GET", "/v1/assets/a?version="+bad))
	}
}

func TestContent_byHash(t *testing.T) {
	f := newFake()
	long := strings.Repeat("0123456789", 1000)
	h := f.put("a.png", "image/png", "\x89PNG\r\n\x1a\n"+long)
	html := f.put("page", "text/html", "<html><script>alert(1)</script>")
	empty := f.put("empty", "text/plain", "")
	s := newServer(t, f, Options{})
	at := "/v1/content/" + h.String()
	w := request(t, s, "GET", at)
	wantStatus(t, 200, w)
	if w.Body.String() != "\x89PNG\r\n\x1a\n"+long || w.Header().Get("Content-Type") != "image/png" ||
		w.Header().Get("ETag") != `"`+h.String()+`"` || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") ||
		!strings.HasPrefix(w.Header().Get("Repr-Digest"), "sha-256=:") || w.Header().Get("Accept-Ranges") != "bytes" {
		t.Errorf("got %d bytes, %v", w.Body.Len(), w.Header())
	}
	for _, c := range []struct{ name, value, want string }{
		{"Range", "bytes=8-12", "01234"}, {"Range", "bytes=3070-3075", long[3062:3068]}, {"Range", "bytes=-3", "789"}, {"Range", "bytes=9000-9001", long[8992:8994]},
	} {
		w := request(t, s, "GET", at, header(c.name, c.value))
		wantStatus(t, 206, w)
		if got := w.Body.String(); got != c.want {
			t.Errorf("%s: want %q, got %q", c.value, c.want, got)
		}
	}
	wantStatus(t, 304, request(t, s, "GET", at, header("If-None-Match", `"`+h.String()+`"`)))
	wantStatus(t, 412, request(t, s, "GET", at, header("If-Match", `"x"`)))
	wantStatus(t, 416, request(t, s, "GET", at, header("Range", "bytes=999999-")))
	if w := request(t, s, "HEAD", at); w.Code != 200 || w.Body.Len() != 0 || w.Header().Get("Content-Length") != fmt.Sprint(8+len(long)) {
		t.Errorf("HEAD: got %d, %d bytes, %v", w.Code, w.Body.Len(), w.Header())
	}
	if w := request(t, s, "GET", "/v1/content/"+html.String()); !strings.HasPrefix(w.Header().Get("Content-Disposition"), "attachment") ||
		!strings.Contains(w.Header().Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("want what could run to be saved, not shown: %v", w.Header())
	}
	wantStatus(t, 200, request(t, s, "GET", "/v1/content/"+empty.String()))
	wantStatus(t, 404, request(t, s, "GET", "/v1/content/"+strings.Repeat("0", 64)))
	wantStatus(t, 400, request(t, s, "GET", "/v1/content/xyz"))
	if f.opened != f.closed {
		t.Errorf("%d readers were opened and %d closed", f.opened, f.closed)
	}
}

func TestMetadata_asAQueryOrAPart(t *testing.T) {
	f := newFake()
	f.put("a.jpg", "image/jpeg", "bytes", 256)
	rec := f.names["a.jpg"]
	rec.Content.Meta = map[string]string{"Make": "ACME"}
	rec.Thumbnails.Width, rec.Thumbnails.Height = 640, 480
	f.names["a.jpg"] = rec
	f.put("b", "text/plain", "b")
	f.put("b/metadata", "text/plain", "a real name")
	s := newServer(t, f, Options{})
	for _, at := range []string{"/v1/assets/a.jpg/metadata", "/v1/assets/a.jpg?metadata", "/v1/assets/a.jpg?metadata&version=2", "/v1/assets/a.jpg/metadata?all"} {
		w := request(t, s, "GET", at)
		wantStatus(t, 200, w)
		m := decoded[metadata](t, w)
		if m.Name != "a.jpg" || m.Metadata["Make"] != "ACME" || m.Width != 640 || m.Height != 480 || m.Type != "image/jpeg" {
			t.Errorf("%s: got %+v", at, m)
		}
		if all := strings.HasSuffix(at, "?all"); all != (m.Tags["exif"]["Make"] == "ACME") {
			t.Errorf("%s: got the tags %v", at, m.Tags)
		}
	}
	wantText(t, "a real name", request(t, s, "GET", "/v1/assets/b/metadata"))
	if m := decoded[metadata](t, request(t, s, "GET", "/v1/assets/b?metadata")); m.Name != asset.Key("b") || m.Metadata == nil {
		t.Errorf("want the metadata of b, got %+v", m)
	}
	wantText(t, `there is no asset \"c\"`, request(t, s, "GET", "/v1/assets/c/metadata"))
}
