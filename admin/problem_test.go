package admin

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

// pathOf is an address that a route answers.
func pathOf(rt route) string {
	p := strings.NewReplacer("{$}", "", "{hotfolder}", "inbox", "{id}", "x", "{node}", "node-a", "{hash}", strings.Repeat("a", 64),
		"{sha256}", strings.Repeat("a", 64), "{size}", "256", "{file}", "style.css").Replace(rt.pattern)
	if rt.raw {
		p += "x"
	}
	return p
}

// TestProblems_ofEveryRoute asks each route in ways that it must refuse.
func TestProblems_ofEveryRoute(t *testing.T) {
	s := newServer(t, newFake(), Options{Token: testToken})
	none, err := New(Backend{Node: newFake().backend().Node}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, rt := range s.table() {
		refusals := map[string]*httptest.ResponseRecorder{
			"a method": request(t, s, "BREW", pathOf(rt), header("Authorization", "Bearer "+testToken)),
			"no token": request(t, s, "BREW", pathOf(rt)),
		}
		for m := range rt.methods {
			refusals["a node without anything: "+m] = request(t, none, m, pathOf(rt))
		}
		for why, w := range refusals {
			if w.Code < 400 {
				if strings.HasPrefix(why, "a node") {
					continue // some things every node offers
				}
				t.Errorf("%s, %s: want an error, got %d", rt.pattern, why, w.Code)
				continue
			}
			wantProblem(t, rt.pattern+", "+why, w)
		}
	}
}

func wantProblem(t *testing.T, what string, w *httptest.ResponseRecorder) {
	t.Helper()
	if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
		if strings.HasPrefix(got, "text/") && !strings.Contains(what, "/v1/") {
			return // pages and probes are for people
		}
		t.Errorf("%s: %d: want a problem, got %q", what, w.Code, got)
		return
	}
	p := decoded[problem](t, w)
	word, ours := strings.CutPrefix(p.Type, problemPrefix)
	if !ours || word == "" || p.Status != w.Code || p.Title != http.StatusText(w.Code) || p.Detail == "" {
		t.Errorf("%s: got %d %+v", what, w.Code, p)
	}
}

func TestServeBytes_refusalsAreProblems(t *testing.T) {
	f := newFake()
	f.put("a", "text/plain", "bytes", 256)
	s := newServer(t, f, Options{})
	for _, at := range []string{"/v1/assets/a", "/v1/assets/a?version=1", "/v1/assets/a/thumbnail?size=256", "/v1/content/" + f.names["a"].Content.Hash.String()} {
		w := request(t, s, "GET", at, header("Range", "bytes=99999-"))
		wantStatus(t, 416, w)
		wantProblem(t, at, w)
		if got := w.Header().Get("Content-Range"); !strings.HasPrefix(got, "bytes */") {
			t.Errorf("%s: want its size in Content-Range, got %q", at, got)
		}
		w = request(t, s, "GET", at, header("If-Match", `"other"`))
		wantStatus(t, 412, w)
		wantProblem(t, at, w)
	}
}

// TestProblems_areDocumented holds the words against the page for people.
func TestProblems_areDocumented(t *testing.T) {
	page, err := os.ReadFile("../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	words := []string{badName, badCursor, badIndex, readOnly, busy, behind}
	for _, word := range problemWords {
		words = append(words, word)
	}
	for _, word := range words {
		if !strings.Contains(string(page), "`"+word+"`") {
			t.Errorf("docs/api.md does not tell of %s", word)
		}
	}
}
