package posix

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// watched is a hotfolder "in" that is watched, and a place outside of it.
type watched struct {
	t     *testing.T
	s     *Store
	hints <-chan storage.Hint
	end   context.CancelFunc
	marks int
}

func watching(t *testing.T, prefix asset.Key, enter func(asset.Key) bool) *watched {
	t.Helper()
	s := open(t)
	w := &watched{t: t, s: s}
	w.mkdir("in")
	w.mkdir("out")
	ctx, cancel := context.WithCancel(t.Context())
	hints, err := s.Watch(ctx, prefix, storage.WatchOptions{Enter: enter})
	if err != nil {
		t.Fatal(err)
	}
	w.hints, w.end = hints, cancel
	t.Cleanup(func() {
		cancel()
		for range hints { // until it is closed
		}
	})
	return w
}

func (w *watched) path(key asset.Key) string { return filepath.Join(w.s.Dir(), string(key)) }

func (w *watched) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *watched) mkdir(key asset.Key) { w.t.Helper(); w.must(os.MkdirAll(w.path(key), 0o777)) }

func (w *watched) write(key asset.Key) {
	w.t.Helper()
	w.must(os.WriteFile(w.path(key), []byte("x"), 0o666))
}

// until reads hints until one is as wanted, and returns all of them.
func (w *watched) until(what string, wanted func(storage.Hint) bool) []storage.Hint {
	w.t.Helper()
	var all []storage.Hint
	late := time.After(20 * time.Second)
	for {
		select {
		case h, ok := <-w.hints:
			if !ok {
				w.t.Fatalf("want %s, got the end after %v", what, all)
			}
			if all = append(all, h); wanted(h) {
				return all
			}
		case <-late:
			w.t.Fatalf("want %s, got only %v", what, all)
		}
	}
}

// sofar makes a file in dir and returns all hints before the one about it: what happened before has been told by then.
func (w *watched) sofar(dir asset.Key) []storage.Hint {
	w.t.Helper()
	w.marks++
	mark := dir.Join(asset.Key(fmt.Sprint("mark", w.marks)))
	w.write(mark)
	all := w.until("a hint of the mark", func(h storage.Hint) bool { return h.Key == mark })
	return all[:len(all)-1]
}

func created(key asset.Key) func(storage.Hint) bool {
	return func(h storage.Hint) bool { return h == storage.Hint{Key: key, Created: true} }
}

func about(key asset.Key) func(storage.Hint) bool {
	return func(h storage.Hint) bool { return h == storage.Hint{Key: key} }
}

func rescan(key asset.Key) func(storage.Hint) bool {
	return func(h storage.Hint) bool { return h == storage.Hint{Key: key, Rescan: true} }
}

func TestWatch_tellsOfWhatIsMadeWrittenAndRenamedInto(t *testing.T) {
	w := watching(t, "in", nil)
	w.write("in/a")
	w.until("a hint that it was created", created("in/a"))
	w.until("a hint that it was written", about("in/a"))
	w.write("out/b")
	w.must(os.Rename(w.path("out/b"), w.path("in/b\n.jpg")))
	w.until("a hint that it was renamed into place", created("in/b\n.jpg"))
	w.must(os.Rename(w.path("in/a"), w.path("in/c")))
	w.until("a hint of the new name", created("in/c"))
	w.must(os.Remove(w.path("in/c")))
	if got := w.sofar("in"); len(got) != 0 {
		t.Errorf("want no word about what is gone, got %v", got)
	}
}

func TestWatch_tellsOfNoOtherFolder(t *testing.T) {
	w := watching(t, "in", nil)
	w.write("out/a")
	w.mkdir("inner")
	w.write("inner/b")
	if got := w.sofar("in"); len(got) != 0 {
		t.Errorf("want nothing, got %v", got)
	}
}

func TestWatch_namesANewFolderAndWatchesWhatIsBelow(t *testing.T) {
	w := watching(t, "in", nil)
	for _, key := range []asset.Key{"in/a", "in/a/b", "in/a/b/c"} {
		w.mkdir(key)
		w.until("a rescan of the new folder "+string(key), rescan(key))
	}
	w.write("in/a/b/c/x")
	w.until("a hint from below", func(h storage.Hint) bool { return h.Key == "in/a/b/c/x" })
	w.mkdir("out/d/e")
	w.write("out/d/e/y")
	w.must(os.Rename(w.path("out/d"), w.path("in/a/b/d")))
	w.until("a rescan of the folder that was moved in", rescan("in/a/b/d"))
	w.write("in/a/b/d/e/z")
	w.until("a hint from below it", created("in/a/b/d/e/z"))
}

// Folders that are made all at once may hold something before they are watched; a hint or a rescan tells of it.
func TestWatch_missesNothingInFoldersMadeAtOnce(t *testing.T) {
	w := watching(t, "in", nil)
	const folders = 100
	made := make(chan struct{})
	go func() {
		defer close(made)
		for i := range folders {
			top := asset.Key(fmt.Sprint("in/t", i))
			err := os.MkdirAll(w.path(top+"/b/c"), 0o777)
			if err == nil {
				err = os.WriteFile(w.path(top+"/b/c/x"), nil, 0o666)
			}
			if err != nil {
				t.Error(err)
			}
		}
	}()
	found := map[asset.Key]bool{}
	w.until("a word about every file", func(h storage.Hint) bool {
		if h.Key.Base() == "x" {
			found[h.Key] = true
		}
		if h.Rescan { // as the receiver does, at once
			for o, err := range w.s.List(t.Context(), h.Key, storage.ListOptions{Recursive: true}) {
				if err == nil && o.Kind == storage.Regular {
					found[o.Key] = true
				}
			}
		}
		return len(found) == folders
	})
	<-made
}

func TestWatch_namesThingsAnewWhenTheirFolderIsRenamed(t *testing.T) {
	w := watching(t, "in", nil)
	w.mkdir("in/f0/sub")
	w.until("a rescan of the new folder", rescan("in/f0"))
	for i := range 30 {
		from, to := asset.Key(fmt.Sprint("in/f", i)), asset.Key(fmt.Sprint("in/f", i+1))
		w.must(os.Rename(w.path(from), w.path(to)))
		w.until("a rescan of "+string(to), rescan(to))
		w.write(to + "/x")
		w.until("a hint by the new name", about(to+"/x"))
		w.write(to + "/sub/y")
		w.until("a hint from below by the new name", about(to+"/sub/y"))
	}
}

func TestWatch_leavesOutFoldersThatAreNotEntered(t *testing.T) {
	w := watching(t, "in", func(key asset.Key) bool { return key.Base() != "skip" })
	w.mkdir("in/skip/deep")
	w.mkdir("in/ok/skip")
	w.until("a rescan of the other folder", rescan("in/ok"))
	w.write("in/skip/a")
	w.write("in/skip/deep/b")
	w.write("in/ok/skip/c")
	for _, h := range append(w.sofar("in/ok"), w.sofar("in")...) {
		if h.Key == "in/skip" || strings.Contains(string(h.Key), "skip/") {
			t.Errorf("want no hint from a folder that is not entered, got %+v", h)
		}
	}
}

func TestWatch_neverTellsOfTheStoresOwnFolder(t *testing.T) {
	w := watching(t, asset.Root, nil)
	for i := range 20 {
		key := asset.Key(fmt.Sprint("in/k", i))
		put(t, w.s, key, "x", storage.PutOptions{Deferred: true})
		w.must(w.s.Remove(t.Context(), key, ""))
	}
	other, err := Open(t.Context(), w.s.Dir(), Options{})
	w.must(err)
	w.must(other.Close())
	all := w.sofar("in")
	if len(all) == 0 {
		t.Error("want hints of the objects themselves, got none")
	}
	for _, h := range all {
		if _, below := h.Key.Below(Private); below || h.Key == Private {
			t.Errorf("want no hint from %s, got %+v", Private, h)
		}
	}
}

func TestWatch_whatDoesNotFitBecomesARescan(t *testing.T) {
	w := watching(t, "in", nil)
	for i := range hintBuffer + 500 { // each makes two or more hints
		w.write(asset.Key(fmt.Sprintf("in/f%05d", i)))
	}
	full := time.Now().Add(20 * time.Second)
	for len(w.hints) < cap(w.hints) {
		if time.Now().After(full) {
			t.Fatalf("want the buffer full, got %d of %d", len(w.hints), cap(w.hints))
		}
		time.Sleep(time.Millisecond)
	}
	w.until("a rescan of all", rescan("in"))
	w.write("in/after")
	w.until("hints again", about("in/after"))
}

func TestSend_isNeverHeldUpAndRemembersALoss(t *testing.T) {
	w := &watch{out: make(chan storage.Hint, 2)}
	for range 5 {
		w.send(storage.Hint{Key: "a"})
	}
	if len(w.out) != 2 || !w.lost {
		t.Errorf("want two hints and a loss, got %d, %v", len(w.out), w.lost)
	}
}

func TestWatch_endsWhenItsFolderIsGone(t *testing.T) {
	for name, lose := range map[string]func(w *watched) error{
		"removed": func(w *watched) error { return os.RemoveAll(w.path("in")) },
		"renamed": func(w *watched) error { return os.Rename(w.path("in"), w.path("elsewhere")) },
	} {
		t.Run(name, func(t *testing.T) {
			w := watching(t, "in", nil)
			w.write("in/a")
			w.must(lose(w))
			late := time.After(20 * time.Second)
			for {
				select {
				case _, ok := <-w.hints:
					if !ok {
						return
					}
				case <-late:
					t.Fatal("want the channel closed, got nothing")
				}
			}
		})
	}
}

func TestWatch_endsWithItsContext(t *testing.T) {
	w := watching(t, "in", nil)
	w.end()
	for range w.hints { // the suite's time limit is the deadline
	}
}

func TestWatch_ofAFolderThatIsNotThere(t *testing.T) {
	s := open(t)
	if hints, err := s.Watch(t.Context(), "none", storage.WatchOptions{}); err == nil || hints != nil {
		t.Errorf("want an error and no channel, got %v", err)
	}
}
