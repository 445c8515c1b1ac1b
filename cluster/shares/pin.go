package shares

import (
	"maps"
	"slices"
)

// Pin binds a hotfolder to nodes, by their ids. With both lists empty it binds nothing, and the hotfolder counts as not pinned.
type Pin struct {
	RunOn  []string // only these: while none of them lives, nobody takes it
	Prefer []string // these while one of them lives, else any that RunOn allows
}

func (p Pin) binds() bool { return len(p.RunOn)+len(p.Prefer) > 0 }

func (p Pin) equal(q Pin) bool {
	return slices.Equal(p.RunOn, q.RunOn) && slices.Equal(p.Prefer, q.Prefer)
}

// allows picks the nodes that may take the hotfolder now.
func (p Pin) allows(nodes []Node) []Node {
	nodes = eligible(nodes)
	if len(p.RunOn) > 0 {
		nodes = named(nodes, p.RunOn)
	}
	if best := named(nodes, p.Prefer); len(best) > 0 {
		return best
	}
	return nodes
}

func named(nodes []Node, ids []string) (of []Node) {
	for _, n := range nodes {
		if slices.Contains(ids, n.ID) {
			of = append(of, n)
		}
	}
	return of
}

// binding copies the pins that bind.
func binding(pins map[string]Pin) map[string]Pin {
	own := make(map[string]Pin, len(pins))
	for hotfolder, p := range pins {
		if p.binds() {
			own[hotfolder] = Pin{RunOn: slices.Clone(p.RunOn), Prefer: slices.Clone(p.Prefer)}
		}
	}
	return own
}

func samePins(a, b map[string]Pin) bool { return maps.EqualFunc(a, b, Pin.equal) }
