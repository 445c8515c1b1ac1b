package workarea

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
	"hotfolderd/storage/storagetest"
)

var policies = []asset.Conflict{
	asset.ConflictVersion, asset.ConflictReplace, asset.ConflictSkip, asset.ConflictRename, asset.ConflictReject,
}

// second is how a second drop with other bytes ends under each policy.
func TestApply_policyOfANameThatIsTaken(t *testing.T) {
	for _, c := range []struct {
		conflict asset.Conflict
		want     asset.Outcome
		catalog  string
	}{
		{asset.ConflictVersion, asset.Outcome{Name: "d/a.jpg", Number: 2}, "1:first 2:second"},
		{asset.ConflictReplace, asset.Outcome{Name: "d/a.jpg", Number: 2}, "2:second"},
		{asset.ConflictSkip, asset.Outcome{Name: "d/a.jpg", Skipped: true}, "1:first"},
		{asset.ConflictRename, asset.Outcome{Name: "d/a (2).jpg", Number: 1}, "1:first"},
		{asset.ConflictReject, asset.Outcome{Name: "d/a.jpg", Rejected: `The name "d/a.jpg" is taken by other bytes, and the rule rejects a drop then.`}, "1:first"},
	} {
		t.Run(string(c.conflict), func(t *testing.T) {
			a := open(t, folder(t))
			mustWalk(t, a, job{key: "1", name: "d/a.jpg", conflict: c.conflict, body: "first"})
			rec, out := mustWalk(t, a, job{key: "2", name: "d/a.jpg", conflict: c.conflict, body: "second"})
			if out != c.want {
				t.Errorf("want %+v, got %+v", c.want, out)
			}
			if again, err := a.Apply(t.Context(), rec); err != nil || again != c.want {
				t.Errorf("applied again: want %+v, got %+v %v", c.want, again, err)
			}
			if got := versions(t, a, "d/a.jpg"); got != c.catalog {
				t.Errorf("want %q, got %q", c.catalog, got)
			}
		})
	}
}

func TestApply_sameBytesMakeNoVersion(t *testing.T) {
	for _, c := range []struct {
		conflict asset.Conflict
		want     asset.Outcome
	}{
		{asset.ConflictVersion, asset.Outcome{Name: "a", Number: 1}},
		{asset.ConflictReplace, asset.Outcome{Name: "a", Number: 1}},
		{asset.ConflictSkip, asset.Outcome{Name: "a", Skipped: true}},
		{asset.ConflictRename, asset.Outcome{Name: "a", Number: 1}},
		{asset.ConflictReject, asset.Outcome{Name: "a", Number: 1}},
	} {
		t.Run(string(c.conflict), func(t *testing.T) {
			a := open(t, folder(t))
			mustWalk(t, a, job{key: "1", name: "a", body: "same"})
			for i := range 3 {
				rec, out := mustWalk(t, a, job{key: asset.Key(fmt.Sprint("again", i)), name: "a", conflict: c.conflict, body: "same"})
				if out != c.want {
					t.Errorf("want %+v, got %+v", c.want, out)
				}
				if again, err := a.Apply(t.Context(), rec); err != nil || again != c.want {
					t.Errorf("applied again: want %+v, got %+v %v", c.want, again, err)
				}
			}
			if want, got := "1:same", versions(t, a, "a"); want != got {
				t.Errorf("want %q, got %q", want, got)
			}
			if rec, n, err := a.Current(t.Context(), "a"); err != nil || n != 1 || rec.Key != "1" {
				t.Errorf("want version 1 of the first drop, got %d of %s %v", n, rec.Key.Quoted(), err)
			}
		})
	}
}

// A drop that is walked again long after, by whomever, comes to what it came to, whatever happened to its name since.
func TestApply_repeatedLaterKeepsTheOrder(t *testing.T) {
	for _, conflict := range policies {
		t.Run(string(conflict), func(t *testing.T) {
			a := open(t, folder(t))
			var recs []asset.Record
			var outs []asset.Outcome
			for i, body := range []string{"x", "x", "y", "x", "z", "z"} {
				rec, out := mustWalk(t, a, job{key: asset.Key(fmt.Sprint(i)), name: "a.b", conflict: conflict, body: body})
				recs, outs = append(recs, rec), append(outs, out)
			}
			before := versions(t, a, "a.b")
			for _, i := range []int{0, 5, 1, 4, 2, 3, 0} {
				if out, err := a.Apply(t.Context(), recs[i]); err != nil || out != outs[i] {
					t.Errorf("drop %d: want %+v, got %+v %v", i, outs[i], out, err)
				}
			}
			if after := versions(t, a, "a.b"); before != after {
				t.Errorf("want %q, got %q", before, after)
			}
		})
	}
}

func TestApply_manyDropsOfOneNameAtOnce(t *testing.T) {
	const n = 32
	for _, conflict := range policies {
		t.Run(string(conflict), func(t *testing.T) {
			a := open(t, folder(t))
			var mu sync.Mutex
			var numbers []int
			var names []string
			var taken, refused int
			var wg sync.WaitGroup
			for i := range 2 * n { // every drop is walked by two nodes
				wg.Go(func() {
					key := asset.Key(fmt.Sprint(i / 2))
					_, out, err := walk(t.Context(), a, job{key: key, name: "a.jpg", conflict: conflict, body: string(key)})
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					defer mu.Unlock()
					switch {
					case out.Skipped || out.Rejected != "":
						refused++
					default:
						taken++
						numbers, names = append(numbers, out.Number), append(names, string(out.Name))
					}
				})
			}
			wg.Wait()
			slices.Sort(numbers)
			slices.Sort(names)
			numbers, names = slices.Compact(numbers), slices.Compact(names)
			switch conflict {
			case asset.ConflictVersion, asset.ConflictReplace:
				want := make([]int, n)
				for i := range want {
					want[i] = i + 1
				}
				if !slices.Equal(want, numbers) || taken != 2*n {
					t.Errorf("want the numbers 1 to %d without a gap, got %v", n, numbers)
				}
			case asset.ConflictRename:
				if len(names) != n || !slices.Contains(names, fmt.Sprintf("a (%d).jpg", n)) {
					t.Errorf("want %d names without a gap, got %q", n, names)
				}
			default:
				if taken != 2 || refused != 2*n-2 {
					t.Errorf("want one drop taken, got %d taken and %d refused", taken, refused)
				}
			}
			want := map[asset.Conflict]int{asset.ConflictVersion: n}[conflict]
			if got := len(strings.Fields(versions(t, a, "a.jpg"))); got != max(want, 1) {
				t.Errorf("want %d versions, got %d", max(want, 1), got)
			}
		})
	}
}

// unlinked is a store that cannot give one file two names.
type unlinked struct{ *storagetest.Mem }

func (u unlinked) Properties() storage.Properties {
	p := u.Mem.Properties()
	p.Links = false
	return p
}

// start is what a walk finds.
type start struct {
	name     string
	unlinked bool
	history  []string // the versions that its name has
}

var starts = []start{
	{"linked", false, []string{"before", "before too"}},
	{"unlinked", true, []string{"before", "before too"}},
	{"unlinked and new", true, nil},
}

func (s start) store(mem *storagetest.Mem) *storagetest.Fault {
	if s.unlinked {
		return storagetest.NewFault(unlinked{mem})
	}
	return storagetest.NewFault(mem)
}

func (s start) open(t *testing.T, f *storagetest.Fault) *Area {
	t.Helper()
	a := open(t, f)
	for i, body := range s.history {
		mustWalk(t, a, job{key: asset.Key(fmt.Sprint(i)), name: "a", body: body, library: true})
	}
	return a
}

// Every operation of a walk fails once, before and after it took effect; a second walk must bring what one walk brings.
func TestWalk_everyFaultIsRepairedByWalkingAgain(t *testing.T) {
	for _, s := range starts {
		for _, conflict := range policies {
			for _, when := range []storagetest.When{storagetest.Before, storagetest.After} {
				t.Run(fmt.Sprint(s.name, conflict, when), func(t *testing.T) { everyFault(t, s, conflict, when) })
			}
		}
	}
}

func everyFault(t *testing.T, s start, conflict asset.Conflict, when storagetest.When) {
	t.Helper()
	want, _ := faultyWalk(t, s, conflict, when, -1)
	for at := 0; ; at++ {
		got, struck := faultyWalk(t, s, conflict, when, at)
		if want != got {
			t.Fatalf("fault at operation %d: want %s, got %s", at, want, got)
		}
		if !struck {
			return
		}
	}
}

func faultyWalk(t *testing.T, s start, conflict asset.Conflict, when storagetest.When, at int) (string, bool) {
	t.Helper()
	f := s.store(storagetest.NewMem())
	a := s.open(t, f)
	j := job{key: "2", name: "a", conflict: conflict, body: "the drop", library: true}
	if at >= 0 {
		f.Inject(storagetest.Rule{When: when, After: at, Times: 1, Err: errors.New("broken")})
	}
	_, _, err := walk(t.Context(), a, j)
	struck := f.Fired() > 0
	f.Clear()
	if err == nil && at >= 0 && !struck {
		return summary(t, a, f), false
	}
	if _, _, err := walk(t.Context(), a, j); err != nil {
		t.Fatalf("fault at operation %d: the second walk: %v", at, err)
	}
	return summary(t, a, f), struck
}

// summary is all that people can see of the name a.
func summary(t *testing.T, a *Area, s *storagetest.Fault) string {
	t.Helper()
	return fmt.Sprintf("%s; %s; %d records; library %q",
		versions(t, a, "a"), versions(t, a, "a (2)"), len(tree(t, s, "workarea/ledger")), storagetest.Content(t, s, "workarea/library/a"))
}

// The power goes after any operation; what Apply had acknowledged is there, and a second walk brings the rest.
func TestWalk_powerCutAtEveryOperation(t *testing.T) {
	for _, s := range starts {
		for _, conflict := range policies {
			t.Run(fmt.Sprint(s.name, conflict), func(t *testing.T) { powerCuts(t, s, conflict) })
		}
	}
}

func powerCuts(t *testing.T, s start, conflict asset.Conflict) {
	t.Helper()
	for at := 0; ; at++ {
		mem := storagetest.NewMem()
		f := s.store(mem)
		f.OnCrash = func(string, asset.Key) {}
		a := s.open(t, f)
		j := job{key: "2", name: "a", conflict: conflict, body: "the drop"}
		f.Inject(storagetest.Rule{After: at, Crash: true, Times: 1})
		_, out, err := walk(t.Context(), a, j)
		struck := f.Fired() > 0
		mem.PowerCut()
		f.Reset()
		b := open(t, f)
		if err == nil && !struck {
			mustHold(t, b, j, out)
			return
		}
		_, out = mustWalk(t, b, j)
		mem.PowerCut()
		mustHold(t, b, j, out)
	}
}

// Another walk has entered version 1 and did not come to its sync: an acknowledged version 2 must not hang on that.
func TestApply_makesVersion1DurableToo(t *testing.T) {
	mem := storagetest.NewMem()
	f := storagetest.NewFault(mem)
	a := open(t, f)
	first := job{key: "1", name: "a", body: "first"}
	f.Inject(storagetest.Rule{Op: storagetest.OpSync, Times: 1, Err: errors.New("broken")})
	if _, _, err := walk(t.Context(), a, first); err == nil {
		t.Fatal("want the first walk to break off")
	}
	mustWalk(t, a, job{key: "2", name: "a", body: "the drop"})
	mem.PowerCut()
	if rec, n, err := a.Current(t.Context(), "a"); err != nil || n != 2 || body(t, a, rec.Content.Hash) != "the drop" {
		t.Errorf("want version 2 to be seen, got %d of %s: %v", n, rec.Key.Quoted(), err)
	}
}

// mustHold checks that an acknowledged import outlived a power cut.
func mustHold(t *testing.T, a *Area, j job, out asset.Outcome) {
	t.Helper()
	rec, err := a.Record(t.Context(), j.record().Drop)
	if err != nil {
		t.Fatal(err)
	}
	if got := body(t, a, rec.Content.Hash); got != j.body {
		t.Errorf("want %q, got %q", j.body, got)
	}
	if want, got := fmt.Sprintf("%d:the drop", out.Number), versions(t, a, "a"); j.conflict == asset.ConflictReplace && want != got {
		t.Errorf("want %q, got %q", want, got)
	}
	again, err := a.Apply(t.Context(), rec)
	if err != nil || again != out {
		t.Errorf("want %+v again, got %+v %v", out, again, err)
	}
	if out.Number > 0 && !strings.Contains(versions(t, a, out.Name), fmt.Sprintf("%d:%s", out.Number, j.body)) {
		t.Errorf("want version %d of %s, got %q", out.Number, out.Name, versions(t, a, out.Name))
	}
}

func TestApply_libraryShowsTheHighestVersion(t *testing.T) {
	s := folder(t)
	a := open(t, s)
	old, _ := mustWalk(t, a, job{key: "1", name: "d/a", body: "old", library: true})
	mustWalk(t, a, job{key: "2", name: "d/a", body: "new", library: true})
	if _, err := a.Apply(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	if want, got := "new", storagetest.Content(t, s, "workarea/library/d/a"); want != got {
		t.Errorf("want %q, got %q", want, got)
	}
	// A name below a file cannot be shown in a tree of files. It is imported all the same.
	if _, out := mustWalk(t, a, job{key: "3", name: "d/a/b", body: "below", library: true}); out.Number != 1 {
		t.Errorf("want version 1, got %+v", out)
	}
	if _, out := mustWalk(t, a, job{key: "4", name: "d", body: "above", library: true}); out.Number != 1 {
		t.Errorf("want version 1, got %+v", out)
	}
}

func TestApply_libraryOfManyNodesEndsWithTheHighest(t *testing.T) {
	s := folder(t)
	a := open(t, s)
	var wg sync.WaitGroup
	for i := range 24 {
		wg.Go(func() {
			if _, _, err := walk(t.Context(), a, job{key: asset.Key(fmt.Sprint(i)), name: "a", body: fmt.Sprint(i), library: true}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	rec, _, err := a.Current(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	if want, got := body(t, a, rec.Content.Hash), storagetest.Content(t, s, "workarea/library/a"); want != got {
		t.Errorf("want the current version %q, got %q", want, got)
	}
}

func TestApply_withoutARecordIsRefused(t *testing.T) {
	for _, s := range []storage.Store{folder(t), unlinked{storagetest.NewMem()}} {
		a := open(t, s)
		rec := job{key: "x"}.record()
		rec.Content = asset.Content{Hash: asset.Hash{1}}
		if _, err := a.Apply(t.Context(), rec); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("want fs.ErrNotExist, got %v", err)
		}
	}
}

func TestApply_endedContextTellsItsCause(t *testing.T) {
	a := open(t, folder(t))
	rec, _ := mustWalk(t, a, job{key: "x", body: "x"})
	lost := errors.New("lease lost")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(lost)
	if _, err := a.Apply(ctx, rec); !errors.Is(err, lost) {
		t.Errorf("want the cause, got %v", err)
	}
}

// The node of version 1 is paused in the middle of writing the library while version 2 is imported whole.
func TestApply_libraryOfAPausedNodeDoesNotStay(t *testing.T) {
	s := folder(t)
	other := open(t, s)
	h := &storeHook{Store: s}
	a := open(t, h)
	h.before = func(k asset.Key) {
		if k == "workarea/library/a" {
			h.before = func(asset.Key) {}
			mustWalk(t, other, job{key: "2", name: "a", body: "second", library: true})
		}
	}
	if _, out := mustWalk(t, a, job{key: "1", name: "a", body: "first", library: true}); out.Number != 1 {
		t.Errorf("want version 1, got %+v", out)
	}
	if want, got := "second", storagetest.Content(t, s, "workarea/library/a"); want != got {
		t.Errorf("want %q, got %q", want, got)
	}
}

// storeHook calls before each copy, put and removal.
type storeHook struct {
	storage.Store
	before func(asset.Key)
}

func (h *storeHook) Copy(ctx context.Context, src storage.Object, k asset.Key, o storage.PutOptions) (storage.Object, error) {
	h.before(k)
	return h.Store.Copy(ctx, src, k, o)
}

func (h *storeHook) Put(ctx context.Context, k asset.Key, r io.Reader, o storage.PutOptions) (storage.Object, error) {
	h.before(k)
	return h.Store.Put(ctx, k, r, o)
}

func (h *storeHook) Remove(ctx context.Context, k asset.Key, v asset.Version) error {
	h.before(k)
	return h.Store.Remove(ctx, k, v)
}

// A record that was written long ago must not make the walk read the whole history of its name.
func TestApply_readsOneEntryOfALongHistory(t *testing.T) {
	f := storagetest.NewFault(folder(t))
	a := open(t, f)
	for i := range 20 {
		mustWalk(t, a, job{key: asset.Key(fmt.Sprint(i)), name: "a", body: fmt.Sprint(i)})
	}
	rec, _, err := commit(t.Context(), a, job{key: "last", name: "a", body: "last"})
	if err != nil {
		t.Fatal(err)
	}
	w := &applying{a: a, rec: rec, ledger: storage.Object{Key: "x", ModTime: time.Now().Add(time.Minute)}}
	f.Reset()
	if _, err := w.look(t.Context(), "a", nil); err != nil {
		t.Fatal(err)
	}
	if got := f.Count(storagetest.OpOpen); got != 1 {
		t.Errorf("want one entry read, got %d", got)
	}
}
