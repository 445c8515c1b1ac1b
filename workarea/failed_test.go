package workarea

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
	"hotfolderd/storage/posix"
	"hotfolderd/storage/storagetest"
)

func failure(key asset.Key) asset.Failure {
	return asset.Failure{Hotfolder: "inbox", Key: key, Step: "stage", Attempts: 3, Reason: "It is broken.", Hint: "Repair it."}
}

func failures(t *testing.T, a *Area) []asset.Failure {
	t.Helper()
	var all []asset.Failure
	for f, err := range a.Failures(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, f)
	}
	slices.SortFunc(all, func(x, y asset.Failure) int { return strings.Compare(string(x.Stored), string(y.Stored)) })
	return all
}

// Every odd name goes to failed and comes back, within one store and between two.
func TestFailRetry_oddNamesComeBack(t *testing.T) {
	for _, same := range []bool{true, false} {
		t.Run(fmt.Sprint("same store ", same), func(t *testing.T) {
			s := folder(t)
			a, hot := open(t, s), storage.Store(s)
			if !same {
				hot = folder(t)
			}
			for i, key := range append(oddNames(), "a.error.json", "b.error.json.drop") {
				src := asset.Key(fmt.Sprintf("in%d", i)).Join(key)
				obj := put(t, hot, src, "body "+string(key))
				f, err := a.Fail(t.Context(), hot, obj, failure(key))
				if err != nil {
					t.Errorf("%s: %v", key.Quoted(), err)
					continue
				}
				if _, err := hot.Stat(t.Context(), src); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("%s: want the drop gone, got %v", key.Quoted(), err)
				}
				got, err := a.Failure(t.Context(), f.ID)
				if err != nil || got.Key != key || got.Reason != "It is broken." || got.Node != "node-a" || got.Stored != f.Stored {
					t.Errorf("%s: want the failure back, got %+v %v", key.Quoted(), got, err)
				}
				back, err := a.Retry(t.Context(), f.ID, hot, src)
				if err != nil || back != src {
					t.Errorf("%s: want it back at its place, got %s %v", key.Quoted(), back.Quoted(), err)
					continue
				}
				if want, got := "body "+string(key), storagetest.Content(t, hot, src); want != got {
					t.Errorf("%s: want %q, got %q", key.Quoted(), want, got)
				}
			}
			if left := tree(t, s, "workarea/failed"); len(left) != 0 {
				t.Errorf("want failed to be empty, got %q", left)
			}
		})
	}
}

func TestFail_takenPlacesAndFoldersInTheWay(t *testing.T) {
	s := folder(t)
	a := open(t, s)
	for i, key := range []asset.Key{"a.jpg", "a.jpg", "a.jpg", "a.jpg/b", "a.jpg.error.json", "a.jpg.error.json", "c/d", "c"} {
		if _, err := a.Fail(t.Context(), s, put(t, s, "drop", fmt.Sprint(i)), failure(key)); err != nil {
			t.Errorf("%s: %v", key.Quoted(), err)
		}
	}
	all := failures(t, a)
	if len(all) != 8 || len(tree(t, s, "workarea/failed")) != 16 {
		t.Fatalf("want 8 failures in pairs, got %q", tree(t, s, "workarea/failed"))
	}
	var bodies, ids []string
	for _, f := range all {
		bodies, ids = append(bodies, storagetest.Content(t, s, a.prefix.Join(f.Stored))), append(ids, f.ID)
		if f.Reason != "It is broken." {
			t.Errorf("want the reason kept, got %+v", f)
		}
	}
	slices.Sort(bodies)
	slices.Sort(ids)
	if want := []string{"0", "1", "2", "3", "4", "5", "6", "7"}; !slices.Equal(want, bodies) || len(slices.Compact(ids)) != 8 {
		t.Errorf("want each drop once with an id of its own, got %q %q", bodies, ids)
	}
	if !slices.ContainsFunc(all, func(f asset.Failure) bool { return f.Stored == "failed/inbox/a (2).jpg" }) {
		t.Errorf("want the second one beside the first, got %+v", all)
	}
}

func TestFail_changedDropStays(t *testing.T) {
	for _, same := range []bool{true, false} {
		s := folder(t)
		a, hot := open(t, s), storage.Store(s)
		if !same {
			hot = folder(t)
		}
		old := put(t, hot, "in/a", "old")
		put(t, hot, "in/a", "newer")
		if _, err := a.Fail(t.Context(), hot, old, failure("a")); !errors.Is(err, storage.ErrChanged) {
			t.Errorf("want ErrChanged, got %v", err)
		}
		if _, err := a.Archive(t.Context(), hot, old, "inbox", "a"); !errors.Is(err, storage.ErrChanged) {
			t.Errorf("want ErrChanged, got %v", err)
		}
		if want, got := "newer", storagetest.Content(t, hot, "in/a"); want != got {
			t.Errorf("want %q, got %q", want, got)
		}
		if left := append(tree(t, s, "workarea/failed"), tree(t, s, "workarea/archive")...); len(left) != 0 {
			t.Errorf("want nothing moved, got %q", left)
		}
	}
}

// An operation of Fail or Retry fails: the drop is in one place or the other, never lost, and trying again helps.
func TestFailRetry_everyFaultLeavesTheDropSomewhere(t *testing.T) {
	for _, stores := range []string{"one", "the area's fails", "the hotfolder's fails"} {
		for _, when := range []storagetest.When{storagetest.Before, storagetest.After} {
			for at := 0; ; at++ {
				area := storagetest.NewFault(storagetest.NewMem())
				a := open(t, area)
				f, hot := area, storage.Store(area)
				switch stores {
				case "the area's fails":
					hot = storagetest.NewMem()
				case "the hotfolder's fails":
					f = storagetest.NewFault(storagetest.NewMem())
					hot = f
				}
				obj := put(t, hot, "in/a", "the drop")
				f.Inject(storagetest.Rule{When: when, After: at, Times: 1, Err: errors.New("broken")})
				_, _ = a.Fail(t.Context(), hot, obj, failure("a"))
				for _, fl := range failuresOrErr(t, a) {
					_, _ = a.Retry(t.Context(), fl.ID, hot, "in/a")
				}
				struck := f.Fired() > 0
				f.Clear()
				if obj, err := hot.Stat(t.Context(), "in/a"); err == nil {
					if _, err := a.Fail(t.Context(), hot, obj, failure("a")); err != nil {
						t.Fatalf("%s: fault at %d: %v", stores, at, err)
					}
				}
				all := failures(t, a)
				if len(all) == 0 {
					t.Fatalf("%s: fault at %d, %v: the drop is lost: %q", stores, at, when, tree(t, area, asset.Root))
				}
				if got := storagetest.Content(t, area, a.prefix.Join(all[0].Stored)); got != "the drop" {
					t.Fatalf("fault at %d: want the drop whole, got %q", at, got)
				}
				if !struck {
					break
				}
			}
		}
	}
}

func failuresOrErr(t *testing.T, a *Area) []asset.Failure {
	t.Helper()
	var all []asset.Failure
	for f, err := range a.Failures(t.Context()) {
		if err == nil {
			all = append(all, f)
		}
	}
	return all
}

func TestFailures_whatACrashOrAPersonLeft(t *testing.T) {
	s := folder(t)
	late := time.Now()
	a, err := Open(t.Context(), s, Options{Now: func() time.Time { return late }})
	if err != nil {
		t.Fatal(err)
	}
	f, err := a.Fail(t.Context(), s, put(t, s, "x", "x"), failure("lone"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Remove(t.Context(), a.prefix.Join(f.Stored), ""); err != nil {
		t.Fatal(err)
	}
	put(t, s, "workarea/failed/inbox/sub/by hand.jpg", "1234")
	put(t, s, "workarea/failed/inbox/torn", "12")
	put(t, s, "workarea/failed/inbox/torn.error.json", "{")
	put(t, s, "workarea/failed/inbox/notes.error.json", "not ours")
	all := failures(t, a)
	if len(all) != 2 || all[0].Key != "sub/by hand.jpg" || all[0].Hotfolder != "inbox" || all[0].Size != 4 || all[1].Key != "torn" {
		t.Fatalf("want two failures without a reason, got %+v", all)
	}
	for _, f := range all {
		if f.Reason == "" || f.ID == "" {
			t.Errorf("want words and an id, got %+v", f)
		}
	}
	if got, err := a.Failure(t.Context(), all[0].ID); err != nil || got.Key != all[0].Key {
		t.Errorf("want the id to be stable, got %+v %v", got, err)
	}
	late = late.Add(2 * loneSidecar)
	failures(t, a)
	want := []string{"notes.error.json", "sub/by hand.jpg", "torn", "torn.error.json"}
	var got []string
	for _, k := range tree(t, s, "workarea/failed/inbox") {
		got = append(got, strings.TrimPrefix(k, "workarea/failed/inbox/"))
	}
	if !slices.Equal(want, got) {
		t.Errorf("want only our lone sidecar removed, got %q", got)
	}
	if back, err := a.Retry(t.Context(), all[1].ID, s, "in/torn"); err != nil || storagetest.Content(t, s, back) != "12" {
		t.Errorf("want it back, got %s %v", back.Quoted(), err)
	}
}

func TestRetry_besideSomethingNewAndAsANewDrop(t *testing.T) {
	s := folder(t)
	a := open(t, s)
	obj := put(t, s, "in/a.jpg", "old")
	f, err := a.Fail(t.Context(), s, obj, failure("a.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, "in/a.jpg", "new")
	back, err := a.Retry(t.Context(), f.ID, s, "in/a.jpg")
	if err != nil || back != "in/a (2).jpg" {
		t.Fatalf("want it beside the new one, got %s %v", back.Quoted(), err)
	}
	now, err := s.Stat(t.Context(), back)
	if err != nil || now.Version == obj.Version || now.Kind != storage.Regular {
		t.Errorf("want a drop of a new version, got %+v %v", now, err)
	}
	if storagetest.Content(t, s, "in/a.jpg") != "new" || storagetest.Content(t, s, back) != "old" {
		t.Error("want both bytes kept")
	}
	if _, err := a.Retry(t.Context(), f.ID, s, "in/a.jpg"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("want fs.ErrNotExist, got %v", err)
	}
}

func TestFail_nameThatIsNoKeyIsRefused(t *testing.T) {
	s := folder(t)
	a := open(t, s)
	obj := put(t, s, "in/a", "x")
	for _, f := range []asset.Failure{{Hotfolder: "..", Key: "a"}, {Hotfolder: "a/b", Key: "a"}, {Hotfolder: "in", Key: "../../x"}, {Hotfolder: "in"}} {
		if _, err := a.Fail(t.Context(), s, obj, f); !errors.Is(err, asset.ErrKey) {
			t.Errorf("%+v: want ErrKey, got %v", f, err)
		}
	}
}

func TestArchive_byDayAndBesideWhatIsThere(t *testing.T) {
	s := folder(t)
	day := time.Date(2026, 2, 3, 23, 0, 0, 0, time.FixedZone("", -3600))
	a, err := Open(t.Context(), s, Options{Now: func() time.Time { return day }})
	if err != nil {
		t.Fatal(err)
	}
	other, err := posix.Open(t.Context(), filepath.Join(t.TempDir(), "x"), posix.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	for _, c := range []struct {
		src  storage.Store
		key  asset.Key
		want asset.Key
	}{
		{s, "d/a.jpg", "workarea/archive/inbox/2026-02-04/d/a.jpg"},
		{s, "d/a.jpg", "workarea/archive/inbox/2026-02-04/d/a (2).jpg"},
		{other, "d/a.jpg", "workarea/archive/inbox/2026-02-04/d/a (3).jpg"},
		{s, "d", "workarea/archive/inbox/2026-02-04/d (2)"},
		{s, "d/a.jpg/b", "workarea/archive/inbox/2026-02-04/" + asset.Key(hashOf("d/a.jpg/b")[:16]) + "-b"},
	} {
		obj := put(t, c.src, "in", string(c.want))
		got, err := a.Archive(t.Context(), c.src, obj, "inbox", c.key)
		if err != nil || got != c.want {
			t.Errorf("want %s, got %s %v", c.want, got, err)
			continue
		}
		if storagetest.Content(t, s, got) != string(c.want) {
			t.Errorf("%s holds other bytes", got)
		}
		if _, err := c.src.Stat(t.Context(), "in"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("want the drop moved, got %v", err)
		}
	}
}

func FuzzFailure(f *testing.F) {
	f.Add([]byte(`{"id":"x","key":"a","stored":"failed/inbox/a","time":"2026-01-02T03:04:05Z"}`))
	f.Add([]byte(`{"key":"../x"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := decodeFailure(data)
		if err != nil {
			return
		}
		for _, k := range []asset.Key{got.Key, got.Stored} {
			if _, err := asset.ParseKey(string(k)); err != nil {
				t.Fatalf("a failure was accepted whose key leaves the tree: %v", err)
			}
		}
	})
}
