package admin

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hotfolderd/asset"
)

func TestReadyz_onlyActiveAndReadOnlyAreReady(t *testing.T) {
	for state, want := range map[State]int{Joining: 503, Recovering: 503, Active: 200, ReadOnly: 200, Draining: 503, Left: 503} {
		f := newFake()
		f.node.State = state
		w := request(t, newServer(t, f, Options{}), "GET", "/readyz")
		if w.Code != want {
			t.Errorf("%s: want %d, got %d", state, want, w.Code)
		}
		wantText(t, string(state), w)
	}
}

func TestReadyz_verboseListsFolders(t *testing.T) {
	w := request(t, newServer(t, newFake(), Options{}), "GET", "/readyz?verbose")
	wantStatus(t, 200, w)
	wantText(t, "ok   inbox watching, events waiting 0", w)
}

func TestRoutes_answer(t *testing.T) {
	f := newFake()
	f.failures = []asset.Failure{{ID: "f1", Key: "a.jpg", Hotfolder: "inbox", Reason: "it is empty"}}
	s := newServer(t, f, Options{Registry: registry()})
	for _, row := range []struct {
		method, target string
		status         int
		text           string
	}{
		{"GET", "/livez", 200, "alive"},
		{"GET", "/metrics", 200, `hotfolder_http_requests_total{route="/livez",status="2xx"} 1`},
		{"GET", "/", 200, "/srv/hf/hotfolders/inbox"},
		{"GET", "/page/style.css", 200, "--ground"},
		{"GET", "/page/page.js", 200, "use strict"},
		{"GET", "/page/index.html", 404, "no such file"},
		{"GET", "/page/nothing.js", 404, "no such file"},
		{"GET", "/v1/node", 200, `"id":"node-a"`},
		{"GET", "/v1/hotfolders", 200, `"drop_here":"/srv/hf/hotfolders/inbox"`},
		{"POST", "/v1/hotfolders/inbox/scan", 202, `"hotfolder":"inbox"`},
		{"POST", "/v1/hotfolders/inbox/pause", 200, `"paused":true`},
		{"POST", "/v1/hotfolders/inbox/resume", 200, `"paused":false`},
		{"POST", "/v1/hotfolders/nobody/scan", 404, "no hotfolder"},
		{"GET", "/v1/failed", 200, `"reason":"it is empty"`},
		{"GET", "/v1/failed?limit=0", 400, "limit is a number"},
		{"POST", "/v1/failed/f1/retry", 200, `"key":"a.jpg"`},
		{"POST", "/v1/failed/f2/retry", 404, "no failed drop"},
		{"GET", "/v1/nothing", 404, "there is nothing at /v1/nothing"},
		{"GET", "/v1/failed/f1/retry", 405, "POST"},
		{"GET", "/v1/hotfolders/inbox/a/b.jpg", 405, "PUT, not GET"},
		{"DELETE", "/v1/hotfolders/inbox/b.jpg", 405, "PUT, not DELETE"},
		{"DELETE", "/v1/assets/a.jpg", 405, "GET, HEAD"},
		{"POST", "/", 405, "GET, HEAD"},
		{"HEAD", "/v1/node", 200, ""},
		{"HEAD", "/v1/events", 200, ""},
	} {
		w := request(t, s, row.method, row.target)
		if w.Code != row.status || !strings.Contains(w.Body.String(), row.text) {
			t.Errorf("%s %s: want %d with %q, got %d: %s", row.method, row.target, row.status, row.text, w.Code, w.Body)
		}
		if row.status == 405 && w.Header().Get("Allow") == "" {
			t.Errorf("%s %s: want Allow", row.method, row.target)
		}
		if ct := w.Header().Get("Content-Type"); row.status >= 400 && ct != "application/problem+json" {
			t.Errorf("%s %s: want a problem, got %q", row.method, row.target, ct)
		}
	}
	want := []string{"scan inbox", "pause inbox true", "pause inbox false", "retry f1"}
	if !slices.Equal(want, f.calls) {
		t.Errorf("want calls %q, got %q", want, f.calls)
	}
}

func TestRoutes_problemHasTheFieldsOfTheRFC(t *testing.T) {
	w := request(t, newServer(t, newFake(), Options{}), "GET", "/nowhere")
	var p problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatal(err)
	}
	if p.Status != 404 || p.Title != "Not Found" || p.Type != "urn:hotfolderd:problem:not-found" || p.Detail == "" {
		t.Errorf("want all fields, got %+v", p)
	}
}

func TestRoutes_nilFunctionsAreNotOffered(t *testing.T) {
	s, err := New(Backend{Node: func() Node { return Node{ID: "bare", State: Active} }}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{"/metrics", "/v1/failed", "/v1/events", "/v1/sessions", "/v1/why?path=a", "/v1/assets/a", "/v1/thumbnails/" + strings.Repeat("0", 64) + "/256"} {
		if w := request(t, s, "GET", target); w.Code != 501 {
			t.Errorf("%s: want 501, got %d", target, w.Code)
		}
	}
	for _, target := range []string{"/v1/hotfolders/a/scan", "/v1/hotfolders/a/pause", "/v1/failed/a/retry", "/v1/sessions/a/end", "/v1/heard"} {
		if w := request(t, s, "POST", target); w.Code != 501 {
			t.Errorf("%s: want 501, got %d", target, w.Code)
		}
	}
	wantStatus(t, 200, request(t, s, "GET", "/"))
}

func TestRoutes_panicIsAProblem(t *testing.T) {
	f := newFake()
	b := f.backend()
	b.Folders = func() []Folder { panic("boom") }
	s, err := New(b, Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := request(t, s, "GET", "/v1/hotfolders")
	wantStatus(t, 500, w)
	if strings.Contains(w.Body.String(), "boom") {
		t.Error("the answer tells what panicked")
	}
}

func TestStore_hungStoreCostsADeadlineAndThePageNothing(t *testing.T) {
	for target, want := range map[string]int{"/": 200, "/livez": 200, "/v1/hotfolders": 200, "/v1/failed": 504, "/v1/assets/a.jpg": 504, "/v1/why?path=inbox/a": 504} {
		synctest.Test(t, func(t *testing.T) {
			f := newFake()
			f.hang = make(chan struct{})
			s := newServer(t, f, Options{})
			began := time.Now()
			w := request(t, s, "GET", target)
			took := time.Since(began)
			if w.Code != want {
				t.Errorf("%s: want %d, got %d: %s", target, want, w.Code, w.Body)
			}
			if limit := map[int]time.Duration{200: failedGrace, 504: storeTimeout}[want]; took > limit {
				t.Errorf("%s: want an answer within %s, took %s", target, limit, took)
			}
			close(f.hang)
		})
	}
}

func TestStore_tooManyWaitersAreRefused(t *testing.T) {
	f := newFake()
	s := newServer(t, f, Options{})
	for range maxStore {
		s.gate <- struct{}{}
	}
	w := request(t, s, "GET", "/v1/failed")
	wantStatus(t, http.StatusServiceUnavailable, w)
	if w.Header().Get("Retry-After") == "" {
		t.Error("want Retry-After")
	}
}

func TestWhy_findsTheHotfolderOfAPath(t *testing.T) {
	f := newFake()
	f.folders = append(f.folders, Folder{Name: "sub", Path: "hotfolders/inbox/sub", DropHere: "/srv/hf/hotfolders/inbox/sub"})
	f.story = []asset.Event{{Hotfolder: "inbox", Key: "a.jpg", Result: asset.Failed, Reason: "no end of image"}}
	s := newServer(t, f, Options{})
	for target, want := range map[string]string{
		"/v1/why?path=/srv/hf/hotfolders/inbox/x/a.jpg":   `story inbox "x/a.jpg"`,
		"/v1/why?path=/srv/hf/hotfolders/inbox/sub/a.jpg": `story sub "a.jpg"`,
		"/v1/why?path=hotfolders/inbox/a.jpg":             `story inbox "a.jpg"`,
		"/v1/why?path=inbox/a%FF.jpg":                     `story inbox "a\xff.jpg"`,
		"/v1/why?hotfolder=sub&path=inbox/a.jpg":          `story sub "inbox/a.jpg"`,
	} {
		w := request(t, s, "GET", target)
		wantStatus(t, 200, w)
		wantText(t, "no end of image", w)
		if got := f.calls[len(f.calls)-1]; got != want {
			t.Errorf("%s: want %s, got %s", target, want, got)
		}
	}
	wantStatus(t, 404, request(t, s, "GET", "/v1/why?path=/etc/passwd"))
	wantStatus(t, 400, request(t, s, "GET", "/v1/why?path=inbox/../x"))
	wantStatus(t, 404, request(t, s, "GET", "/v1/why?hotfolder=none&path=x"))
	w := request(t, s, "GET", "/v1/why?path=nowhere", header("Accept", "text/html"))
	wantStatus(t, 404, w)
	wantText(t, "is in no hotfolder", w)
}
