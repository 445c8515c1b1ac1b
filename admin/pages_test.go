package admin

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"hotfolderd/asset"
)

// A form leads back to its own page and never to another site.
func TestForms_leadBackToTheirPage(t *testing.T) {
	s := newServer(t, newFake(), Options{})
	for back, want := range map[string]string{
		"/failed": "/failed", "/assets?q=a%20b": "/assets?q=a%20b", "": "/#hotfolders", "https://evil.example/": "/#hotfolders", "//evil.example": "/#hotfolders",
		`/\evil.example`: "/#hotfolders", "/a\r\nX: y": "/#hotfolders", "failed": "/#hotfolders", "javascript:alert(1)": "/#hotfolders",
	} {
		w := postForm(t, s, "/v1/hotfolders/inbox/scan", url.Values{"back": {back}})
		if wantStatus(t, http.StatusSeeOther, w); w.Header().Get("Location") != want {
			t.Errorf("%q: want %q, got %q", back, want, w.Header().Get("Location"))
		}
	}
}

func TestRetryAll_putsBackThoseOfAHotfolderOrAll(t *testing.T) {
	f := newFake()
	f.failures = []asset.Failure{{ID: "f1", Hotfolder: "inbox"}, {ID: "f2", Hotfolder: "scans"}, {ID: "f3", Hotfolder: "inbox"}}
	s := newServer(t, f, Options{})
	wantText(t, `"retried":2`, request(t, s, "POST", "/v1/failed/retry?hotfolder=inbox"))
	wantText(t, `"retried":3`, request(t, s, "POST", "/v1/failed/retry"))
	if want := []string{"retry f1", "retry f3", "retry f1", "retry f2", "retry f3"}; !slices.Equal(want, f.calls) {
		t.Errorf("want %q, got %q", want, f.calls)
	}
}

func TestAssetPages_listAndShow(t *testing.T) {
	f := newFake()
	f.put("shoot/a b.jpg", "image/jpeg", "x", 256)
	s := newServer(t, f, Options{})
	html := header("Accept", "text/html")
	wantText(t, `href="/assets?in=shoot%2F"`, request(t, s, "GET", "/assets", html))
	wantText(t, `href="/assets/shoot/a%20b.jpg"`, request(t, s, "GET", "/assets?in=shoot/", html))
	wantText(t, `<bdi>a b.jpg</bdi>`, request(t, s, "GET", "/assets?in=shoot/", html))
	wantText(t, `<bdi>shoot/a b.jpg</bdi>`, request(t, s, "GET", "/assets?q=jpg", html))
	wantText(t, `No name fits.`, request(t, s, "GET", "/assets?q=nothing", html))
	w := request(t, s, "GET", "/assets?cursor=bad", html)
	wantStatus(t, http.StatusBadRequest, w)
	wantText(t, "this cursor is not from this list", w)
	w = request(t, s, "GET", "/assets/shoot/a%20b.jpg", html)
	wantStatus(t, 200, w)
	wantText(t, `<h1><bdi>a b.jpg</bdi></h1>`, w)
	w = request(t, s, "GET", "/assets/none.jpg", html)
	wantStatus(t, http.StatusNotFound, w)
	wantText(t, "That did not work", w)
	w = request(t, s, "GET", "/assets/../x", html)
	if w.Code != http.StatusBadRequest {
		t.Errorf("want a name that is none refused, got %d", w.Code)
	}
}

// Who may not press a button does not see it.
func TestPages_showButtonsToTheirRolesOnly(t *testing.T) {
	f := newFake()
	f.failures = []asset.Failure{{ID: "f1", Hotfolder: "inbox", Key: "a"}}
	s := newServer(t, f, Options{Token: testToken, Users: somePeople(t), Bans: never{}})
	for name, want := range map[string]bool{"vera": false, "otto": true} {
		for _, page := range []string{"/", "/failed", "/hotfolders/inbox"} {
			w := request(t, s, "GET", page, header("Accept", "text/html"), header("Authorization", "Bearer "+tokenOf(name)))
			wantStatus(t, 200, w)
			if got := strings.Contains(w.Body.String(), `action="/v1/`); got != want {
				t.Errorf("%s for %s: want buttons %v, got %v", page, name, want, got)
			}
		}
	}
}
