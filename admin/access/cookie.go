package access

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// SessionLife is how long a browser stays logged in.
const SessionLife = 12 * time.Hour

// session is what a cookie says. The role is not in it: it is looked up each time, so that a change counts at once.
type session struct {
	Name string `json:"n,omitempty"`
	Ends int64  `json:"e"` // Unix time
}

// CookieName is the same on all nodes of a cluster, and another one on others: cookies do not know ports, and nodes of two clusters
// may share a machine.
func (c *Control) CookieName() string {
	sum := sha256.Sum256([]byte("cookie of " + c.o.Cluster))
	return "hotfolderd_" + hex.EncodeToString(sum[:4])
}

// Cookie is the session of somebody who was let in, as any node with the same token and users accepts it. No node remembers it: it
// ends by its time, when the token behind it is accepted no more, and when the user's own password or token is another.
func (c *Control) Cookie(r *http.Request, id Identity) *http.Cookie {
	text, _ := json.Marshal(session{id.Name, time.Now().Add(SessionLife).Unix()}) // a string and a number always can be
	payload := base64.RawURLEncoding.EncodeToString(text)
	mac := base64.RawURLEncoding.EncodeToString(c.sign(payload, id.Name, c.o.Tokens().First()))
	return c.cookie(r, payload+"."+mac, int(SessionLife/time.Second))
}

// NoCookie makes a browser forget.
func (c *Control) NoCookie(r *http.Request) *http.Cookie { return c.cookie(r, "", -1) }

func (c *Control) cookie(r *http.Request, value string, age int) *http.Cookie {
	return &http.Cookie{
		Name: c.CookieName(), Value: value, Path: "/", MaxAge: age, HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https",
	}
}

func (c *Control) byCookie(r *http.Request) (id Identity, ok bool) {
	cookie, err := r.Cookie(c.CookieName())
	if err != nil {
		return id, false
	}
	payload, mac, _ := strings.Cut(cookie.Value, ".")
	text, err1 := base64.RawURLEncoding.DecodeString(payload)
	shown, err2 := base64.RawURLEncoding.DecodeString(mac)
	var s session
	if err1 != nil || err2 != nil || len(shown) != sha256.Size || json.Unmarshal(text, &s) != nil || !c.signed(shown, payload, s.Name) || time.Now().Unix() >= s.Ends {
		return id, false
	}
	if s.Name == "" {
		return Identity{Role: Admin}, true
	}
	u := c.o.Users().named(s.Name)
	if u == nil {
		return id, false
	}
	return Identity{Name: u.Name, Role: u.Role}, true
}

// signed reports whether one of the tokens is behind a signature.
func (c *Control) signed(shown []byte, payload, name string) bool {
	return slices.ContainsFunc(c.o.Tokens(), func(token string) bool { return hmac.Equal(shown, c.sign(payload, name, token)) })
}

// sign uses a key of its own for each user, made of a token that all nodes share and of what the user logs in with.
func (c *Control) sign(payload, name, token string) []byte {
	credentials := ""
	if u := c.o.Users().named(name); u != nil {
		credentials = u.credentials()
	}
	key, err := hkdf.Key(sha256.New, []byte(token), nil, "hotfolderd session\x00"+name+"\x00"+credentials, sha256.Size)
	if err != nil {
		return nil // only a length beyond 8 KiB is refused
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(payload))
	return mac.Sum(nil)
}
