package asset_test

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"hotfolderd/asset"
)

func TestDropID_dependsOnEachPartOfTheIdentity(t *testing.T) {
	base := asset.Drop{Hotfolder: "inbox", Key: "a/b.jpg", Version: "v1"}
	seen := map[asset.DropID]string{}
	for name, d := range map[string]asset.Drop{
		"the drop":          base,
		"another hotfolder": {Hotfolder: "outbox", Key: base.Key, Version: base.Version},
		"another key":       {Hotfolder: base.Hotfolder, Key: "a/c.jpg", Version: base.Version},
		"another version":   {Hotfolder: base.Hotfolder, Key: base.Key, Version: "v2"},
		"no version":        {Hotfolder: base.Hotfolder, Key: base.Key},
		"another case":      {Hotfolder: base.Hotfolder, Key: "A/b.jpg", Version: base.Version},
	} {
		id := d.ID()
		if other, ok := seen[id]; ok {
			t.Errorf("want two ids, got one for %s and %s", name, other)
		}
		seen[id] = name
		if parsed, err := asset.ParseDropID(string(id)); err != nil || parsed != id {
			t.Errorf("%s: want an id that can be read, got %q, %v", name, id, err)
		}
	}
}

func TestDropID_dependsOnNothingElse(t *testing.T) {
	a := asset.Drop{Hotfolder: "inbox", Key: "k", Version: "v"}
	b := a
	b.Size, b.Door, b.Arrived = 99, asset.DoorFTP, b.Arrived.AddDate(1, 0, 0)
	if a.ID() != b.ID() {
		t.Errorf("want one id however the drop came, got %s and %s", a.ID(), b.ID())
	}
}

// A change of these digits would make every ledger record of a running store unknown.
func TestDropID_isTheSameForEver(t *testing.T) {
	const want = "e0bcd5d62b1b47d9606900c5a917a40d807c36ee311b826ec7260473add7d154"
	if got := (asset.Drop{Hotfolder: "inbox", Key: "a/b.jpg", Version: "v1"}).ID(); string(got) != want {
		t.Errorf("want %s, got %s", want, got)
	}
}

func TestDropID_partsDoNotRunIntoEachOther(t *testing.T) {
	seen := map[asset.DropID]string{}
	parts := []string{"", "a", "aa", "a/a", "a\x00", "\x00a", "\x00\x00\x00\x00\x00\x00\x00\x01", "aaa"}
	for _, h := range parts {
		for _, k := range parts {
			for _, v := range parts {
				id := asset.Drop{Hotfolder: h, Key: asset.Key(k), Version: asset.Version(v)}.ID()
				what := fmt.Sprintf("%q %q %q", h, k, v)
				if other, ok := seen[id]; ok {
					t.Fatalf("want two ids, got one for %s and %s", other, what)
				}
				seen[id] = what
			}
		}
	}
}

func TestAgain_dependsOnTheDropAndTheBytes(t *testing.T) {
	one, two := asset.Drop{Key: "1"}.ID(), asset.Drop{Key: "2"}.ID()
	h, g := asset.Hash(sha256.Sum256([]byte("h"))), asset.Hash(sha256.Sum256([]byte("g")))
	ids := map[asset.DropID]bool{one: true, two: true, one.Again(h): true, one.Again(g): true, two.Again(h): true, one.Again(h).Again(h): true}
	if len(ids) != 6 {
		t.Errorf("want 6 different ids, got %d", len(ids))
	}
	if want, got := one.Again(h), (asset.Drop{Key: "1"}).ID().Again(h); want != got {
		t.Error("want the same id for the same bytes, got two")
	}
}

func TestParseDropID_takesItsOwnDigitsOnly(t *testing.T) {
	digits := strings.Repeat("0123456789abcdef", 4)
	if id, err := asset.ParseDropID(digits); err != nil || string(id) != digits {
		t.Errorf("want %s, got %s, %v", digits, id, err)
	}
	for _, s := range []string{
		"", digits[1:], digits + "0", strings.ToUpper(digits), digits[:63] + "g", digits[:63] + "/", "../" + digits[3:], digits[:63] + "\n",
	} {
		if id, err := asset.ParseDropID(s); err == nil || id != "" {
			t.Errorf("%q: want it refused, got %q", s, id)
		}
	}
}

func TestShard_isOneLevelByTheFirstTwoDigits(t *testing.T) {
	digits := strings.Repeat("0123456789abcdef", 4)
	h, err := asset.ParseHash(digits)
	if err != nil {
		t.Fatal(err)
	}
	want := asset.Key("01/" + digits)
	if h.Shard() != want || asset.DropID(digits).Shard() != want {
		t.Errorf("want %s, got %s and %s", want, h.Shard(), asset.DropID(digits).Shard())
	}
}

func TestPartition_staysInRange(t *testing.T) {
	for _, n := range []int{1, 2, 3, 7, 64, 255, 256, 1000} {
		for i := range 2000 {
			if p := asset.Partition("in", asset.Key(fmt.Sprint("f", i)), n); p < 0 || p >= n {
				t.Fatalf("of %d: want 0 to %d, got %d", n, n-1, p)
			}
		}
	}
}

// The names are as alike as those of a camera: only the last digits differ.
func TestPartition_spreadsNamesThatAreAlike(t *testing.T) {
	const n = 256
	for _, c := range []struct {
		keys int
		most float64 // of the even share; chance alone gives 5 % at 100,000 keys (one sigma) and 1.6 % at a million
	}{{100_000, 0.25}, {1_000_000, 0.10}} {
		counts := make([]float64, n)
		for i := range c.keys {
			counts[asset.Partition("inbox", asset.Key(fmt.Sprintf("dcim/IMG_%07d.JPG", i)), n)]++
		}
		even, chi := float64(c.keys)/n, 0.0
		for p, got := range counts {
			if off := got/even - 1; off > c.most || off < -c.most {
				t.Errorf("partition %d of %d keys: want within %.0f %% of %.0f, got %.0f", p, c.keys, 100*c.most, even, got)
			}
			chi += (got - even) * (got - even) / even
		}
		if chi > 380 { // 255 by chance, 380 about once in a million
			t.Errorf("%d keys: want chi square about 255, got %.0f", c.keys, chi)
		}
	}
}

func TestPartition_dependsOnHotfolderAndKeyOnly(t *testing.T) {
	folders := map[int]bool{}
	for i := range 64 {
		folders[asset.Partition(fmt.Sprint("hotfolder", i), "same.jpg", 256)] = true
	}
	if len(folders) < 40 {
		t.Errorf("want one name of 64 hotfolders spread, got %d partitions", len(folders))
	}
	apart := 0
	for i := range 256 {
		a, b := fmt.Sprint("a", i), asset.Key(fmt.Sprint("b", i))
		if asset.Partition(a, b, 256) != asset.Partition(a+"b", b[1:], 256) {
			apart++
		}
	}
	if apart < 240 {
		t.Errorf("want hotfolder and key kept apart, got only %d of 256 different", apart)
	}
}
