package admin

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hotfolderd/admin/access"
)

func TestNew_refusesWhatIsNotSafe(t *testing.T) {
	for _, row := range []struct{ listen, token, fault string }{
		{"127.0.0.1:0", "", ""},
		{"[::1]:0", "", ""},
		{"localhost:0", "", ""},
		{"0.0.0.0:0", testToken, ""},
		{":8480", "", "other machines"},
		{"0.0.0.0:8480", "", "other machines"},
		{"[::]:8480", "", "other machines"},
		{"192.168.1.4:8480", "", "other machines"},
		{"example.net:8480", "", "other machines"},
		{"127.0.0.1.example.net:8480", "", "other machines"},
		{"127.0.0.1", "", "host:port"},
		{"127.0.0.1:0", "short", "at least 16"},
		{"127.0.0.1:0", testToken + "\n", "cannot carry"},
	} {
		_, err := New(newFake().backend(), Options{Listen: row.listen, Token: row.token})
		switch {
		case row.fault == "" && err != nil:
			t.Errorf("%s: want no error, got %v", row.listen, err)
		case row.fault != "" && (err == nil || !strings.Contains(err.Error(), row.fault)):
			t.Errorf("%s: want an error with %q, got %v", row.listen, row.fault, err)
		}
		if err != nil && row.token != "" && strings.Contains(err.Error(), row.token) {
			t.Errorf("the error shows the token: %v", err)
		}
	}
}

func TestAccess_withATokenEveryRouteButProbesNeedsIt(t *testing.T) {
	synctest.Test(t, everyRouteNeedsTheToken) // wrong tokens are answered late
}

func everyRouteNeedsTheToken(t *testing.T) {
	s := newServer(t, newFake(), Options{Token: testToken, Registry: registry(), Bans: never{}})
	closed := []string{
		"/", "/metrics", "/v1/node", "/v1/hotfolders", "/v1/failed", "/v1/events", "/v1/why?path=inbox/a", "/v1/assets/a",
		"/v1/assets/a/thumbnail", "/readyz?verbose", "/v1/thumbnails/00/1", "/nowhere", "/%70age", "/v1/assets/..%2f..%2fpage/style.css",
	}
	bad := map[string]string{"none": "", "wrong": "Bearer " + testToken + "x", "shorter": "Bearer " + testToken[1:], "empty": "Bearer ", "basic": "Basic " + testToken}
	for _, target := range closed {
		for what, value := range bad {
			w := request(t, s, "GET", target, header("Authorization", value))
			if w.Code != http.StatusUnauthorized || w.Header().Get("WWW-Authenticate") == "" {
				t.Errorf("%s with %s token: want 401, got %d", target, what, w.Code)
			}
		}
	}
	for _, target := range []string{"/v1/hotfolders/inbox/scan", "/v1/hotfolders/inbox/pause", "/v1/failed/f1/retry"} {
		wantStatus(t, http.StatusUnauthorized, request(t, s, "POST", target))
	}
	for _, target := range []string{"/livez", "/readyz", "/login", "/page/style.css"} {
		wantStatus(t, 200, request(t, s, "GET", target))
	}
	bearer := header("Authorization", "bearer "+testToken)
	for _, target := range []string{"/", "/metrics", "/v1/node", "/readyz?verbose", "/v1/failed"} {
		wantStatus(t, 200, request(t, s, "GET", target, bearer))
	}
	w := request(t, s, "GET", "/", header("Accept", "text/html"))
	if wantStatus(t, http.StatusSeeOther, w); w.Header().Get("Location") != "/login" {
		t.Errorf("want a browser sent to /login, got %q", w.Header().Get("Location"))
	}
}

func postForm(t *testing.T, s *Server, target string, form url.Values, edit ...func(*http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest("POST", "http://127.0.0.1:8480"+target, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "text/html")
	for _, e := range edit {
		e(r)
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w
}

func TestLogin_cookieIsASessionAndEnds(t *testing.T) {
	synctest.Test(t, cookieIsASession)
}

func cookieIsASession(t *testing.T) {
	s := newServer(t, newFake(), Options{Token: testToken})
	w := postForm(t, s, "/login", url.Values{"token": {"wrong"}})
	wantStatus(t, http.StatusUnauthorized, w)
	wantText(t, "do not belong together", w)
	if len(w.Result().Cookies()) != 0 {
		t.Error("a wrong token got a cookie")
	}
	w = postForm(t, s, "/login", url.Values{"token": {testToken}})
	wantStatus(t, http.StatusSeeOther, w)
	c := w.Result().Cookies()[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || strings.Contains(c.Value, testToken) || c.MaxAge != int(access.SessionLife.Seconds()) {
		t.Errorf("want a strict cookie without the token, got %v", c)
	}
	with := func(r *http.Request) { r.AddCookie(c) }
	wantStatus(t, 200, request(t, s, "GET", "/", with))
	w = postForm(t, s, "/logout", nil, with)
	wantStatus(t, http.StatusSeeOther, w)
	if gone := w.Result().Cookies()[0]; gone.Name != c.Name || gone.MaxAge >= 0 {
		t.Errorf("want the cookie taken back, got %v", gone)
	}
}

func TestHost_withoutATokenOnlyLocalhostIsAnswered(t *testing.T) {
	s := newServer(t, newFake(), Options{})
	for host, want := range map[string]int{
		"127.0.0.1:8480": 200, "localhost": 200, "LOCALHOST:1": 200, "[::1]:8480": 200, "127.1.2.3": 200,
		"evil.example": 403, "evil.example:8480": 403, "localhost.evil.example": 403, "127.0.0.1.evil.example": 403, "10.0.0.1": 403, "": 403,
	} {
		for _, target := range []string{"/", "/v1/node", "/v1/assets/a", "/metrics", "/readyz?verbose"} {
			w := request(t, s, "GET", target, func(r *http.Request) { r.Host = host })
			if (w.Code == 403) != (want == 403) {
				t.Errorf("host %q %s: want %d, got %d", host, target, want, w.Code)
			}
		}
	}
}

func TestOrigin_changesFromOtherPagesAreRefused(t *testing.T) {
	f := newFake()
	s := newServer(t, f, Options{})
	for _, edit := range []func(*http.Request){
		header("Sec-Fetch-Site", "cross-site"), header("Sec-Fetch-Site", "same-site"), header("Origin", "https://evil.example"), header("Origin", "null"),
	} {
		for _, target := range []string{"/v1/hotfolders/inbox/pause", "/v1/failed/f1/retry", "/login", "/logout"} {
			wantStatus(t, http.StatusForbidden, request(t, s, "POST", target, edit))
		}
	}
	if len(f.calls) != 0 {
		t.Errorf("want nothing done, got %q", f.calls)
	}
	w := request(t, s, "POST", "/v1/hotfolders/inbox/scan", header("Sec-Fetch-Site", "same-origin"), header("Accept", "text/html"))
	if wantStatus(t, http.StatusSeeOther, w); w.Header().Get("Location") != "/#hotfolders" {
		t.Errorf("want the form sent back to the page, got %q", w.Header().Get("Location"))
	}
}

func TestHeaders_areStrictEverywhere(t *testing.T) {
	s := newServer(t, newFake(), Options{})
	for _, target := range []string{"/", "/v1/node", "/nowhere", "/livez", "/v1/assets/none"} {
		h := request(t, s, "GET", target).Header()
		if h.Get("Content-Security-Policy") != pageCSP || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: headers are missing: %v", target, h)
		}
		if h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: there is CORS", target)
		}
	}
}

// never bans nobody.
type never struct{}

func (never) Banned(string) time.Duration { return 0 }
func (never) Failed(string) int           { return 1 }
