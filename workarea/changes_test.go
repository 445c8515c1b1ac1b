package workarea

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"

	"hotfolderd/asset"
	"hotfolderd/storage"
	"hotfolderd/storage/storagetest"
)

// told is a log of changes that a test can look into, and break.
type told struct {
	begin func(name asset.Key) error // nil: no fault
	end   func(ctx context.Context, name asset.Key) error

	mu   sync.Mutex
	all  []string // "begin a", "end a"
	open int
}

func (c *told) Begin(_ context.Context, name asset.Key) (func(context.Context) error, error) {
	if c.begin != nil {
		if err := c.begin(name); err != nil {
			return nil, err
		}
	}
	c.note("begin "+string(name), 1)
	return func(ctx context.Context) error {
		c.note("end "+string(name), -1)
		if c.end == nil {
			return nil
		}
		return c.end(ctx, name)
	}, nil
}

func (c *told) note(what string, open int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, what)
	c.open += open
}

// take returns what was told since the last time.
func (c *told) take() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := strings.Join(c.all, ", ")
	c.all = nil
	return all
}

func openTold(t testing.TB, s storage.Store) (*Area, *told) {
	t.Helper()
	c := &told{}
	a, err := Open(t.Context(), s, Options{Node: "node-a", Changes: c})
	if err != nil {
		t.Fatal(err)
	}
	return a, c
}

const toldOnce = "begin a, end a"

func TestChanges_onlyWhatAnExistingNameStandsForIsTold(t *testing.T) {
	for _, c := range []struct {
		what   string
		before []string // the bytes of the versions that are there
		drop   job
		want   string
	}{
		{"a new name", nil, job{body: "1"}, ""},
		{"a second version", []string{"1"}, job{body: "2"}, toldOnce},
		{"a second version that replaces", []string{"1"}, job{body: "2", conflict: asset.ConflictReplace}, toldOnce},
		{"the bytes of version 1 again", []string{"1"}, job{body: "1"}, ""},
		{"the bytes of version 2 again", []string{"1", "2"}, job{body: "2"}, toldOnce},
		{"skipped", []string{"1"}, job{body: "2", conflict: asset.ConflictSkip}, ""},
		{"rejected", []string{"1"}, job{body: "2", conflict: asset.ConflictReject}, ""},
		{"renamed", []string{"1"}, job{body: "2", conflict: asset.ConflictRename}, ""},
		{"a new name with a library", nil, job{body: "1", library: true}, ""},
		{"a second version with a library", []string{"1"}, job{body: "2", library: true}, toldOnce},
	} {
		t.Run(c.what, func(t *testing.T) {
			a, changes := openTold(t, folder(t))
			for i, body := range c.before {
				mustWalk(t, a, job{key: asset.Key(fmt.Sprint("before", i)), name: "a", body: body})
			}
			changes.take()
			c.drop.key, c.drop.name = "the drop", "a"
			rec, out := mustWalk(t, a, c.drop)
			if got := changes.take(); got != c.want {
				t.Errorf("want %q told, got %q", c.want, got)
			}
			if again, err := a.Apply(t.Context(), rec); err != nil || again != out {
				t.Fatalf("want %+v again, got %+v, %v", out, again, err)
			}
			if got := changes.take(); got != c.want {
				t.Errorf("applied again: want %q told once more, got %q", c.want, got)
			}
		})
	}
}

func TestChanges_putTellsAndRemoveTellsAlsoWithoutTheName(t *testing.T) {
	a, changes := openTold(t, folder(t))
	for i, want := range []string{"", toldOnce, toldOnce} {
		if _, _, err := a.Put(t.Context(), "a", strings.NewReader(fmt.Sprint(min(i, 1))), asset.DoorCLI); err != nil {
			t.Fatal(err)
		}
		if got := changes.take(); got != want {
			t.Errorf("put %d: want %q, got %q", i, want, got)
		}
	}
	if err := a.Remove(t.Context(), "a"); err != nil || changes.take() != toldOnce {
		t.Errorf("want the removal told, got %v", err)
	}
	// Whoever could not tell the removal repeats it, and finds nothing.
	if err := a.Remove(t.Context(), "a"); !errors.Is(err, fs.ErrNotExist) || changes.take() != toldOnce {
		t.Errorf("want the removal told again, got %v", err)
	}
	if _, _, err := a.Put(t.Context(), "a", strings.NewReader("new"), asset.DoorCLI); err != nil || changes.take() != "" {
		t.Errorf("want a new name to be told to nobody, got %v", err)
	}
}

// Begin comes while the name still stands for the old bytes, end when the new ones outlive a power cut.
func TestChanges_beginsBeforeTheWriteAndEndsWhenItIsDurable(t *testing.T) {
	for what, change := range map[string]func(*Area) error{
		"version": func(a *Area) error {
			_, _, err := walk(t.Context(), a, job{key: "2", name: "a", body: "2"})
			return err
		},
		"replace": func(a *Area) error {
			_, _, err := walk(t.Context(), a, job{key: "2", name: "a", body: "2", conflict: asset.ConflictReplace})
			return err
		},
		"remove": func(a *Area) error { return a.Remove(t.Context(), "a") },
	} {
		t.Run(what, func(t *testing.T) {
			mem := storagetest.NewMem()
			a, changes := openTold(t, mem)
			mustWalk(t, a, job{key: "1", name: "a", body: "1"})
			var before, after string
			changes.begin = func(asset.Key) error { before = versions(t, a, "a"); return nil }
			changes.end = func(context.Context, asset.Key) error {
				mem.PowerCut()
				after = versions(t, a, "a")
				return nil
			}
			if err := change(a); err != nil {
				t.Fatal(err)
			}
			if want := map[string]string{"version": "1:1 2:2", "replace": "2:2"}[what]; before != "1:1" || after != want {
				t.Errorf("want %q before and %q after, got %q and %q", "1:1", want, before, after)
			}
		})
	}
}

func TestChanges_whoCannotTellWritesNothing(t *testing.T) {
	s := folder(t)
	a, changes := openTold(t, s)
	mustWalk(t, a, job{key: "1", name: "a", body: "1"})
	before := tree(t, s, "workarea/catalog")
	changes.begin = func(asset.Key) error { return fmt.Errorf("alone: %w", asset.ErrNotNow) }
	if _, _, err := walk(t.Context(), a, job{key: "2", name: "a", body: "2"}); !errors.Is(err, asset.ErrNotNow) {
		t.Errorf("want ErrNotNow, got %v", err)
	}
	if err := a.Remove(t.Context(), "a"); !errors.Is(err, asset.ErrNotNow) {
		t.Errorf("want ErrNotNow, got %v", err)
	}
	if after := tree(t, s, "workarea/catalog"); !slices.Equal(before, after) {
		t.Errorf("want nothing written, got %q", after)
	}
	if _, out := mustWalk(t, a, job{key: "3", name: "b", body: "3"}); out.Number != 1 {
		t.Errorf("want a new name imported all the same, got %+v", out)
	}
	changes.begin = nil
	if _, out := mustWalk(t, a, job{key: "2", name: "a", body: "2"}); out.Number != 2 || changes.take() != toldOnce {
		t.Errorf("want it imported when the others can be told, got %+v", out)
	}
}

func TestChanges_whatWasWrittenAndNotToldIsToldByRepeatingIt(t *testing.T) {
	a, changes := openTold(t, folder(t))
	mustWalk(t, a, job{key: "1", name: "a", body: "1"})
	notNow := func(context.Context, asset.Key) error { return fmt.Errorf("alone: %w", asset.ErrNotNow) }
	write := func() error { _, _, err := walk(t.Context(), a, job{key: "2", name: "a", body: "2"}); return err }
	put := func() error { _, _, err := a.Put(t.Context(), "a", strings.NewReader("3"), asset.DoorCLI); return err }
	remove := func() error {
		err := a.Remove(t.Context(), "a")
		if errors.Is(err, fs.ErrNotExist) && !errors.Is(err, asset.ErrNotNow) {
			return nil
		}
		return err
	}
	for i, c := range []struct {
		do   func() error
		left string
	}{{write, "1:1 2:2"}, {put, "1:1 2:2 3:3"}, {remove, ""}} {
		changes.end = notNow
		if err := c.do(); !errors.Is(err, asset.ErrNotNow) || versions(t, a, "a") != c.left {
			t.Errorf("%d: want it done and ErrNotNow, got %q, %v", i, versions(t, a, "a"), err)
		}
		changes.take()
		changes.end = nil
		if err := c.do(); err != nil || versions(t, a, "a") != c.left || changes.take() != toldOnce {
			t.Errorf("%d: want it told and nothing else, got %q, %v", i, versions(t, a, "a"), err)
		}
	}
}

// Two nodes enter a new name at once. Nobody could keep anything of it, but the loser's version is the second.
func TestChanges_whoLosesTheFirstNumberTells(t *testing.T) {
	s := folder(t)
	other, others := openTold(t, s)
	h := &storeHook{Store: s, before: func(asset.Key) {}}
	a, changes := openTold(t, h)
	h.before = func(k asset.Key) {
		if k == "workarea/catalog/a.1.json" {
			h.before = func(asset.Key) {}
			mustWalk(t, other, job{key: "1", name: "a", body: "1"})
		}
	}
	changes.begin = func(asset.Key) error {
		if got := versions(t, other, "a"); got != "1:1" {
			t.Errorf("want it told before the second version is there, got %q", got)
		}
		return nil
	}
	if _, out := mustWalk(t, a, job{key: "2", name: "a", body: "2"}); out.Number != 2 {
		t.Errorf("want number 2, got %+v", out)
	}
	if others.take() != "" || changes.take() != toldOnce {
		t.Error("want only the second to tell, and once")
	}
}

func TestChanges_endsOnceWhateverHappens(t *testing.T) {
	for _, when := range []storagetest.When{storagetest.Before, storagetest.After} {
		for at := 0; ; at++ {
			f := storagetest.NewFault(storagetest.NewMem())
			a, changes := openTold(t, f)
			mustWalk(t, a, job{key: "1", name: "a", body: "1", library: true})
			rec, _, err := commit(t.Context(), a, job{key: "2", name: "a", body: "2", library: true})
			if err != nil {
				t.Fatal(err)
			}
			f.Reset()
			f.Inject(storagetest.Rule{When: when, After: at, Times: 1, Err: errors.New("broken")})
			_, applied := a.Apply(t.Context(), rec)
			removed := a.Remove(t.Context(), "a")
			if changes.open != 0 {
				t.Fatalf("fault at operation %d: want each begin ended, got %q (%v, %v)", at, changes.take(), applied, removed)
			}
			if f.Fired() == 0 {
				break
			}
		}
	}
}

func TestChanges_endsAfterAPanicAndAfterTheCaller(t *testing.T) {
	s := folder(t)
	h := &storeHook{Store: s, before: func(asset.Key) {}}
	a, changes := openTold(t, h)
	mustWalk(t, a, job{key: "1", name: "a", body: "1"})
	ctx, cancel := context.WithCancel(t.Context())
	changes.begin = func(asset.Key) error { cancel(); return nil }
	changes.end = func(ctx context.Context, _ asset.Key) error {
		if ctx.Err() != nil {
			t.Error("want a context that goes on")
		}
		return nil
	}
	if _, _, err := walk(ctx, a, job{key: "2", name: "a", body: "2"}); !errors.Is(err, context.Canceled) || changes.take() != toldOnce {
		t.Errorf("want it ended, and the caller's end as the reason, got %v", err)
	}
	changes.begin, changes.end = nil, nil
	h.before = func(asset.Key) { panic("on purpose") }
	func() {
		defer func() { recover() }()
		_ = a.Remove(t.Context(), "a")
	}()
	if got := changes.take(); got != toldOnce {
		t.Errorf("want it ended, got %q", got)
	}
}

// The node of version 1 comes back when version 2 is there, and writes its bytes over the library for a moment.
func TestChanges_aLateWriterOfTheLibraryTells(t *testing.T) {
	s := folder(t)
	other := open(t, s)
	h := &storeHook{Store: s, before: func(asset.Key) {}}
	a, changes := openTold(t, h)
	h.before = func(k asset.Key) {
		if k == "workarea/library/a" {
			h.before = func(asset.Key) {}
			mustWalk(t, other, job{key: "2", name: "a", body: "2", library: true})
		}
	}
	mustWalk(t, a, job{key: "1", name: "a", body: "1", library: true})
	if got := changes.take(); got != toldOnce {
		t.Errorf("want it told, got %q", got)
	}
}

func TestChanges_rebuildTellsOfEachLaterVersion(t *testing.T) {
	s := folder(t)
	a, changes := openTold(t, s)
	for i := range 3 {
		mustWalk(t, a, job{key: asset.Key(fmt.Sprint(i)), name: "a", body: fmt.Sprint(i)})
	}
	changes.take()
	for _, key := range tree(t, s, "workarea/catalog") {
		if err := s.Remove(t.Context(), asset.Key(key), ""); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := a.Rebuild(t.Context()); err != nil || n != 3 {
		t.Fatalf("want 3 rebuilt, got %d, %v", n, err)
	}
	if want, got := toldOnce+", "+toldOnce, changes.take(); want != got {
		t.Errorf("want %q, got %q", want, got)
	}
}

// A put that cannot be announced leaves nothing that a rebuild would bring in.
func TestPut_ofAKnownNameCommitsNothingThatCannotBeTold(t *testing.T) {
	a, changes := openTold(t, folder(t))
	put := func(body string) error {
		_, _, err := a.Put(t.Context(), "a", strings.NewReader(body), asset.DoorCLI)
		return err
	}
	if err := put("1"); err != nil || changes.take() != "" {
		t.Fatalf("a new name: %v", err)
	}
	changes.begin = func(asset.Key) error { return fmt.Errorf("alone: %w", asset.ErrNotNow) }
	if err := put("2"); !errors.Is(err, asset.ErrNotNow) {
		t.Errorf("want ErrNotNow, got %v", err)
	}
	changes.begin = nil
	n, err := a.Rebuild(t.Context())
	if err != nil || n != 0 || versions(t, a, "a") != "1:1" {
		t.Errorf("a rebuild brought %d in: %q, %v", n, versions(t, a, "a"), err)
	}
	if err := put("2"); err != nil || changes.take() != "begin a, end a" || changes.open != 0 {
		t.Errorf("told once around it: %v, %d open", err, changes.open)
	}
}
