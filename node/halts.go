package node

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

// halts are the reasons why nothing is imported, by who gave them. Imports go on when there is none left.
type halts struct {
	mu  sync.Mutex
	why map[string]string
}

// halt sets or, with "", takes back the reason of one source.
func (n *Node) halt(source, why string) {
	h := &n.halts
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.why == nil {
		h.why = map[string]string{}
	}
	if h.why[source] == why {
		return
	}
	h.why[source] = why
	if why == "" {
		delete(h.why, source)
	}
	var all []string
	for _, source := range slices.Sorted(maps.Keys(h.why)) {
		if why := h.why[source]; !slices.Contains(all, why) {
			all = append(all, why)
		}
	}
	n.room.Halt(strings.Join(all, "; "))
}
