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
	"hotfolderd/storage/storagetest"
)

// deepName is longer than a path in the catalog may be.
var deepName = asset.Key(strings.Repeat(strings.Repeat("d", 99)+"/", 9) + "deep")

// oddNames are names that something in a tree of files or in our own layout could trip over.
func oddNames() []asset.Key {
	return []asset.Key{
		"a", "a/b", "7.json", "7.json/7.json", "a/1.json", "a/b/07.json", "%", "%25", "%7E", "%~", "a%~b/c", "1%2Ejson", "..a", "a..",
		".hidden", "ü/ß", "\xff\xfe", "two\nlines", "\u202egpj.exe", "a b", " ", "store.json", "CON", "a.error.json",
		asset.Key(strings.Repeat("n", 255)), asset.Key(strings.Repeat("%", 255)), asset.Key(strings.Repeat("%", 254) + "&"),
		deepName, deepName + "2",
		asset.Key(strings.Repeat("%", 255) + "/x"), asset.Key(strings.Repeat("9", 250) + ".json"),
		"a.1.json", "a.1.json/b", "a.1.json.1.json", "a.2.json", "a.07.json", ".1.json", ".1.json/x", "a.1%2Ejson", "a..json",
		"a.v", "a.v/2.json", "a.v/2.json.1.json", "a.v.v", ".v", ".v/2.json", "a%2Ev", "a.1.json.v/3.json", "a.v.1.json",
		asset.Key(strings.Repeat("v", 253) + ".v"), asset.Key(strings.Repeat("j", 241) + ".1.json"), asset.Key(strings.Repeat("k", 248)),
		asset.Key(strings.Repeat("k", 249)), asset.Key(strings.Repeat("k", 249) + "/k"),
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

// Whatever breaks a Remove off, the versions that are left are 1 to k, and a later import of the name brings none back.
func TestRemove_brokenOffAnywhereLeavesNoGap(t *testing.T) {
	t.Run("killed", func(t *testing.T) { removeBrokenOff(t, func(*storagetest.Mem) {}) })
	t.Run("power cut", func(t *testing.T) { removeBrokenOff(t, func(m *storagetest.Mem) { m.PowerCut() }) })
}

func removeBrokenOff(t *testing.T, end func(*storagetest.Mem)) {
	for at := 0; ; at++ {
		mem := storagetest.NewMem()
		f := storagetest.NewFault(mem)
		f.OnCrash = func(string, asset.Key) {}
		a := open(t, f)
		for _, body := range []string{"1", "2", "3"} {
			mustWalk(t, a, job{key: asset.Key(body), name: "a", body: body})
		}
		f.Inject(storagetest.Rule{After: at, Crash: true, Times: 1})
		err := a.Remove(t.Context(), "a")
		struck := f.Fired() > 0
		end(mem)
		f.Reset()
		a = open(t, f)
		left := strings.Fields(versions(t, a, "a"))
		if want := []string{"1:1", "2:2", "3:3"}[:len(left)]; !slices.Equal(want, left) {
			t.Errorf("broken off at operation %d: want %q, got %q", at, want, left)
		}
		_, out := mustWalk(t, a, job{key: "4", name: "a", body: "4"})
		n := len(left) + 1
		want := strings.Join(append(left, fmt.Sprintf("%d:4", n)), " ")
		if got := versions(t, a, "a"); want != got || out.Number != n {
			t.Errorf("broken off at operation %d, imported then: want %q, got %q with number %d", at, want, got, out.Number)
		}
		if !struck {
			if err != nil || len(left) > 0 {
				t.Errorf("want the name gone, got %q %v", left, err)
			}
			return
		}
	}
}

// The name goes just before its next version is entered: the import begins at version 1 and leaves nothing beside.
func TestRemove_besideAnImportLeavesNoEntryUnseen(t *testing.T) {
	for body, moment := range map[string]string{"2": "a copy", "1": "a mark"} {
		s := folder(t)
		h := &storeHook{Store: s, before: func(asset.Key) {}}
		a := open(t, h)
		mustWalk(t, a, job{key: "1", name: "a", body: "1"})
		h.before = func(k asset.Key) {
			if k == "workarea/catalog/a.v/2.json" {
				h.before = func(asset.Key) {}
				if err := open(t, s).Remove(t.Context(), "a"); err != nil {
					t.Error(err)
				}
			}
		}
		if _, out := mustWalk(t, a, job{key: "2", name: "a", body: body}); out.Number != 1 {
			t.Errorf("%s: want version 1, got %+v", moment, out)
		}
		if want, got := []string{"workarea/catalog/a.1.json"}, tree(t, s, "workarea/catalog"); !slices.Equal(want, got) {
			t.Errorf("%s: want %q, got %q", moment, want, got)
		}
	}
}

// The other way around: an import enters the next version when the Remove has listed the name already.
func TestRemove_takesWhatIsEnteredMeanwhile(t *testing.T) {
	s := folder(t)
	h := &storeHook{Store: s, before: func(asset.Key) {}}
	a := open(t, h)
	mustWalk(t, a, job{key: "1", name: "a", body: "1"})
	h.before = func(k asset.Key) {
		if k == "workarea/catalog/a.1.json" {
			h.before = func(asset.Key) {}
			mustWalk(t, open(t, s), job{key: "2", name: "a", body: "2"})
		}
	}
	if err := a.Remove(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if got := tree(t, s, "workarea/catalog"); len(got) != 0 {
		t.Errorf("want an empty catalog, got %q", got)
	}
}

// An entry whose version 1 somebody deleted is not the name's, and does not keep the name from being imported.
func TestNames_withoutVersion1IsFree(t *testing.T) {
	s := folder(t)
	a := open(t, s)
	mustWalk(t, a, job{key: "1", name: "a", body: "1"})
	mustWalk(t, a, job{key: "2", name: "a", body: "2"})
	if err := s.Remove(t.Context(), "workarea/catalog/a.1.json", ""); err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.Current(t.Context(), "a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("want fs.ErrNotExist, got %v", err)
	}
	if got := allNames(t, a, ""); len(got) != 0 {
		t.Errorf("want no name, got %q", got)
	}
	if n, err := a.Rebuild(t.Context()); err != nil || n != 1 || versions(t, a, "a") != "1:1 2:2" {
		t.Errorf("want version 1 rebuilt, got %d %q %v", n, versions(t, a, "a"), err)
	}
}

// A new name costs one look for it, one for the record, and one link.
func TestApply_newNameIsNotListed(t *testing.T) {
	f := storagetest.NewFault(folder(t))
	a := open(t, f)
	rec, _, err := commit(t.Context(), a, job{key: "d/a", body: "x"})
	if err != nil {
		t.Fatal(err)
	}
	f.Reset()
	if _, err := a.Apply(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	for op, want := range map[string]int{
		storagetest.OpStat: 2, storagetest.OpList: 0, storagetest.OpCopy: 1, storagetest.OpOpen: 0, storagetest.OpSync: 1,
	} {
		if got := f.Count(op); got != want {
			t.Errorf("want %d calls of %s, got %d", want, op, got)
		}
	}
}

// Where files cannot be linked, the record is put again without a look, and reads the same.
func TestApply_newNameIsOnePutWithoutLinks(t *testing.T) {
	f := storagetest.NewFault(unlinked{storagetest.NewMem()})
	a := open(t, f)
	rec, _, err := commit(t.Context(), a, job{key: "d/a", body: "x"})
	if err != nil {
		t.Fatal(err)
	}
	f.Reset()
	if _, err := a.Apply(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	for op, want := range map[string]int{storagetest.OpPut: 1, storagetest.OpStat: 0, storagetest.OpCopy: 0, storagetest.OpOpen: 0} {
		if got := f.Count(op); got != want {
			t.Errorf("want %d calls of %s, got %d", want, op, got)
		}
	}
	if entry, record := storagetest.Content(t, f, a.entryKey("d/a", 1)), storagetest.Content(t, f, a.ledgerKey(rec.Drop)); entry != record {
		t.Errorf("want the record %q as the entry, got %q", record, entry)
	}
}

func TestCatalog_tornEntryIsAnError(t *testing.T) {
	s := folder(t)
	a := open(t, s)
	put(t, s, "workarea/catalog/a.1.json", "{\"drop\":")
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

func FuzzCatalogStem(f *testing.F) {
	names := oddNames()
	for i := range names {
		f.Add(string(names[i]), string(names[(i+1)%len(names)]))
	}
	f.Fuzz(func(t *testing.T, x, y string) {
		kx, err := asset.ParseKey(x)
		if err != nil {
			return
		}
		stem := catalogStem(kx)
		if len(stem) > maxPath {
			t.Fatalf("%q has the stem %q of %d bytes", x, stem, len(stem))
		}
		for part := range strings.SplitSeq(string(stem), "/") {
			if reserved(part) {
				t.Fatalf("%q has the stem %q, where %q looks like an entry or its folder", x, stem, part)
			}
		}
		for n := range 3 {
			file := entryPath(stem, n+1)
			if _, err := asset.ParseKey(string(file)); err != nil || !isEntry(file) {
				t.Fatalf("%q has the entry %q: %v", x, file, err)
			}
			if back, ok := firstStem(file); ok != (n == 0) || ok && back != stem {
				t.Fatalf("version %d of %q is read as a version 1 of %q (%v)", n+1, stem, back, ok)
			}
		}
		if back, ok := nameOf(stem); ok && back != kx {
			t.Fatalf("%q came back as %q", x, back)
		} else if !ok && !strings.Contains(string(stem), hashMark) {
			t.Fatalf("%q: the stem %q does not tell the name", x, stem)
		}
		if ky, err := asset.ParseKey(y); err == nil && kx != ky {
			mustNotMeet(t, stem, catalogStem(ky))
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

// mustNotMeet checks that the entries of two names can be in one tree of files: none is another, or a folder of another.
func mustNotMeet(t *testing.T, x, y asset.Key) {
	t.Helper()
	for _, nx := range []int{1, 2} {
		for _, ny := range []int{1, 2} {
			ex, ey := entryPath(x, nx), entryPath(y, ny)
			_, under := ex.Below(ey)
			_, over := ey.Below(ex)
			if ex == ey || under || over || nx == 2 && ny == 2 && ex.Dir() == ey.Dir() {
				t.Fatalf("the stems %q and %q meet in %q and %q", x, y, ex, ey)
			}
		}
	}
}
