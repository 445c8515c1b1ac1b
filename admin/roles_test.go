package admin

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"hotfolderd/admin/access"
	"hotfolderd/asset"
)

// TestRoutes_eachMethodHasARole holds for every route there is: one that forgets its role is open to nobody, and fails here.
func TestRoutes_eachMethodHasARole(t *testing.T) {
	for _, rt := range everything(t, Options{}).table() {
		checkRoles(t, rt)
	}
}

// everything is a server whose node offers all there is.
func everything(t *testing.T, o Options) *Server {
	t.Helper()
	b := newFake().backend()
	b.PutAsset = func(context.Context, asset.Key, io.Reader, PutOptions) (asset.Record, int, error) {
		return asset.Record{}, 0, nil
	}
	b.RemoveAsset = func(context.Context, asset.Key) error { return nil }
	s, err := New(b, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var openToAll = map[string]bool{"/livez": true, "/readyz": true, "/page/{file}": true, "/login": true, "/logout": true}

func checkRoles(t *testing.T, rt route) {
	for method, e := range rt.methods {
		switch {
		case e.role < access.Anyone || e.role > access.Admin:
			t.Errorf("%s %s declares no role", method, rt.pattern)
		case e.role == access.Anyone && !openToAll[rt.pattern]:
			t.Errorf("%s %s is open to anyone", method, rt.pattern)
		case e.role == access.Viewer && !reads[method]:
			t.Errorf("%s %s changes something, and a viewer may", method, rt.pattern)
		}
	}
}

const people = `users:
  - { name: vera, role: viewer, token_hash: VERA }
  - { name: otto, role: operator, token_hash: OTTO }
  - { name: anna, role: admin, token_hash: ANNA }
`

// somePeople are a viewer, an operator and an admin, whose tokens are their names, said four times.
func somePeople(t *testing.T) func() *access.Users {
	t.Helper()
	text := regexp.MustCompile(`[A-Z]{4}`).ReplaceAllStringFunc(people, func(name string) string { return access.HashToken(tokenOf(name)) })
	users, err := access.ParseUsers("people.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return func() *access.Users { return users }
}

func tokenOf(name string) string { return strings.Repeat(strings.ToLower(name), 4) }

// Every method of every route is asked for by each role: those below the one that is declared are refused, the others are not.
func TestRoutes_areOpenToTheirRolesOnly(t *testing.T) {
	s := everything(t, Options{Token: testToken, Users: somePeople(t), Bans: never{}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // so that streams end at once
	roles := map[string]access.Role{"vera": access.Viewer, "otto": access.Operator, "anna": access.Admin}
	for _, rt := range s.table() {
		target := strings.NewReplacer("{$}", "", "{node}", "node-a", "{hotfolder}", "inbox", "{id}", "x", "{hash}", strings.Repeat("0", 64), "{size}", "256").Replace(rt.pattern)
		if strings.HasSuffix(target, "/") && rt.raw {
			target += "a.jpg"
		}
		target = regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(target, "x")
		for method, e := range rt.methods {
			if e.role == access.Anyone {
				continue
			}
			for name, role := range roles {
				w := request(t, s, method, target, func(r *http.Request) { *r = *r.WithContext(ctx) }, header("Authorization", "Bearer "+tokenOf(name)))
				refused := w.Code == http.StatusForbidden || w.Code == http.StatusUnauthorized
				if want := !role.May(e.role); refused != want {
					t.Errorf("%s %s by a %s: want refused %v, got %d", method, target, role, want, w.Code)
				}
			}
			w := request(t, s, method, target, func(r *http.Request) { *r = *r.WithContext(ctx) })
			if closed := w.Code == http.StatusUnauthorized; !closed {
				t.Errorf("%s %s by nobody: got %d", method, target, w.Code)
			}
		}
	}
}

// A route that forgets its role is open to nobody.
func TestRoutes_withoutARoleAreOpenToNobody(t *testing.T) {
	s := newServer(t, newFake(), Options{})
	w := httptest.NewRecorder()
	_, err := s.permit(w, httptest.NewRequest("GET", "/", nil), 0, route{})
	if p, ok := errors.AsType[*problem](err); !ok || p.Status != http.StatusForbidden {
		t.Errorf("want it refused even to an admin, got %v", err)
	}
}
