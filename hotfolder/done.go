package hotfolder

import (
	"hash/maphash"

	"hotfolderd/asset"
)

// doneLimit is how many finished files that stay in a hotfolder (after: keep, refused kinds) are remembered. The rest is looked
// up in the ledger at every scan: slower, never wrong.
const doneLimit = 2_000_000

// done remembers files that need no work although they are still there, by a 64-bit fingerprint of key and version. Of a million
// such files one new version is taken for a finished one with a chance of 1 to 18 million million, and not after the next start,
// which draws another seed. Two generations bound its memory: what a scan sees again moves to the young one.
type done struct {
	seed       maphash.Seed
	young, old map[uint64]struct{}
}

func newDone() *done { return &done{seed: maphash.MakeSeed(), young: map[uint64]struct{}{}} }

func (d *done) print(key asset.Key, v asset.Version) uint64 {
	var h maphash.Hash
	h.SetSeed(d.seed)
	h.WriteString(string(key))
	h.WriteByte(0)
	h.WriteString(string(v))
	return h.Sum64()
}

func (d *done) add(key asset.Key, v asset.Version) { d.put(d.print(key, v)) }

func (d *done) put(p uint64) {
	if len(d.young) >= doneLimit/2 {
		d.old, d.young = d.young, map[uint64]struct{}{}
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
