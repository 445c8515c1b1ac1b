package admin

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"hash/fnv"
	"net/http"
	"strings"
	"sync"
	"time"
)

// A session is a browser that showed the token once.
const (
	sessionLife = 12 * time.Hour
	maxSessions = 256
)

// access knows the token and the sessions. Only hashes are kept, so that comparing takes the same time whatever is shown.
type access struct {
	open  bool // no token: whoever reaches loopback may do everything
	token [sha256.Size]byte

	mu       sync.Mutex
	sessions map[[sha256.Size]byte]time.Time // until when
}

func newAccess(token string) access {
	return access{open: token == "", token: sha256.Sum256([]byte(token)), sessions: make(map[[sha256.Size]byte]time.Time)}
}

func (a *access) tokenIs(shown string) bool {
	sum := sha256.Sum256([]byte(shown))
	return subtle.ConstantTimeCompare(sum[:], a.token[:]) == 1
}

// begin makes a session; the oldest gives way when there are too many.
func (a *access) begin(now time.Time) string {
	id := rand.Text()
	a.mu.Lock()
	defer a.mu.Unlock()
	var oldest [sha256.Size]byte
	var first time.Time
	for k, until := range a.sessions {
		if now.After(until) {
			delete(a.sessions, k)
		} else if first.IsZero() || until.Before(first) {
			oldest, first = k, until
		}
	}
	if len(a.sessions) >= maxSessions {
		delete(a.sessions, oldest)
	}
	a.sessions[sha256.Sum256([]byte(id))] = now.Add(sessionLife)
	return id
}

func (a *access) sessionIs(id string, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	until, ok := a.sessions[sha256.Sum256([]byte(id))]
	return ok && now.Before(until)
}

func (a *access) end(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.sessions, sha256.Sum256([]byte(id)))
}

// admit decides who may ask. Probes are open as long as they ask for no names; so are the files of the login form.
func (s *Server) admit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		probe := (r.URL.Path == "/livez" || r.URL.Path == "/readyz") && !r.URL.Query().Has("verbose")
		switch {
		case probe:
		case s.access.open && !hostAllowed(r.Host):
			s.fail(w, r, newProblem(http.StatusForbidden, "this server answers to localhost only, not to "+Visible(r.Host)))
			return
		case s.access.open, r.URL.Path == "/login", strings.HasPrefix(r.URL.Path, "/page/"), s.authorized(r):
		case wantsPage(r) && r.Method == http.MethodGet:
			http.Redirect(w, r, "/login", http.StatusSeeOther)
			return
		default:
			w.Header().Set("WWW-Authenticate", `Bearer realm="hotfolderd"`)
			s.fail(w, r, newProblem(http.StatusUnauthorized, "send the token as Authorization: Bearer, or log in at /login"))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Server) authorized(r *http.Request) bool {
	scheme, shown, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") && s.access.tokenIs(strings.TrimSpace(shown)) {
		return true
	}
	c, err := r.Cookie(s.cookieName())
	return err == nil && s.access.sessionIs(c.Value, time.Now())
}

// cookieName differs from node to node: cookies do not know ports, and two nodes may share a machine.
func (s *Server) cookieName() string {
	sum := fnv.New32a()
	sum.Write([]byte(s.b.Node().ID))
	return "hotfolderd_" + hex.EncodeToString(sum.Sum(nil))
}

func (s *Server) cookie(r *http.Request, value string, life time.Duration) *http.Cookie {
	return &http.Cookie{
		Name: s.cookieName(), Value: value, Path: "/", MaxAge: int(life / time.Second), HttpOnly: true,
		SameSite: http.SameSiteStrictMode, Secure: r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https",
	}
}

func (s *Server) login(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, 8<<10)
	if err := r.ParseForm(); err != nil {
		return newProblem(http.StatusBadRequest, "the form could not be read")
	}
	if !s.access.open && !s.access.tokenIs(strings.TrimSpace(r.PostForm.Get("token"))) {
		s.log.Info("login refused")
		return s.renderLogin(w, http.StatusUnauthorized, "That is not the token of this node.")
	}
	http.SetCookie(w, s.cookie(r, s.access.begin(time.Now()), sessionLife))
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}

func (s *Server) logout(w http.ResponseWriter, r *http.Request) error {
	if c, err := r.Cookie(s.cookieName()); err == nil {
		s.access.end(c.Value)
	}
	gone := s.cookie(r, "", 0)
	gone.MaxAge = -1
	http.SetCookie(w, gone)
	http.Redirect(w, r, "/login", http.StatusSeeOther)
	return nil
}
