package admin

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"hotfolderd/admin/access"
)

// local keeps a server without a token to those who ask for this machine by name. Probes tell no names and are open.
func (s *Server) local(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.access.Open() && !hostAllowed(r.Host) && !isProbe(r) {
			s.fail(w, r, newProblem(http.StatusForbidden, "this server answers to localhost only, not to "+Visible(r.Host)))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func isProbe(r *http.Request) bool {
	return (r.URL.Path == "/livez" || r.URL.Path == "/readyz") && !r.URL.Query().Has("verbose")
}

// permit lets somebody ask who has the role, and makes the request's context say who that is where it matters.
func (s *Server) permit(w http.ResponseWriter, r *http.Request, need access.Role, rt route) (*http.Request, error) {
	if need == access.Anyone {
		return r, nil
	}
	id, err := s.identify(r, rt)
	switch {
	case err == nil && id.Role.May(need):
		if sameForAll(r) {
			return r, nil
		}
		return r.WithContext(access.With(r.Context(), id)), nil
	case err == nil:
		err = newProblem(http.StatusForbidden, fmt.Sprintf("that needs the role %s, and you have the role %s", need, id.Role))
		s.auditRefusal(r, id, err)
		return r, err
	case errors.Is(err, access.ErrNobody) && wantsPage(r) && r.Method == http.MethodGet:
		return r, errLogin
	case errors.Is(err, access.ErrWrong):
		s.auditRefusal(r, id, err)
	}
	return r, unknown(w, err, rt.basic)
}

// sameForAll: what is read of the API does not depend on who may read it.
func sameForAll(r *http.Request) bool {
	return reads[r.Method] && strings.HasPrefix(r.URL.Path, "/v1/")
}

func (s *Server) identify(r *http.Request, rt route) (access.Identity, error) {
	if rt.peers {
		return s.access.IdentifyPeer(r)
	}
	return s.access.Identify(r, rt.basic)
}

// errLogin sends a browser to the login form.
var errLogin = errors.New("not logged in")

// unknown answers somebody who is not known, and says how to say who one is.
func unknown(w http.ResponseWriter, err error, basic bool) error {
	if banned, ok := errors.AsType[*access.BannedError](err); ok {
		w.Header().Set("Retry-After", strconv.Itoa(int(banned.Left.Seconds())+1))
		return newProblem(http.StatusTooManyRequests, banned.Error())
	}
	scheme, wrong, missing := "Bearer", "that token is not known here", "send the token as Authorization: Bearer, or log in at /login"
	if basic {
		scheme = "Basic"
		wrong = "that token is not known here, or is another user's than the name says: leave the name out"
		missing = "send the token as the password; the name may be left out"
	}
	w.Header().Set("WWW-Authenticate", scheme+` realm="hotfolderd"`)
	if errors.Is(err, access.ErrWrong) {
		return newProblem(http.StatusUnauthorized, wrong)
	}
	return newProblem(http.StatusUnauthorized, missing)
}

// login gives a browser a cookie. Any node accepts it, and none remembers it.
func (s *Server) login(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, 8<<10)
	if err := r.ParseForm(); err != nil {
		return newProblem(http.StatusBadRequest, "the form could not be read")
	}
	name := strings.TrimSpace(r.PostForm.Get("name"))
	id, err := s.access.Login(r, name, strings.TrimSpace(r.PostForm.Get("token")))
	if err != nil {
		id.Name = name
		s.auditRefusal(r, id, err)
	} else {
		s.audit(Change{Time: time.Now(), Who: id, Method: r.Method, Path: r.URL.EscapedPath(), Status: http.StatusSeeOther})
	}
	if banned, ok := errors.AsType[*access.BannedError](err); ok {
		w.Header().Set("Retry-After", strconv.Itoa(int(banned.Left.Seconds())+1))
		return s.renderLogin(w, http.StatusTooManyRequests, name, banned.Error()+".")
	}
	if err != nil {
		return s.renderLogin(w, http.StatusUnauthorized, name, "That name and that password or token do not belong together.")
	}
	http.SetCookie(w, s.access.Cookie(r, id))
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}

// logout makes the browser forget its cookie.
func (s *Server) logout(w http.ResponseWriter, r *http.Request) error {
	http.SetCookie(w, s.access.NoCookie(r))
	http.Redirect(w, r, "/login", http.StatusSeeOther)
	return nil
}
