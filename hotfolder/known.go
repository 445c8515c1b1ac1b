package hotfolder

import (
	"time"

	"hotfolderd/asset"
)

// maxKnown bounds how many drops are remembered as whole; one that is forgotten has to settle like any other.
const maxKnown = 10_000

// known is a drop of which its door has said that it is whole.
type known struct {
	version asset.Version // empty: whatever is seen first since then; only where all objects are whole
	door    asset.Door
	since   time.Time
}

// Known says that a drop is whole: the door that it came by has made sure. It is looked at at once, and needs no settling as long
// as it stays that version. Which hotfolder it is of need not exist; a drop of another node is left to that.
func (r *Room) Known(hotfolder string, key asset.Key, v asset.Version, door asset.Door) {
	f := r.expect(hotfolder, key, v, door)
	if f != nil && f.filter.Ignored(key) == "" {
		f.offer(key, time.Now(), true)
	}
}

// Expect is Known before the drop has its name, so that whoever sees it first knows it already; Known must follow. A door that
// cannot tell what version the name will show says it with none: it is then expected only where all objects are whole. There the
// version counts for nothing, since a store may give it with the name.
func (r *Room) Expect(hotfolder string, key asset.Key, v asset.Version, door asset.Door) {
	_ = r.each(hotfolder, func(f *folder) {
		whole := f.store.Properties().WholeObjects
		switch k, expected := f.known[key]; {
		case whole && expected && k.version == "" && k.door == door: // since then
		case whole:
			f.expect(key, known{door: door, since: time.Now()})
		case v != "":
			f.expect(key, known{version: v, door: door})
		}
	})
}

func (r *Room) expect(hotfolder string, key asset.Key, v asset.Version, door asset.Door) (f *folder) {
	_ = r.each(hotfolder, func(of *folder) {
		f = of
		f.expect(key, known{version: v, door: door})
	})
	return f
}

func (f *folder) expect(key asset.Key, k known) {
	if len(f.known) >= maxKnown {
		clear(f.known)
	}
	f.known[key] = k
}

// knows is what a door said of this version of a candidate.
func (f *folder) knows(c *candidate, v asset.Version) (asset.Door, bool) {
	f.r.mu.Lock()
	defer f.r.mu.Unlock()
	k, ok := f.known[c.key]
	return k.door, ok && k.is(v, c.first)
}

// is reports whether it is about a version that was first seen then.
func (k known) is(v asset.Version, seen time.Time) bool {
	if k.version == "" {
		return !seen.Before(k.since)
	}
	return k.version == v
}
