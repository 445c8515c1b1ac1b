package cluster

import (
	"bytes"
	"crypto/sha256"
	"slices"
)

// ring has the members in the order of the hashes of their ids.
type ring []entry

func ringOf(members []entry) ring {
	place := make(map[string][sha256.Size]byte, len(members))
	for _, m := range members {
		place[m.ID] = sha256.Sum256([]byte(m.ID))
	}
	return slices.SortedFunc(slices.Values(members), func(a, b entry) int {
		x, y := place[a.ID], place[b.ID]
		return bytes.Compare(x[:], y[:])
	})
}

// targets are the members that self probes: the next ones that have an address, at most n.
func (r ring) targets(self string, n int) []entry {
	here := slices.IndexFunc(r, func(e entry) bool { return e.ID == self })
	if here < 0 {
		return nil
	}
	var next []entry
	for i := 1; i < len(r) && len(next) < n; i++ {
		if e := r[(here+i)%len(r)]; e.Address != "" {
			next = append(next, e)
		}
	}
	return next
}

// needed is how many must suspect a member before its session is destroyed: two, or one when only one probes it.
func (r ring) needed(id string, n int) int {
	observers := 0
	for _, m := range r {
		if slices.ContainsFunc(r.targets(m.ID, n), func(e entry) bool { return e.ID == id }) {
			observers++
		}
	}
	return min(max(observers, 1), 2)
}
