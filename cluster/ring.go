package cluster

import (
	"bytes"
	"crypto/sha256"
	"slices"
)

// targets are the members that self probes: the next ones on a ring, in the order of the hashes of their ids, that have an
// address; at most n.
func targets(members []entry, self string, n int) []entry {
	ring := slices.SortedFunc(slices.Values(members), func(a, b entry) int { return ringOrder(a.ID, b.ID) })
	here := slices.IndexFunc(ring, func(e entry) bool { return e.ID == self })
	if here < 0 {
		return nil
	}
	var next []entry
	for i := 1; i < len(ring) && len(next) < n; i++ {
		if e := ring[(here+i)%len(ring)]; e.Address != "" {
			next = append(next, e)
		}
	}
	return next
}

// observersNeeded is how many must suspect a member before its session is destroyed: two, or one when only one probes it.
func observersNeeded(members []entry, id string, n int) int {
	observers := 0
	for _, m := range members {
		if slices.ContainsFunc(targets(members, m.ID, n), func(e entry) bool { return e.ID == id }) {
			observers++
		}
	}
	return min(max(observers, 1), 2)
}

func ringOrder(a, b string) int {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return bytes.Compare(x[:], y[:])
}
