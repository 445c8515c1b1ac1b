package cluster

import (
	"context"
	"testing"
)

// TestRound_whoReturned: a1 is an instance of a, its sessions are s1, s2 ...
func TestRound_whoReturned(t *testing.T) {
	t.Parallel()
	type look struct {
		instance, session string // "" is away
		want              bool
	}
	for name, looks := range map[string][]look{
		"another instance":                  {{"a1", "s1", false}, {"a2", "s2", false}, {"a1", "s3", false}},
		"the same session, after a while":   {{"a1", "s1", false}, {"", "", false}, {"a1", "s1", false}},
		"another session of the same":       {{"a1", "s1", false}, {"a1", "s2", true}, {"a2", "s3", false}},
		"and its return is not forgotten":   {{"a1", "s1", false}, {"a1", "s2", true}, {"", "", false}, {"a1", "s2", true}},
		"it returns after it has been away": {{"a1", "s1", false}, {"", "", false}, {"a1", "s2", true}},
	} {
		r := newRound()
		for i, l := range looks {
			var wanted []entry
			if l.instance != "" {
				wanted = []entry{{Member: Member{ID: "a", Instance: l.instance}, session: l.session}}
			}
			for _, e := range r.renew(wanted) {
				if _, returned, _, _ := r.begin(context.Background(), e); returned != l.want {
					t.Errorf("%s, look %d: want %v, got %v", name, i, l.want, returned)
				}
			}
			if len(r.begun) != len(wanted) {
				t.Errorf("%s, look %d: want %d under way, got %d", name, i, len(wanted), len(r.begun))
			}
		}
	}
}
