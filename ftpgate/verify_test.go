package ftpgate

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// someUsers is a UserSource of one user.
type someUsers struct{ u *User }

func (s someUsers) Lookup(name string) (*User, bool) { return s.u, name == s.u.Name }
func (s someUsers) Decoy(string) *User               { return s.u }
func (s someUsers) Hotfolders() []string             { return nil }

func TestVerifier_takesTheSameTimeForAUserThatDoesNotExist(t *testing.T) {
	h, err := HashPassword(strings.NewReader("right"))
	if err != nil {
		t.Fatal(err)
	}
	users, v := someUsers{&User{Name: "cam", Hash: h}}, newVerifier()
	median := func(name string) time.Duration {
		var took []time.Duration
		for range 7 {
			begin := time.Now()
			if _, ok, err := v.check(t.Context(), users, name, "wrong"); ok || err != nil {
				t.Fatalf("%s: want no, got %v, %v", name, ok, err)
			}
			took = append(took, time.Since(begin))
		}
		slices.Sort(took)
		return took[3]
	}
	known, unknown := median("cam"), median("nobody")
	if unknown < known/4 || known < unknown/4 {
		t.Errorf("want about the same time, got %s for one that exists and %s for one that does not", known, unknown)
	}
	if _, ok, err := v.check(t.Context(), users, "nobody", "right"); ok || err != nil {
		t.Errorf("want the password of the decoy to open nothing, got %v, %v", ok, err)
	}
	if _, ok, err := v.check(t.Context(), users, "cam", "right"); !ok || err != nil {
		t.Errorf("want the right one taken, got %v, %v", ok, err)
	}
}
