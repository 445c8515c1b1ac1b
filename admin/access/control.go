package access

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"hotfolderd/accounts"
)

// Errors of Identify and Login.
var (
	ErrNobody = errors.New("nothing was shown that says who asks")
	ErrWrong  = errors.New("wrong name, password or token")
)

// BannedError says that an address has been wrong too often; what it shows is not looked at.
type BannedError struct{ Left time.Duration }

func (e *BannedError) Error() string {
	return fmt.Sprintf("too many wrong passwords or tokens came from your address; try again in %s", e.Left.Round(time.Second))
}

// Bans counts who guesses; see [accounts.Bans].
type Bans interface {
	Banned(address string) time.Duration
	Failed(address string) (count int)
}

// Options of a control.
type Options struct {
	// Token is that of an admin without a name. All nodes share it, and cookies are signed by a key that is made of it. Empty: whoever
	// reaches the node is an admin.
	Token string
	// Tokens tells the tokens by now, where they may become others; nil: Token stays. There was one at the start when there is one later.
	Tokens func() Tokens
	// Users tells who else there is; nil: nobody.
	Users func() *Users
	// Bans counts wrong passwords and tokens; nil: counts in this process alone.
	Bans Bans
	// Peer reports whether a request comes from a node of the cluster, whatever its token is; nil: none does.
	Peer func(r *http.Request) bool
	// Proxies are believed when they tell by X-Forwarded-For who their client is.
	Proxies []netip.Prefix
	// Cluster makes the name of the cookie: nodes that have it in common accept each other's.
	Cluster string
}

// mostSlowed is how many wrong answers are held back at a time; more are refused at once.
const mostSlowed = 64

// Control decides who somebody is. It remembers nothing of those who were let in. Safe for concurrent use.
type Control struct {
	o        Options
	verifier *accounts.Verifier
	slowed   chan struct{}
}

// New makes a control.
func New(o Options) *Control {
	if o.Users == nil {
		o.Users = func() *Users { return nil }
	}
	if o.Bans == nil {
		o.Bans = accounts.NewBans()
	}
	if o.Tokens == nil {
		o.Tokens = func() Tokens { return Tokens{o.Token} }
	}
	if o.Peer == nil {
		o.Peer = func(*http.Request) bool { return false }
	}
	return &Control{o: o, verifier: accounts.NewVerifier(), slowed: make(chan struct{}, mostSlowed)}
}

// Open reports whether there is no token, so that everybody is let in.
func (c *Control) Open() bool { return c.o.Token == "" }

// HasUsers reports whether there is somebody with a name.
func (c *Control) HasUsers() bool {
	u := c.o.Users()
	return u != nil && len(u.byName) > 0
}

// Identify finds out who sends a request: by a bearer token, by a cookie, and where basic is set by a name with a token as its
// password, for programs that know nothing else. The identity of an error has an address only.
func (c *Control) Identify(r *http.Request, basic bool) (Identity, error) {
	address := c.Address(r)
	if c.Open() {
		return Identity{Role: Admin, Address: address}, nil
	}
	shown, bearer := bearerOf(r)
	scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch {
	case bearer:
		return c.byToken(r.Context(), address, "", shown)
	case basic && strings.EqualFold(scheme, "Basic"):
		name, token, _ := r.BasicAuth()
		return c.byToken(r.Context(), address, name, token)
	}
	if id, ok := c.byCookie(r); ok {
		id.Address = address
		return id, nil
	}
	return Identity{Address: address}, ErrNobody
}

func bearerOf(r *http.Request) (token string, ok bool) {
	scheme, shown, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.TrimSpace(shown), strings.EqualFold(scheme, "Bearer")
}

// IdentifyPeer is Identify for what only nodes send each other. While a token is being changed they may show one that is not known here
// yet, or not any more: of a node of the cluster that counts for no ban, and no ban keeps it out.
func (c *Control) IdentifyPeer(r *http.Request) (Identity, error) {
	address := c.Address(r)
	shown, bearer := bearerOf(r)
	if c.Open() || !bearer {
		return c.Identify(r, false)
	}
	id, ok := c.known("", shown)
	id.Address = address
	switch {
	case ok && c.o.Bans.Banned(address) == 0:
		return id, nil
	case !c.o.Peer(r):
		return c.Identify(r, false)
	case ok:
		return id, nil
	}
	return c.late(r.Context(), address, 1)
}

// byToken lets in whoever shows a token that is known, from an address that is not banned.
func (c *Control) byToken(ctx context.Context, address, name, token string) (Identity, error) {
	if left := c.o.Bans.Banned(address); left > 0 {
		return Identity{Address: address}, &BannedError{left}
	}
	if id, ok := c.known(name, token); ok {
		id.Address = address
		return id, nil
	}
	return c.wrong(ctx, address)
}

// known knows the tokens of the settings and those of users. Together with a name a user's token must be that user's.
func (c *Control) known(name, token string) (id Identity, ok bool) {
	if c.o.Tokens().have(token) {
		return Identity{Role: Admin}, true
	}
	if u := c.o.Users().ofToken(token); u != nil && (name == "" || name == u.Name) {
		return Identity{Name: u.Name, Role: u.Role}, true
	}
	return id, false
}

// Login finds out who fills in the form: a user with a password or a token, or without a name whoever has a token. A user who does
// not exist takes as long as one who does.
func (c *Control) Login(r *http.Request, name, secret string) (Identity, error) {
	address := c.Address(r)
	if c.Open() {
		return Identity{Role: Admin, Address: address}, nil
	}
	if left := c.o.Bans.Banned(address); left > 0 {
		return Identity{Address: address}, &BannedError{left}
	}
	users := c.o.Users()
	if u := users.ofToken(secret); name == "" || u != nil && u.Name == name {
		return c.byToken(r.Context(), address, name, secret)
	}
	good, err := c.password(r.Context(), users, name, secret)
	switch u := users.named(name); {
	case err != nil:
		return Identity{Address: address}, err
	case good:
		return Identity{Name: u.Name, Role: u.Role, Address: address}, nil
	}
	return c.wrong(r.Context(), address)
}

func (c *Control) password(ctx context.Context, users *Users, name, password string) (bool, error) {
	if users == nil {
		return false, nil
	}
	u := users.named(name)
	real := u != nil && u.PasswordHash != ""
	against := accounts.Decoy(name, users.hashes)
	if real {
		against = u.PasswordHash
	}
	if against == "" {
		return false, nil
	}
	good, err := c.verifier.Check(ctx, against, password)
	return good && real, err
}

// wrong counts, and answers late.
func (c *Control) wrong(ctx context.Context, address string) (Identity, error) {
	return c.late(ctx, address, c.o.Bans.Failed(address))
}

// late answers that it was wrong, later with each time.
func (c *Control) late(ctx context.Context, address string, count int) (Identity, error) {
	id := Identity{Address: address}
	select {
	case c.slowed <- struct{}{}:
		defer func() { <-c.slowed }()
	default:
		return id, &BannedError{accounts.Slow(count)}
	}
	t := time.NewTimer(accounts.Slow(count))
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
	return id, ErrWrong
}
