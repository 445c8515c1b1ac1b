package hotfolder

import (
	"maps"
	"strconv"
	"testing"

	"hotfolderd/asset"
)

func TestDone_knowsKeyAndVersion(t *testing.T) {
	d := newDone()
	if d.has("a", "1") {
		t.Error("want nothing known at first, got it")
	}
	d.add("a", "1")
	if !d.has("a", "1") {
		t.Error("want it known, got not")
	}
	for _, other := range []struct {
		key asset.Key
		v   asset.Version
	}{{"a", "2"}, {"b", "1"}, {"a1", ""}, {"", "a1"}, {"a", ""}, {"A", "1"}} {
		if d.has(other.key, other.v) {
			t.Errorf("%q %q: want it not known, got known", other.key, other.v)
		}
	}
}

func TestDone_takesNothingUnknownForKnown(t *testing.T) {
	d := newDone()
	for i := range 100_000 {
		d.add(asset.Key("in/IMG_"+strconv.Itoa(i)+".jpg"), "v1")
	}
	for i := range 1_000_000 {
		if d.has(asset.Key("in/IMG_"+strconv.Itoa(i)+".jpg"), "v2") {
			t.Fatalf("want %d not known by its new version, got known", i)
		}
	}
	for i := range 100_000 {
		if !d.has(asset.Key("in/IMG_"+strconv.Itoa(i)+".jpg"), "v1") {
			t.Fatalf("want %d known, got not", i)
		}
	}
}

// filled makes the young generation as full as it gets, as doneLimit/2 files would.
func filled(d *done) {
	young := make(map[uint64]struct{}, doneLimit/2+len(d.young))
	maps.Copy(young, d.young)
	for i := range uint64(doneLimit / 2) {
		young[i] = struct{}{}
	}
	d.young = young
}

func TestDone_forgetsWithTheOldGenerationWhatNobodySees(t *testing.T) {
	d := newDone()
	d.add("seen", "1")
	d.add("unseen", "1")
	filled(d)
	d.add("next", "1")
	if !d.has("seen", "1") || len(d.young) != 2 {
		t.Fatalf("want it known in the old generation and moved to the young one, got %d young", len(d.young))
	}
	filled(d)
	d.add("last", "1")
	if !d.has("seen", "1") || d.has("unseen", "1") {
		t.Errorf("want what was seen again known and the other forgotten, got %v and %v", d.has("seen", "1"), d.has("unseen", "1"))
	}
	if got, most := len(d.young)+len(d.old), doneLimit+doneLimit/100; got > most {
		t.Errorf("want at most %d remembered, got %d", most, got)
	}
}
