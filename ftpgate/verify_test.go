package ftpgate

import (
	"strings"
	"testing"
	"time"

	"hotfolderd/accounts"
)

// someUsers is a UserSource of one user.
type someUsers struct{ u *User }

func (s someUsers) Lookup(name string) (*User, bool) { return s.u, name == s.u.Name }
func (s someUsers) Decoy(string) string              { return s.u.Hash }
func (s someUsers) Hotfolders() []string             { return nil }

func TestVerifier_takesTheSameTimeForAUserThatDoesNotExist(t *testing.T) {
	h, err := accounts.HashPassword(strings.NewReader("right"))
	if err != nil {
		t.Fatal(err)
	}
	g := &Gate{o: Options{Users: someUsers{&User{Name: "cam", Hash: h}}}, verifier: accounts.NewVerifier()}
	check := func(name string) time.Duration {
		begin := time.Now()
		if _, ok, err := g.verify(t.Context(), name, "wrong"); ok || err != nil {
			t.Fatalf("%s: want no, got %v, %v", name, ok, err)
		}
		return time.Since(begin)
	}
	// The least of many, in turn: other work on the machine only makes them longer.
	known, unknown := check("cam"), check("nobody")
	for range 15 {
		known, unknown = min(known, check("cam")), min(unknown, check("nobody"))
	}
	if unknown < known/4 || known < unknown/4 {
		t.Errorf("want about the same time, got %s for one that exists and %s for one that does not", known, unknown)
	}
	if _, ok, err := g.verify(t.Context(), "nobody", "right"); ok || err != nil {
		t.Errorf("want the password of the decoy to open nothing, got %v, %v", ok, err)
	}
	if _, ok, err := g.verify(t.Context(), "cam", "right"); !ok || err != nil {
		t.Errorf("want the right one taken, got %v, %v", ok, err)
	}
}
