package admin

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"hotfolderd/asset"
)

// What is in memory must be answered as what is not, whatever is asked.
func TestKnown_isAnsweredLikeWhatIsRead(t *testing.T) {
	f := newFake()
	f.put("a.jpg", "image/jpeg", "a", 64)
	b := f.backend()
	b.Sizes = []int{64}
	b.MakeThumbnail = func(_ context.Context, rec asset.Record, size int, _ string) (Thumbnail, error) {
		rd, err := b.OpenThumbnail(t.Context(), rec.Content.Hash, size, "jpeg")
		return Thumbnail{Reader: rd, Format: "jpeg"}, err
	}
	plain, err := New(b, Options{})
	if err != nil {
		t.Fatal(err)
	}
	asks := 0
	b.Known = func(name asset.Key) (asset.Record, int, bool) { asks++; rec, ok := f.names[name]; return rec, 3, ok }
	b.KnownThumbnail = func(rec asset.Record, size int, _ string) (KnownThumbnail, bool) {
		asks++
		data, ok := f.bytes[fmt.Sprintf("%s-%d-jpeg", rec.Content.Hash, size)]
		return knownAs(data, "jpeg"), ok
	}
	quick, err := New(b, Options{})
	if err != nil {
		t.Fatal(err)
	}
	tag := request(t, plain, "GET", "/v1/assets/a.jpg/thumbnail?size=64").Header().Get("ETag")
	for _, c := range []struct {
		method, name, value string
		want                int
	}{
		{"GET", "", "", 200},
		{"HEAD", "", "", 200},
		{"GET", "If-None-Match", tag, 304},
		{"HEAD", "If-None-Match", tag, 304},
		{"GET", "If-None-Match", `"other", W/` + tag, 304},
		{"GET", "If-None-Match", "*", 304},
		{"GET", "If-None-Match", `"other"`, 200},
		{"GET", "If-Match", `"other"`, 412},
		{"GET", "If-Match", tag, 200},
		{"GET", "Range", "bytes=2-4", 206},
		{"GET", "Range", "bytes=900-", 416},
		{"GET", "If-Modified-Since", "Mon, 02 Jan 2023 15:04:05 GMT", 200},
	} {
		edit := func(r *http.Request) {
			if c.name != "" {
				r.Header.Set(c.name, c.value)
			}
		}
		want, got := request(t, plain, c.method, "/v1/assets/a.jpg/thumbnail?size=64", edit), request(t, quick, c.method, "/v1/assets/a.jpg/thumbnail?size=64", edit)
		want.Header().Del("Accept-Ranges") // it is so small that nobody needs to be told
		got.Header().Del("Accept-Ranges")
		if got.Code != c.want || want.Code != c.want || got.Body.String() != want.Body.String() || fmt.Sprint(got.Header()) != fmt.Sprint(want.Header()) {
			t.Errorf("%s %s: %s:\nwant %d %v %q\ngot  %d %v %q", c.method, c.name, c.value, want.Code, want.Header(), want.Body, got.Code, got.Header(), got.Body)
		}
	}
	if asks != 24 {
		t.Errorf("want the memory asked twice each time, got %d", asks)
	}
}

func knownAs(data []byte, format string) KnownThumbnail {
	return KnownThumbnail{Data: data, Sum: asset.Sum(data), Format: format}
}

// unread is an answer that nobody reads.
type unread http.Header

func (u unread) Header() http.Header         { return http.Header(u) }
func (u unread) Write(b []byte) (int, error) { return len(b), nil }
func (u unread) WriteHeader(int)             {}

// BenchmarkKnown is what a thumbnail in memory costs beyond net/http.
func BenchmarkKnown(b *testing.B) {
	f := newFake()
	f.put("a/b.jpg", "image/jpeg", "a", 64)
	back, data := f.backend(), make([]byte, 10_000)
	back.Sizes = []int{64, 256}
	back.Known = func(name asset.Key) (asset.Record, int, bool) { rec, ok := f.names[name]; return rec, 3, ok }
	back.KnownThumbnail = func(asset.Record, int, string) (KnownThumbnail, bool) { return knownAs(data, "jpeg"), true }
	back.MakeThumbnail = func(context.Context, asset.Record, int, string) (Thumbnail, error) {
		return Thumbnail{}, ErrNoThumbnail
	}
	s, err := New(back, Options{Registry: prometheus.NewRegistry()})
	if err != nil {
		b.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/v1/assets/a/b.jpg/thumbnail?size=64", nil)
	r.Host = "127.0.0.1:8480"
	b.ReportAllocs()
	for b.Loop() {
		s.Handler().ServeHTTP(unread{}, r.Clone(b.Context()))
	}
}
