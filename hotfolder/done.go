package hotfolder

import (
	"hash/maphash"

	"hotfolderd/asset"
)

// doneLimit is how many finished files that stay in a hotfolder (after: keep, refused kinds) are remembered. The rest is looked
// up in the ledger at every scan: slower, never wrong.
const doneLimit = 2_000_000

// done remembers files that need no work although they are still there, by a 128-bit fingerprint of key and version. Two
// generations bound its memory: what a scan sees again moves to the young one.
type done struct {
	a, b       maphash.Seed
	young, old map[[2]uint64]struct{}
}

func newDone() *done {
	return &done{a: maphash.MakeSeed(), b: maphash.MakeSeed(), young: map[[2]uint64]struct{}{}}
}

func (d *done) print(key asset.Key, v asset.Version) [2]uint64 {
	return [2]uint64{fingerprint(d.a, key, v), fingerprint(d.b, key, v)}
}

func fingerprint(seed maphash.Seed, key asset.Key, v asset.Version) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	h.WriteString(string(key))
	h.WriteByte(0)
	h.WriteString(string(v))
	return h.Sum64()
}

func (d *done) add(key asset.Key, v asset.Version) { d.put(d.print(key, v)) }

func (d *done) put(p [2]uint64) {
	if len(d.young) >= doneLimit/2 {
		d.old, d.young = d.young, map[[2]uint64]struct{}{}
	}
	d.young[p] = struct{}{}
}

func (d *done) has(key asset.Key, v asset.Version) bool {
	if len(d.young) == 0 && len(d.old) == 0 {
		return false
	}
	p := d.print(key, v)
	if _, ok := d.young[p]; ok {
		return true
	}
	_, ok := d.old[p]
	if ok {
		d.put(p)
	}
	return ok
}
