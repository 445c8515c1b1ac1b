package admin

import (
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"hotfolderd/asset"
)

func decoded[T any](t *testing.T, w *httptest.ResponseRecorder) (v T) {
	t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatalf("%v: %s", err, w.Body)
	}
	return v
}

// listed follows the cursors to the end.
func listed(t *testing.T, s *Server, p url.Values) (names, folders []string, pages int) {
	t.Helper()
	for {
		w := request(t, s, "GET", "/v1/assets?"+p.Encode())
		wantStatus(t, 200, w)
		l := decoded[assetList](t, w)
		for _, a := range l.Assets {
			names = append(names, string(a.Name))
		}
		for _, f := range l.Folders {
			folders = append(folders, string(f))
		}
		if pages++; l.Next == "" {
			return names, folders, pages
		}
		p.Set("cursor", l.Next)
	}
}

func TestListAssets_goesOnByCursor(t *testing.T) {
	f := newFake()
	for _, n := range []string{"a/1.jpg", "a/2.JPG", "a/b/3.png", "b/4.jpg", "c"} {
		f.put(n, "image/jpeg", n)
	}
	s := newServer(t, f, Options{})
	for _, c := range []struct{ query, names, folders string }{
		{"", "a/1.jpg a/2.JPG a/b/3.png b/4.jpg c", ""},
		{"prefix=a/", "a/1.jpg a/2.JPG a/b/3.png", ""},
		{"delimiter=/", "c", "a b"},
		{"delimiter=/&prefix=a/", "a/1.jpg a/2.JPG", "a/b"},
		{"q=*.jpg", "a/1.jpg a/2.JPG b/4.jpg", ""},
		{"q=A/*.jpg", "a/1.jpg a/2.JPG", ""},
		{"q=**/*.{png,gif}", "a/b/3.png", ""},
		{"q=B/", "a/b/3.png b/4.jpg", ""},
		{"q=none", "", ""},
		{"prefix=zzz", "", ""},
	} {
		for _, limit := range []string{"1", "2", "1000"} {
			p, err := url.ParseQuery(c.query)
			if err != nil {
				t.Fatal(err)
			}
			p.Set("limit", limit)
			names, folders, pages := listed(t, s, p)
			if got := strings.Join(names, " "); got != c.names {
				t.Errorf("%s by %s: want %q, got %q", c.query, limit, c.names, got)
			}
			if got := strings.Join(folders, " "); got != c.folders {
				t.Errorf("%s by %s: want the folders %q, got %q", c.query, limit, c.folders, got)
			}
			if limit == "1000" && pages != 1 {
				t.Errorf("%s: want one page, got %d", c.query, pages)
			}
		}
	}
}

func TestListAssets_tellsWhatAnAssetIs(t *testing.T) {
	f := newFake()
	h := f.put("a b/ü?.jpg", "image/jpeg", "bytes", 256)
	f.put("\xff", "text/plain", "no text")
	l := decoded[assetList](t, request(t, newServer(t, f, Options{}), "GET", "/v1/assets"))
	got := l.Assets[0]
	if got.Name != "a b/ü?.jpg" || got.Number != 3 || got.Hash != h || got.Size != 5 || got.Type != "image/jpeg" || got.Hotfolder != "inbox" ||
		got.URL != "/v1/assets/a%20b/%C3%BC%3F.jpg" || got.Time.Unix() != 1_700_000_000 || !slices.Equal(got.Thumbnails.Sizes, []int{256}) {
		t.Errorf("got %+v", got)
	}
	if got := l.Assets[1]; got.Name != "\xff" || got.URL != "/v1/assets/%FF" {
		t.Errorf("want a name that is no text to survive, got %+v", got)
	}
}

func TestListAssets_refusesWhatItCannotMean(t *testing.T) {
	f := newFake()
	for _, n := range []string{"a", "b", "c"} {
		f.put(n, "text/plain", n)
	}
	s := newServer(t, f, Options{})
	own := decoded[assetList](t, request(t, s, "GET", "/v1/assets?limit=1")).Next
	for query, want := range map[string]string{
		"limit=0": "limit is a number from 1 to 1000", "limit=1001": "limit", "limit=x": "limit", "delimiter=-": "delimiter is /",
		"q=[": "not closed", "q={a}{b}": "one brace", "q=" + strings.Repeat("x", 257): "at most 256", "prefix=%zz": "percent-encoded",
		"cursor=x": "not from this list", "cursor=!": "not from this list", "cursor=" + strings.Repeat("A", 100): "not from this list",
		"cursor=" + own[:len(own)-2]: "not from this list", "prefix=a&cursor=" + own: "not from this list",
		"q=a&cursor=" + own: "not from this list", "delimiter=/&cursor=" + own: "not from this list",
	} {
		w := request(t, s, "GET", "/v1/assets?"+query)
		wantStatus(t, 400, w)
		wantText(t, want, w)
	}
	wantStatus(t, 200, request(t, s, "GET", "/v1/assets?limit=2&cursor="+own))
}

func FuzzCursor(f *testing.F) {
	f.Add("", "a")
	f.Add(cursor("x", "a"), "a")
	f.Fuzz(func(t *testing.T, text, of string) {
		position, err := positionOf(text, of)
		if err == nil && text != "" && cursor(position, of) != strings.TrimRight(text, "\r\n") && position == "" {
			t.Errorf("%q was taken for a cursor of %q", text, of)
		}
		for _, p := range []string{text, "p"} {
			if got, err := positionOf(cursor(p, of), of); err != nil || got != p {
				t.Errorf("want %q back, got %q %v", p, got, err)
			}
		}
	})
}

func FuzzSearch(f *testing.F) {
	f.Add("*.{jpg,png}", "a/b.JPG")
	f.Add("**/[a-z]*", "x")
	f.Fuzz(func(_ *testing.T, q, name string) {
		if match, err := search(q); err == nil && match != nil {
			match(asset.Key(name))
		}
	})
}
