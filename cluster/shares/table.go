package shares

import (
	"strconv"
	"sync/atomic"

	"hotfolderd/asset"
	"hotfolderd/leases"
)

// part is one partition, held or not.
type part struct {
	name string
	grip atomic.Pointer[grip] // nil: not held; changed by the loop only

	// For the loop alone.
	wanted  bool
	refused bool // the last try failed: not before the pause is over, or something is new
}

// set is the partitions of the namespace, or of one pinned hotfolder.
type set struct {
	prefix    string // of the names; also the salt, so that each set is dealt out anew
	hotfolder string // "": the namespace's
	parts     []*part
	owners    atomic.Pointer[[]string] // by the last plan; nil before the first
}

func newSet(prefix, hotfolder string, n int) *set {
	s := &set{prefix: prefix, hotfolder: hotfolder, parts: make([]*part, n)}
	for i := range s.parts {
		s.parts[i] = &part{name: prefix + strconv.Itoa(i)}
	}
	return s
}

func (s *set) of(hotfolder string, key asset.Key) *grip {
	return s.parts[asset.Partition(hotfolder, key, len(s.parts))].grip.Load()
}

// vacant reports whether nothing of it is held.
func (s *set) vacant() bool {
	for _, p := range s.parts {
		if p.grip.Load() != nil {
			return false
		}
	}
	return true
}

// table says which set a hotfolder belongs to. It is replaced whole when the pins change.
type table struct {
	common *set
	pinned map[string]*set
}

func (t *table) grip(hotfolder string, key asset.Key) *grip {
	return t.set(hotfolder).of(hotfolder, key)
}

func (t *table) set(hotfolder string) *set {
	if len(t.pinned) > 0 {
		if s := t.pinned[hotfolder]; s != nil {
			return s
		}
	}
	return t.common
}

// Owner is the node that the last plan gives a drop to, empty when it is nobody or there is no plan yet. That node may not hold it
// yet, and it may be this one.
func (s *Shares) Owner(hotfolder string, key asset.Key) string {
	set := s.table.Load().set(hotfolder)
	owners := set.owners.Load()
	if owners == nil {
		return ""
	}
	return (*owners)[asset.Partition(hotfolder, key, len(*owners))]
}

// Claim begins a walk of a drop that is this node's: it returns the lease that the walk runs under, and a function that must be
// called exactly once when the walk ended; the partition is not handed over before. Another node's drop, or one of a partition
// that is being drained: nil, nil. It never waits, and what it returns needs no allocation.
func (s *Shares) Claim(hotfolder string, key asset.Key) (leases.Lease, func()) {
	g := s.table.Load().grip(hotfolder, key)
	if g == nil || !g.enter() {
		return nil, nil
	}
	return g.lease, g.done
}

// Mine reports whether Claim would give a lease now. It is for looking at many files; only Claim holds on to anything.
func (s *Shares) Mine(hotfolder string, key asset.Key) bool {
	g := s.table.Load().grip(hotfolder, key)
	return g != nil && g.open() && !g.ended()
}
