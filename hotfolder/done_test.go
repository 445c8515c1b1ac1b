package hotfolder

import (
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

// filled puts n fingerprints beside each other, as n files would.
func filled(d *done, from, n uint64) {
	for i := range n {
		d.put([2]uint64{from + i, 1})
	}
}

func TestDone_forgetsTheOldGenerationWhatNobodySees(t *testing.T) {
	d := newDone()
	d.add("seen", "1")
	d.add("unseen", "1")
	filled(d, 0, doneLimit/2)
	if !d.has("seen", "1") {
		t.Fatal("want it known in the old generation, got not")
	}
	filled(d, doneLimit, doneLimit/2)
	if !d.has("seen", "1") || d.has("unseen", "1") {
		t.Errorf("want what was seen again known and the other forgotten, got %v and %v", d.has("seen", "1"), d.has("unseen", "1"))
	}
	if got := len(d.young) + len(d.old); got > doneLimit {
		t.Errorf("want at most %d remembered, got %d", doneLimit, got)
	}
}
