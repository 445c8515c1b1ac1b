package access

import "fmt"

// Role is what somebody may do. A role may do all that the ones below it may. The zero value is none: a route that declares it
// is open to nobody.
type Role uint8

// The roles, from the least to the most.
const (
	Anyone   Role = iota + 1 // whoever reaches the node: probes, and the login form
	Viewer                   // reads
	Operator                 // pauses, scans, tries again, ends sessions, drops files, uses the work area and jobs
	Admin                    // everything: drains nodes, clears caches, changes and deletes assets
)

var roleWords = [...]string{"none", "anyone", "viewer", "operator", "admin"}

func (r Role) String() string { return roleWords[min(int(r), len(roleWords)-1)] }

// ParseRole reads a role that somebody can be given.
func ParseRole(word string) (Role, error) {
	for r := Viewer; r <= Admin; r++ {
		if word == r.String() {
			return r, nil
		}
	}
	return 0, fmt.Errorf("role %q is none of viewer, operator, admin", word)
}

// May reports whether a role is enough where need is asked for. Nothing is enough where no role is declared.
func (r Role) May(need Role) bool { return need != 0 && (need == Anyone || r >= need) }
