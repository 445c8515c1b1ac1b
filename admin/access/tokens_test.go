package access

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hotfolderd/accounts"
)

const newer = "the-token-that-is-to-be"

func TestParseTokens(t *testing.T) {
	for text, want := range map[string]Tokens{
		token:                                   {token},
		" " + token + "\r\n\n\t" + newer + "\n": {token, newer},
	} {
		if got, err := ParseTokens("token", []byte(text)); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: want %q, got %q, %v", text, want, got, err)
		}
	}
	for text, want := range map[string]string{
		"":                            "no token",
		" \n\n":                       "no token",
		token + "\nshort":             "16",
		token + " " + newer:           "space",
		token + "\nümlaut-in-a-token": "ASCII",
	} {
		if _, err := ParseTokens("the file", []byte(text)); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "the file") {
			t.Errorf("%q: want %q and the file, got %v", text, want, err)
		}
	}
}

// While one token takes the place of another, at one node after the other, whoever has either is let in by nodes that know both, and a
// browser stays logged in.
func TestTokens_allAreAcceptedAndTheFirstSigns(t *testing.T) {
	at := func(all ...string) *Control {
		return New(Options{Token: all[0], Tokens: func() Tokens { return all }, Cluster: "s"})
	}
	before, both, swapped, after := at(token), at(token, newer), at(newer, token), at(newer)
	for _, c := range []*Control{both, swapped} {
		for _, shown := range []string{token, newer} {
			if id, err := c.Identify(bearer(shown), false); err != nil || id.Role != Admin {
				t.Errorf("%s: want it accepted, got %+v, %v", shown, id, err)
			}
		}
	}
	cookie := func(c *Control) *http.Request {
		r := httptest.NewRequest("GET", "/", nil)
		r.AddCookie(c.Cookie(httptest.NewRequest("POST", "/login", nil), Identity{Role: Admin}))
		return r
	}
	for _, row := range []struct {
		by, at *Control
		good   bool
	}{
		{before, both, true},
		{both, before, true},
		{before, swapped, true},
		{both, swapped, true},
		{swapped, both, true},
		{swapped, after, true},
		{after, both, true},
		{before, after, false},
		{both, after, false},
		{swapped, before, false},
	} {
		if _, err := row.at.Identify(cookie(row.by), false); (err == nil) != row.good {
			t.Errorf("by %q at %q: want accepted %v, got %v", row.by.o.Tokens(), row.at.o.Tokens(), row.good, err)
		}
	}
}

// A node whose token is another for the moment is refused as often as it comes, and let in as soon as it has the right one; guesses of
// others are counted.
func TestIdentifyPeer_nodesAreNeverBanned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bans := accounts.NewBans()
		c := New(Options{Token: token, Bans: bans, Peer: func(r *http.Request) bool { return r.Header.Get("Of") == "us" }})
		ask := func(of, shown string) error {
			r := bearer(shown)
			r.Header.Set("Of", of)
			_, err := c.IdentifyPeer(r)
			return err
		}
		begin := time.Now()
		for range 50 {
			if err := ask("us", newer); !errors.Is(err, ErrWrong) {
				t.Fatalf("want it refused, got %v", err)
			}
		}
		if took := time.Since(begin); took != 50*accounts.Slow(1) {
			t.Errorf("want each answered late, got %v", took)
		}
		if err := ask("us", token); err != nil {
			t.Errorf("want it let in, got %v", err)
		}
		if err := ask("others", token); err != nil {
			t.Errorf("want no ban of its address, got %v", err)
		}
		var banned *BannedError
		for range 20 {
			if err := ask("others", "a guess of a token"); errors.As(err, &banned) {
				break
			}
		}
		if err := ask("others", token); banned == nil || !errors.As(err, &banned) {
			t.Errorf("want those who guess banned, got %v", err)
		}
		if err := ask("us", token); err != nil {
			t.Errorf("want no ban to keep a node out, got %v", err)
		}
	})
}
