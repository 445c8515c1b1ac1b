package hotfolder

import (
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

const (
	// sliceSize is how much one poll looks at of a hotfolder whose listing is paid by the page: eight pages of a bucket.
	sliceSize = 8000
	// staleSize ends the look behind the newest object: a page without anything as new.
	staleSize = 1000
)

// cursors are where the polls of a store without folders go on, so that a poll costs the same however much lies there. Each goes a
// slice further through the whole, and looks at what comes after the newest object: where names grow in time, everything new is
// there. Only the scans of a folder use them, one after the other.
type cursors struct {
	pass    asset.Key // the whole was looked at up to here; Root: from the beginning
	ignored int       // in this pass
	refused int
	newest  mark // of all objects that were seen
	before  mark // newest, one poll ago: writers side by side bring names not quite in order
}

// mark is an object by which to find newer ones.
type mark struct {
	key     asset.Key
	changed time.Time
}

func (c *cursors) note(o storage.Object) {
	if o.Changed.After(c.newest.changed) || o.Changed.Equal(c.newest.changed) && o.Key > c.newest.key {
		c.newest = mark{o.Key, o.Changed}
	}
}

// poll looks at a slice of the whole and at what is newer than what was seen.
func (s *scan) poll() {
	c := &s.f.at
	behind := c.before
	c.before = c.newest
	if !s.slice() {
		s.newer(behind)
	}
}

// slice goes on through the whole. It reports whether it went all the way from the beginning to the end.
func (s *scan) slice() bool {
	c := &s.f.at
	from, seen := c.pass, 0
	ended := s.look(from, func(o storage.Object) bool {
		if seen++; o.Kind == storage.Regular {
			c.pass = o.Key
		}
		return seen >= sliceSize && o.Kind == storage.Regular
	})
	c.ignored, c.refused = c.ignored+s.ignored, c.refused+s.refused
	if !ended {
		return false
	}
	s.count(c.ignored, c.refused)
	c.pass, c.ignored, c.refused = asset.Root, 0, 0
	return from == asset.Root
}

// newer looks behind an object for what came after it, and stops where nothing has come for long.
func (s *scan) newer(than mark) {
	stale := 0
	s.look(than.key, func(o storage.Object) bool {
		if stale++; !o.Changed.Before(than.changed) {
			stale = 0
		}
		return stale >= staleSize
	})
}
