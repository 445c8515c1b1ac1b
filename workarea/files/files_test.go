package files_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
	"hotfolderd/storage/posix"
	"hotfolderd/storage/storagetest"
	"hotfolderd/workarea/files"
)

func TestPut_isReadByAllNodesAndToldWhenItChanges(t *testing.T) {
	onStores(t, func(t *testing.T, nodes []storage.Store) {
		var told changes
		all := trees(nodes, &told)
		first, created, err := all[0].Put(t.Context(), "a/b c/é.txt", strings.NewReader("first"), always, nil)
		if err != nil || !created || len(told.told) > 0 {
			t.Fatalf("want a new file that nobody is told of, got %v, %v, told %v", created, err, told.told)
		}
		for _, tree := range all {
			if f := wantContent(t, tree, "a/b c/é.txt", "first"); f.Tag != first.Tag {
				t.Errorf("want the tag that the write answered, got %q and %q", first.Tag, f.Tag)
			}
		}
		second, created, err := all[1].Put(t.Context(), "a/b c/é.txt", strings.NewReader("second, longer"), always, nil)
		if err != nil || created || second.Tag == first.Tag {
			t.Fatalf("want it replaced with another tag, got %v, %v, %q", created, err, second.Tag)
		}
		for _, tree := range all {
			wantContent(t, tree, "a/b c/é.txt", "second, longer")
		}
		if err := all[2].Remove(t.Context(), "a/b c/é.txt", always, nil); err != nil {
			t.Fatal(err)
		}
		if _, _, err := all[0].Open(t.Context(), "a/b c/é.txt"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("want it gone, got %v", err)
		}
		if want := all[0].Key("a/b c/é.txt"); len(told.told) != 2 || told.told[0] != want || told.told[1] != want || told.open != 0 {
			t.Errorf("want two changes told, got %v, %d open", told.told, told.open)
		}
		told.no = asset.ErrNotNow
		put(t, all[0], "new", "nobody keeps that it was absent")
		if _, _, err := all[0].Put(t.Context(), "new", strings.NewReader("x"), always, nil); !errors.Is(err, asset.ErrNotNow) {
			t.Errorf("want nothing written that cannot be told, got %v", err)
		}
		wantContent(t, all[0], "new", "nobody keeps that it was absent")
	})
}

func TestPut_ofManyWritersWithOneTagOneWins(t *testing.T) {
	onStores(t, func(t *testing.T, nodes []storage.Store) {
		all := trees(nodes, &changes{})
		for round := range 5 {
			path := asset.Key(fmt.Sprintf("race/%d", round))
			was := put(t, all[0], path, "as it was")
			won := raced(t, 12, func(i int) error {
				if i%6 == 5 {
					return all[i%3].Remove(t.Context(), path, ifTag(was.Tag), nil)
				}
				_, _, err := all[i%3].Put(t.Context(), path, strings.NewReader(fmt.Sprintf("writer %d", i)), ifTag(was.Tag), nil)
				return err
			})
			if len(won) != 1 && nodes[0].Properties().RemoveRaces == false {
				t.Fatalf("want one winner, got %v", won)
			}
			if len(won) == 1 && won[0]%6 != 5 {
				wantContent(t, all[1], path, fmt.Sprintf("writer %d", won[0]))
			}
		}
		won := raced(t, 12, func(i int) error {
			_, _, err := all[i%3].Put(t.Context(), "race/new", strings.NewReader(fmt.Sprintf("writer %d", i)), ifNone, nil)
			return err
		})
		if len(won) != 1 {
			t.Fatalf("want one that made it, got %v", won)
		}
		wantContent(t, all[1], "race/new", fmt.Sprintf("writer %d", won[0]))
	})
}

// TestPut_countsWithoutALoss lets writers on three nodes each add one to a number until it took: none may be lost.
func TestPut_countsWithoutALoss(t *testing.T) {
	onStores(t, func(t *testing.T, nodes []storage.Store) {
		all := trees(nodes, &changes{})
		put(t, all[0], "counter", "0")
		const writers, each = 6, 5
		raced(t, writers, func(i int) error {
			for range each {
				if err := increment(t, all[i%3]); err != nil {
					t.Error(err)
				}
			}
			return nil
		})
		wantContent(t, all[0], "counter", fmt.Sprint(writers*each))
	})
}

func increment(t *testing.T, tree *files.Tree) error {
	for {
		r, f, err := tree.Open(t.Context(), "counter")
		if err != nil {
			return err
		}
		b, err := io.ReadAll(r)
		if err = errors.Join(err, r.Close()); err != nil {
			return err
		}
		n := 0
		if _, err := fmt.Sscan(string(b), &n); err != nil {
			return fmt.Errorf("%q: %w", b, err)
		}
		_, _, err = tree.Put(t.Context(), "counter", strings.NewReader(fmt.Sprint(n+1)), ifTag(f.Tag), nil)
		if !errors.Is(err, errNo) {
			return err
		}
	}
}

// raced lets n try the same at once and returns those that had no error; all others must have errNo.
func raced(t *testing.T, n int, try func(i int) error) (won []int) {
	t.Helper()
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { errs[i] = try(i) })
	}
	all.Wait()
	for i, err := range errs {
		if err == nil {
			won = append(won, i)
		} else if !errors.Is(err, errNo) {
			t.Errorf("writer %d: want the condition's error, got %v", i, err)
		}
	}
	return won
}

func TestPut_thatBreaksOffLeavesNothing(t *testing.T) {
	onStores(t, func(t *testing.T, nodes []storage.Store) {
		all := trees(nodes, &changes{})
		put(t, all[0], "kept", "kept")
		cut := errors.New("the client is gone")
		half := io.MultiReader(strings.NewReader(strings.Repeat("x", 3<<20)), iotest.ErrReader(cut))
		for _, path := range []asset.Key{"new/er", "kept"} {
			if _, _, err := all[1].Put(t.Context(), path, half, always, nil); !errors.Is(err, cut) {
				t.Fatalf("want the reader's error, got %v", err)
			}
		}
		wantContent(t, all[0], "kept", "kept")
		n := 0
		for _, err := range nodes[0].List(t.Context(), "workarea/files", storage.ListOptions{Recursive: true}) {
			if n++; err != nil {
				t.Fatal(err)
			}
		}
		if n != 1 {
			t.Errorf("want one file and no folder, got %d things", n)
		}
	})
}

func TestTag_changesWithWhatIsDoneByHand(t *testing.T) {
	s, err := posix.Open(t.Context(), t.TempDir(), posix.Options{})
	store := storagetest.Closing(t, s, err)
	tree := files.New(store, "workarea/files", nil)
	path := onDisk(t, store, "by/hand")
	write(t, path, "one")
	set := time.Now().Add(-time.Hour)
	seen := map[string]string{}
	look := func(what string) {
		t.Helper()
		f, err := tree.Stat(t.Context(), "by/hand")
		if err != nil {
			t.Fatal(err)
		}
		if was, ok := seen[f.Tag]; ok {
			t.Errorf("%s: the tag is that of %s", what, was)
		}
		seen[f.Tag] = what
		time.Sleep(20 * time.Millisecond) // the clock of file systems ticks
	}
	if err := os.Chtimes(path, set, set); err != nil {
		t.Fatal(err)
	}
	look("the first content")
	write(t, path, "two") // in place, of the same size
	if err := os.Chtimes(path, set, set); err != nil {
		t.Fatal(err)
	}
	look("other bytes of the same size, with the same time set")
	write(t, path+".new", "six")
	if err := errors.Join(os.Chtimes(path+".new", set, set), os.Rename(path+".new", path)); err != nil {
		t.Fatal(err)
	}
	look("another file renamed into place")
	put(t, tree, "by/hand", "ten")
	look("one that came by the door")
	if _, _, err := tree.Put(t.Context(), "by/hand", strings.NewReader("x"), ifTag("none of these"), nil); !errors.Is(err, errNo) {
		t.Errorf("want a refusal, got %v", err)
	}
}

func TestList_comesToAllInPages(t *testing.T) {
	onStores(t, func(t *testing.T, nodes []storage.Store) {
		all := trees(nodes, &changes{})
		want := map[asset.Key]bool{}
		for i := range 25 {
			path := asset.Key(fmt.Sprintf("list/f%02d", i))
			put(t, all[0], path, "x")
			want[path] = true
		}
		for _, path := range []asset.Key{"list/a/1", "list/a/2", "list/a-b", "list/a.txt", "list/z/deep/er"} {
			put(t, all[0], path, "x")
		}
		for _, path := range []asset.Key{"list/a", "list/a-b", "list/a.txt", "list/z"} {
			want[path] = true
		}
		for _, limit := range []int{1, 4, 7, 100} {
			got, pages := map[asset.Key]bool{}, 0
			for after, more := "", true; more; pages++ {
				p, err := all[1].List(t.Context(), "list", files.Query{After: after, Limit: limit})
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range p.Files {
					if got[f.Path] {
						t.Errorf("limit %d: %s came twice", limit, f.Path.Quoted())
					}
					if got[f.Path] = true; f.IsFile() && f.Tag == "" {
						t.Errorf("%s has no tag", f.Path.Quoted())
					}
				}
				after, more = p.Next, p.Next != ""
			}
			if fmt.Sprint(got) != fmt.Sprint(want) || pages != (len(want)+limit-1)/limit {
				t.Errorf("limit %d: want %d entries, got %d in %d pages: %v", limit, len(want), len(got), pages, got)
			}
		}
		p, err := all[2].List(t.Context(), "list", files.Query{Prefix: "f1", Limit: 100})
		if err != nil || len(p.Files) != 10 || p.Next != "" {
			t.Errorf("want the 10 that begin with f1, got %d, %v", len(p.Files), err)
		}
		if p, err := all[2].List(t.Context(), asset.Root, files.Query{Limit: 5}); err != nil || len(p.Files) != 1 || p.Files[0].Path != "list" {
			t.Errorf("want the folder list, got %v, %v", p, err)
		}
	})
}

func TestRemoveFolder_takesAnEmptyOneOnly(t *testing.T) {
	onStores(t, func(t *testing.T, nodes []storage.Store) {
		tree := trees(nodes, &changes{})[0]
		if err := nodes[0].(storage.FolderMaker).MakeFolder(t.Context(), tree.Key("some/folder")); err != nil {
			t.Fatal(err)
		}
		put(t, tree, "some/folder/f", "x")
		if err := tree.RemoveFolder(t.Context(), "some/folder"); !errors.Is(err, fs.ErrExist) {
			t.Errorf("want it refused while something is in it, got %v", err)
		}
		if err := tree.Remove(t.Context(), "some/folder/f", always, nil); err != nil {
			t.Fatal(err)
		}
		if err := tree.RemoveFolder(t.Context(), "some/folder"); err != nil {
			t.Error(err)
		}
		if err := tree.RemoveFolder(t.Context(), "some/folder"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("want it gone, got %v", err)
		}
	})
}

func TestPut_doesNotTakeTheNameOfAFolder(t *testing.T) {
	onStores(t, func(t *testing.T, nodes []storage.Store) {
		if nodes[0].Properties().Flat {
			return // a bucket has both
		}
		tree := trees(nodes, &changes{})[0]
		put(t, tree, "a/b", "x")
		for _, path := range []asset.Key{"a", "a/b/c"} {
			if _, _, err := tree.Put(t.Context(), path, strings.NewReader("y"), always, nil); !errors.Is(err, storage.ErrNotRegular) {
				t.Errorf("%s: want it refused as no file, got %v", path.Quoted(), err)
			}
		}
		if err := os.Symlink("b", onDisk(t, nodes[0], "a/link")); err != nil {
			t.Fatal(err)
		}
		if _, _, err := tree.Open(t.Context(), "a/link"); !errors.Is(err, storage.ErrNotRegular) {
			t.Errorf("want a link refused, got %v", err)
		}
	})
}
