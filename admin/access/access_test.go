package access

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hotfolderd/accounts"
)

const token = "the-token-of-all-nodes"

func file(t *testing.T, text string) func() *Users {
	t.Helper()
	u, err := ParseUsers("people.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return func() *Users { return u }
}

func hash(t *testing.T, password string) string {
	t.Helper()
	h, err := accounts.HashPassword(strings.NewReader(password))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func bearer(shown string) *http.Request {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer "+shown)
	return r
}

// A cookie of one node is good on another that never saw it, and no longer than its time, its token and its user.
func TestCookie_anyNodeAcceptsItAsLongAsItsCredentialsStand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ann := file(t, "users: [{ name: ann, role: operator, token_hash: "+HashToken("anns token")+" }]")
		a, b := New(Options{Token: token, Users: ann, Cluster: "s"}), New(Options{Token: token, Users: ann, Cluster: "s"})
		with := func(c *http.Cookie) *http.Request {
			r := httptest.NewRequest("GET", "/", nil)
			r.AddCookie(c)
			return r
		}
		id, err := a.Login(httptest.NewRequest("POST", "/login", nil), "ann", "anns token")
		if err != nil {
			t.Fatal(err)
		}
		cookie := a.Cookie(httptest.NewRequest("POST", "/login", nil), id)
		if id, err := b.Identify(with(cookie), false); err != nil || id.Name != "ann" || id.Role != Operator {
			t.Fatalf("want ann known at the other node, got %+v, %v", id, err)
		}
		for what, o := range map[string]Options{
			"another token":       {Token: token + "x", Users: ann, Cluster: "s"},
			"her token changed":   {Token: token, Users: file(t, "users: [{ name: ann, role: operator, token_hash: "+HashToken("new")+" }]"), Cluster: "s"},
			"she is gone":         {Token: token, Cluster: "s"},
			"a different cluster": {Token: token, Users: ann, Cluster: "t"},
		} {
			if _, err := New(o).Identify(with(cookie), false); err != ErrNobody {
				t.Errorf("%s: want the cookie worth nothing, got %v", what, err)
			}
		}
		viewer := New(Options{Token: token, Users: file(t, "users: [{ name: ann, role: viewer, token_hash: "+HashToken("anns token")+" }]"), Cluster: "s"})
		if id, err := viewer.Identify(with(cookie), false); err != nil || id.Role != Viewer {
			t.Errorf("want a change of the role to count at once, got %+v, %v", id, err)
		}
		for _, forged := range []string{"", ".", cookie.Value + "A", "x" + cookie.Value, cookie.Value[:strings.Index(cookie.Value, ".")], cookie.Value[:strings.Index(cookie.Value, ".")+1]} {
			other := *cookie
			other.Value = forged
			if _, err := a.Identify(with(&other), false); err != ErrNobody {
				t.Errorf("%q: want it refused, got %v", forged, err)
			}
		}
		time.Sleep(SessionLife - time.Second)
		if _, err := b.Identify(with(cookie), false); err != nil {
			t.Errorf("want it good for its time, got %v", err)
		}
		time.Sleep(time.Second)
		if _, err := b.Identify(with(cookie), false); err != ErrNobody {
			t.Errorf("want it over after its time, got %v", err)
		}
	})
}

func TestLogin_byPasswordByTokenAndByTheTokenOfAll(t *testing.T) {
	h := hash(t, "a pass phrase")
	synctest.Test(t, func(t *testing.T) {
		c := New(Options{Token: token, Users: file(t, "users: [{ name: ann, role: viewer, password_hash: \""+h+"\", token_hash: "+HashToken("anns token")+" }, { name: bob, role: admin, token_hash: "+HashToken("bobs token")+" }]")})
		for _, row := range []struct {
			name, secret, who string
			role              Role
		}{
			{"ann", "a pass phrase", "ann", Viewer},
			{"ann", "anns token", "ann", Viewer},
			{"", "anns token", "ann", Viewer},
			{"", "bobs token", "bob", Admin},
			{"", token, "", Admin},
			{"ann", "wrong", "", 0},
			{"ann", "bobs token", "", 0},
			{"bob", "a pass phrase", "", 0}, // the decoy's
			{"nobody", "a pass phrase", "", 0},
			{"", "a pass phrase", "", 0},
			{"", "", "", 0},
		} {
			id, err := c.Login(httptest.NewRequest("POST", "/login", nil), row.name, row.secret)
			if id.Name != row.who || id.Role != row.role || (err == nil) != (row.role != 0) {
				t.Errorf("%s with %q: want %q %s, got %+v, %v", row.name, row.secret, row.who, row.role, id, err)
			}
		}
	})
}

func TestIdentify_takesBasicWhereItIsAskedForOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(Options{Token: token, Users: file(t, "users: [{ name: ann, role: viewer, token_hash: "+HashToken("anns token")+" }]")})
		basic := func(name, password string) *http.Request {
			r := httptest.NewRequest("PROPFIND", "/", nil)
			r.SetBasicAuth(name, password)
			return r
		}
		if id, err := c.Identify(basic("ann", "anns token"), true); err != nil || id.Name != "ann" {
			t.Errorf("want ann, got %+v, %v", id, err)
		}
		if id, err := c.Identify(basic("whoever", token), true); err != nil || id.Role != Admin {
			t.Errorf("want the token of all taken with any name, got %+v, %v", id, err)
		}
		if _, err := c.Identify(basic("bob", "anns token"), true); err != ErrWrong {
			t.Errorf("want the token of somebody else refused, got %v", err)
		}
		if _, err := c.Identify(basic("ann", "anns token"), false); err != ErrNobody {
			t.Errorf("want Basic passed over elsewhere, got %v", err)
		}
	})
}

// Wrong tokens are answered later and later, and then nothing of the address is looked at any more; but who has a cookie goes on.
func TestWrong_isSlowedAndThenRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(Options{Token: token})
		began := time.Now()
		for i := range 15 {
			if _, err := c.Identify(bearer(fmt.Sprint("guess ", i)), false); err != ErrWrong {
				t.Fatalf("guess %d: want it wrong, got %v", i, err)
			}
		}
		if took := time.Since(began); took < 90*time.Second {
			t.Errorf("want 15 guesses to take a minute and a half, took %s", took)
		}
		began = time.Now()
		_, err := c.Identify(bearer(token), false)
		if banned, ok := err.(*BannedError); !ok || banned.Left <= 0 || time.Since(began) > 0 {
			t.Errorf("want the right one refused at once, got %v", err)
		}
		other := bearer(token)
		other.RemoteAddr = "198.51.100.7:4711"
		if _, err := c.Identify(other, false); err != nil {
			t.Errorf("want others let in, got %v", err)
		}
		r := httptest.NewRequest("GET", "/", nil)
		r.AddCookie(c.Cookie(r, Identity{Role: Admin}))
		if _, err := c.Identify(r, false); err != nil {
			t.Errorf("want those who are logged in let in, got %v", err)
		}
		time.Sleep(31 * time.Minute)
		if _, err := c.Identify(bearer(token), false); err != nil {
			t.Errorf("want the ban over, got %v", err)
		}
	})
}

// A flood of guesses from many addresses holds few goroutines.
func TestWrong_aFloodIsNotHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(Options{Token: token})
		results := make(chan error, 3*mostSlowed)
		for i := range cap(results) {
			r := bearer("guess")
			r.RemoteAddr = fmt.Sprintf("10.0.%d.%d:1", i/250, i%250)
			go func() { _, err := c.Identify(r, false); results <- err }()
		}
		synctest.Wait()
		if got := len(results); got != 2*mostSlowed {
			t.Errorf("want %d refused at once, got %d", 2*mostSlowed, got)
		}
		time.Sleep(time.Minute)
	})
}

// Only a proxy that is believed says whom it asks for, and only what the last such proxy saw counts.
func TestAddress_believesProxiesOnly(t *testing.T) {
	c := New(Options{Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24")}})
	for _, row := range []struct{ peer, forwarded, want string }{
		{"192.0.2.9:1", "1.2.3.4", "192.0.2.9"},
		{"10.0.0.5:1", "1.2.3.4", "1.2.3.4"},
		{"10.0.0.5:1", "9.9.9.9, 1.2.3.4", "1.2.3.4"},
		{"10.0.0.5:1", "1.2.3.4, 10.0.0.6", "1.2.3.4"},
		{"10.0.0.5:1", "", "10.0.0.5"},
		{"10.0.0.5:1", "not an address", "10.0.0.5"},
		{"[::ffff:10.0.0.5]:1", "2001:db8::1", "2001:db8::1"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = row.peer
		r.Header.Set("X-Forwarded-For", row.forwarded)
		if got := c.Address(r); got != row.want {
			t.Errorf("%s for %q: want %s, got %s", row.peer, row.forwarded, row.want, got)
		}
	}
}

func TestParseUsers_saysEachFaultWithItsLine(t *testing.T) {
	good := "{ name: ann, role: viewer, token_hash: " + HashToken("x") + " }"
	for text, want := range map[string]string{
		"":                                     "it is empty",
		"users: [{ name: ann, role: viewer }]": "neither token_hash nor password_hash",
		"users: [{ name: ann, role: boss }]":   `role "boss" is none of`,
		"users: [{ role: viewer }]":            "has no name",
		"users: [{ name: a, role: viewer, token_hash: abc }]":                 "64 hexadecimal digits",
		"users: [{ name: a, role: viewer, password_hash: abc }]":              "password_hash",
		"users: [{ name: 'a:b', role: viewer, token_hash: abc }]":             "no colon",
		"users: [{ name: a, rôle: viewer }]":                                  "rôle",
		"users:\n- " + good + "\n- " + good:                                   `people.yaml:3: "ann" is there twice`,
		"users:\n- " + good + "\n- " + strings.Replace(good, "ann", "bob", 1): `"bob" has the token of "ann"`,
	} {
		if _, err := ParseUsers("people.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "people.yaml") {
			t.Errorf("%q: want %q and the file, got %v", text, want, err)
		}
	}
}

// What was signed by the token before is worth nothing when there is another one.
func TestNewToken_countsAtOnce(t *testing.T) {
	now := token
	c := New(Options{Token: token, Tokens: func() Tokens { return Tokens{now} }, Cluster: "s"})
	id, err := c.Login(httptest.NewRequest("POST", "/login", nil), "", token)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.AddCookie(c.Cookie(httptest.NewRequest("POST", "/login", nil), id))
	if _, err := c.Identify(r, false); err != nil {
		t.Fatal(err)
	}
	now = "another token of all"
	if _, err := c.Identify(r, false); err != ErrNobody {
		t.Errorf("want the cookie worth nothing, got %v", err)
	}
	if id, err := c.Identify(bearer(now), false); err != nil || id.Role != Admin {
		t.Errorf("want the new token accepted, got %+v, %v", id, err)
	}
	if _, err := c.Identify(bearer(token), false); err == nil {
		t.Error("want the token before refused")
	}
}
