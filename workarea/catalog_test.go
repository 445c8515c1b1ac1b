package workarea

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"hotfolderd/asset"
)

// deepName is longer than a catalog folder may be.
var deepName = asset.Key(strings.Repeat(strings.Repeat("d", 99)+"/", 9) + "deep")

// oddNames are names that something in a tree of files or in our own layout could trip over.
func oddNames() []asset.Key {
	return []asset.Key{
		"a", "a/b", "7.json", "7.json/7.json", "a/1.json", "a/b/07.json", "%", "%25", "%7E", "%~", "a%~b/c", "1%2Ejson", "..a", "a..",
		".hidden", "ü/ß", "\xff\xfe", "two\nlines", "\u202egpj.exe", "a b", " ", "store.json", "CON", "a.error.json",
		asset.Key(strings.Repeat("n", 255)), asset.Key(strings.Repeat("%", 255)), asset.Key(strings.Repeat("%", 254) + "&"),
		deepName, deepName + "2",
		asset.Key(strings.Repeat("%", 255) + "/x"), asset.Key(strings.Repeat("9", 250) + ".json"),
	}
}

func TestNames_oddOnesComeBackAsTheyWere(t *testing.T) {
	a := open(t, folder(t))
	want := oddNames()
	for i, name := range want {
		mustWalk(t, a, job{key: asset.Key(fmt.Sprint(i)), name: name, body: string(name)})
		mustWalk(t, a, job{key: asset.Key(fmt.Sprint(i, "b")), name: name, body: string(name) + "2"})
	}
	renamedName := asset.Key(strings.Repeat("%", 255))
	_, out := mustWalk(t, a, job{key: "renamed", name: renamedName, body: "third", conflict: asset.ConflictRename})
	want = append(want, out.Name)
	got := allNames(t, a, asset.Root)
	slices.Sort(want)
	if !slices.Equal(want, got) {
		t.Errorf("want %q\n got %q", want, got)
	}
	for i, name := range oddNames() {
		rec, n, err := a.Current(t.Context(), name)
		if err != nil || n != 2 || rec.Name != name || rec.Key != asset.Key(fmt.Sprint(i, "b")) {
			t.Errorf("%s: want version 2 of its own, got %d of %s %v", name.Quoted(), n, rec.Name.Quoted(), err)
		}
	}
}

func allNames(t *testing.T, a *Area, prefix asset.Key) []asset.Key {
	t.Helper()
	var got []asset.Key
	for name, err := range a.Names(t.Context(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, name)
	}
	slices.Sort(got)
	return got
}

func TestNames_belowAPrefixOnly(t *testing.T) {
	a := open(t, folder(t))
	long := deepName
	for _, n := range []asset.Key{"a", "a/b", "a/b/c", "ab", "a%/x", long} {
		mustWalk(t, a, job{key: n, name: n, body: string(n)})
	}
	for prefix, want := range map[asset.Key][]asset.Key{
		"a": {"a/b", "a/b/c"}, "a/b": {"a/b/c"}, "a%": {"a%/x"}, "none": nil, deepName[:199]: {long},
	} {
		if got := allNames(t, a, prefix); !slices.Equal(want, got) {
			t.Errorf("below %q: want %q, got %q", prefix, want, got)
		}
	}
	for range a.Names(t.Context(), "") {
		break // a caller that has enough ends the walk
	}
}

func TestRemove_takesTheNameWithAllVersions(t *testing.T) {
	s := folder(t)
	a := open(t, s)
	rec, _ := mustWalk(t, a, job{key: "1", name: "a", body: "1", library: true})
	mustWalk(t, a, job{key: "2", name: "a", body: "2", library: true})
	mustWalk(t, a, job{key: "3", name: "a/b", body: "3"})
	if err := a.Remove(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.Current(t.Context(), "a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("want fs.ErrNotExist, got %v", err)
	}
	if want, got := []asset.Key{"a/b"}, allNames(t, a, ""); !slices.Equal(want, got) {
		t.Errorf("want %q, got %q", want, got)
	}
	if got := tree(t, s, "workarea/library"); len(got) != 0 {
		t.Errorf("want an empty library, got %q", got)
	}
	if err := a.Remove(t.Context(), "a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("want fs.ErrNotExist, got %v", err)
	}
	if got := body(t, a, rec.Content.Hash); got != "1" {
		t.Errorf("want the bytes to stay, got %q", got)
	}
	if _, out := mustWalk(t, a, job{key: "4", name: "a", body: "4", conflict: asset.ConflictSkip}); out.Number != 1 {
		t.Errorf("want a free name, got %+v", out)
	}
}

func TestCatalog_tornEntryIsAnError(t *testing.T) {
	s := folder(t)
	a := open(t, s)
	put(t, s, "workarea/catalog/a/1.json", "{\"drop\":")
	if _, _, err := a.Current(t.Context(), "a"); !errors.Is(err, errTorn) {
		t.Errorf("want a torn entry to be named, got %v", err)
	}
	if _, _, err := walk(t.Context(), a, job{key: "a", body: "x"}); !errors.Is(err, errTorn) {
		t.Errorf("want a torn entry to be named, got %v", err)
	}
}

func TestRebuild_bringsTheSameCatalog(t *testing.T) {
	s := folder(t)
	a := open(t, s)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 120 {
		mustWalk(t, a, job{
			key: asset.Key(fmt.Sprint(i)), name: asset.Key(fmt.Sprintf("n%d.x", r.IntN(6))),
			conflict: policies[r.IntN(len(policies))], body: fmt.Sprint(r.IntN(9)),
		})
	}
	show := func() string {
		var b strings.Builder
		for _, n := range allNames(t, a, "") {
			fmt.Fprintf(&b, "%s: %s\n", n, versions(t, a, n))
		}
		return b.String()
	}
	want := show()
	if n, err := a.Rebuild(t.Context()); err != nil || show() != want {
		t.Errorf("rebuilt beside what is there (%d, %v): want\n%s got\n%s", n, err, want, show())
	}
	entries := tree(t, s, "workarea/catalog")
	for _, key := range entries {
		if err := s.Remove(t.Context(), asset.Key(key), ""); err != nil {
			t.Fatal(err)
		}
	}
	n, err := a.Rebuild(t.Context())
	if err != nil || n == 0 || n > len(entries) || show() != want {
		t.Errorf("rebuilt from nothing (%d of %d, %v): want\n%s got\n%s", n, len(entries), err, want, show())
	}
	// A drop that was rejected for its bytes is marked when the name has come to have the same bytes; then nothing is left.
	for range 2 {
		n, err = a.Rebuild(t.Context())
	}
	if err != nil || n != 0 || show() != want {
		t.Errorf("want nothing left to do, got %d, %v", n, err)
	}
}

func TestRenamed_goesBeforeTheExtension(t *testing.T) {
	for in, want := range map[asset.Key]asset.Key{
		"d/a.tar.gz": "d/a.tar (3).gz", "a": "a (3)", ".bashrc": ".bashrc (3)", "a.": "a (3).", "d.x/a": "d.x/a (3)",
		asset.Key(strings.Repeat("ü", 125) + ".jpeg"): asset.Key(strings.Repeat("ü", 123) + " (3).jpeg"),
	} {
		if got := renamed(in, 3); got != want {
			t.Errorf("%s: want %s, got %s", in.Quoted(), want.Quoted(), got.Quoted())
		}
	}
}

func FuzzCatalogFolder(f *testing.F) {
	names := oddNames()
	for i := range names {
		f.Add(string(names[i]), string(names[(i+1)%len(names)]))
	}
	f.Fuzz(func(t *testing.T, x, y string) {
		kx, err := asset.ParseKey(x)
		if err != nil {
			return
		}
		folder := catalogFolder(kx)
		if _, err := asset.ParseKey(string(folder)); err != nil || len(folder) > maxFolder {
			t.Fatalf("%q has the folder %q: %v", x, folder, err)
		}
		for part := range strings.SplitSeq(string(folder), "/") {
			if digitsJSON(part) {
				t.Fatalf("%q has the folder %q, where %q looks like an entry", x, folder, part)
			}
		}
		if back, ok := nameOf(folder); ok && back != kx {
			t.Fatalf("%q came back as %q", x, back)
		} else if !ok && !strings.Contains(string(folder), hashMark) {
			t.Fatalf("%q: the folder %q does not tell the name", x, folder)
		}
		ky, err := asset.ParseKey(y)
		if err == nil && kx != ky && catalogFolder(ky) == folder {
			t.Fatalf("%q and %q have the same folder %q", x, y, folder)
		}
		for _, k := range []int{2, 10, 9999} {
			if r := renamed(kx, k); len(r) <= asset.MaxKey {
				if _, err := asset.ParseKey(string(r)); err != nil || r == kx {
					t.Fatalf("%q renamed is %q: %v", x, r, err)
				}
			}
		}
	})
}
