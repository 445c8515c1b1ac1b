package hotfolder

import (
	"time"

	"hotfolderd/asset"
)

// maxKnown bounds how many drops are remembered as whole; one that is forgotten has to settle like any other.
const maxKnown = 10_000

// known is a drop of which its door has said that it is whole.
type known struct {
	version asset.Version
	door    asset.Door
}

// Known says that a drop is whole: the door that it came by has made sure. It is looked at at once, and needs no settling as long
// as it stays that version. Which hotfolder it is of need not exist; a drop of another node is left to that.
func (r *Room) Known(hotfolder string, key asset.Key, v asset.Version, door asset.Door) {
	f := r.expect(hotfolder, key, v, door)
	if f != nil && f.filter.Ignored(key) == "" {
		f.offer(key, time.Now(), true)
	}
}

// Expect is Known before the drop has its name, so that whoever sees it first knows it already; Known must follow. The door must
// know what version the name will show.
func (r *Room) Expect(hotfolder string, key asset.Key, v asset.Version, door asset.Door) {
	r.expect(hotfolder, key, v, door)
}

func (r *Room) expect(hotfolder string, key asset.Key, v asset.Version, door asset.Door) (f *folder) {
	_ = r.each(hotfolder, func(of *folder) {
		f = of
		if len(f.known) >= maxKnown {
			clear(f.known)
		}
		f.known[key] = known{v, door}
	})
	return f
}

// knows is what a door said of this version of a key.
func (f *folder) knows(key asset.Key, v asset.Version) (asset.Door, bool) {
	f.r.mu.Lock()
	defer f.r.mu.Unlock()
	k, ok := f.known[key]
	return k.door, ok && k.version == v
}
