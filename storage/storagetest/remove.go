package storagetest

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

var removeCases = []aCase{
	{"Remove_takesItsVersionOnly", removeVersion},
	{"Remove_whateverIsThere", removeAny},
	{"Remove_neverTakesANewerOne", removeOneWriter},
	{"Remove_losesNothingToManyWriters", removeManyWriters},
}

func removeVersion(t *testing.T, s *suite) {
	old := s.put(t, "storagetest/f", "old")
	now := s.put(t, "storagetest/f", "newer")
	wantErr(t, "remove an old version", storage.ErrChanged, s.Remove(t.Context(), "storagetest/f", old.Version))
	s.wantContent(t, "storagetest/f", "newer")
	must(t, "remove", s.other.Remove(t.Context(), "storagetest/f", now.Version))
	s.wantAbsent(t, "storagetest/f")
	wantErr(t, "remove twice", fs.ErrNotExist, s.Remove(t.Context(), "storagetest/f", now.Version))
	must(t, "sync", s.Sync(t.Context(), "storagetest/f"))
	again := s.put(t, "storagetest/f", "came back")
	wantErr(t, "remove an old version of a key that came back", storage.ErrChanged,
		s.Remove(t.Context(), "storagetest/f", now.Version))
	s.wantContent(t, "storagetest/f", "came back")
	must(t, "remove", s.Remove(t.Context(), "storagetest/f", again.Version))
}

func removeAny(t *testing.T, s *suite) {
	s.put(t, "storagetest/f", "whatever")
	must(t, "remove", s.Remove(t.Context(), "storagetest/f", ""))
	s.wantAbsent(t, "storagetest/f")
}

// atOnce runs n at the same time and returns their answers.
func atOnce(n int, do func(i int) error) []error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			errs[i] = do(i)
		})
	}
	close(start)
	wg.Wait()
	return errs
}

// The race of writers who replace a key with removers who remove what they saw. Each content has a length of its own, so
// that no store can take one version for another.

type written struct {
	begun, end time.Time
	removed    bool // a remover was told that this version is gone
}

// tally is what the racers were told.
type tally struct {
	mu       sync.Mutex
	contents []*written // by number
}

func (w *tally) begin() (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.contents = append(w.contents, &written{begun: time.Now()})
	return len(w.contents) - 1
}

func (w *tally) stored(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.contents[n].end = time.Now()
}

// numbered is the content with this number.
func numbered(n int) string { return fmt.Sprintf("%d:", n) + strings.Repeat(".", n) }

func numberOf(content string) int {
	n := -1
	_, _ = fmt.Sscanf(content, "%d:", &n)
	if n < 0 || numbered(n) != content {
		return -1
	}
	return n
}

// removed marks the content of that length.
func (w *tally) removed(size int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for n, c := range w.contents {
		if int64(len(numbered(n))) == size {
			c.removed = true
		}
	}
}

// write stores the next content.
func (w *tally) write(t *testing.T, s storage.Store, key asset.Key) error {
	n := w.begin()
	_, err := s.Put(t.Context(), key, strings.NewReader(numbered(n)), storage.PutOptions{Deferred: true})
	if err == nil {
		w.stored(n)
	}
	return err
}

// remove removes what it sees, and nothing else, until done.
func (w *tally) remove(t *testing.T, s storage.Store, key asset.Key, done <-chan struct{}) error {
	for {
		obj, err := s.Stat(t.Context(), key)
		if err == nil {
			err = s.Remove(t.Context(), key, obj.Version)
		}
		switch {
		case err == nil:
			w.removed(obj.Size)
		case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, storage.ErrChanged):
			return err
		}
		select {
		case <-done:
			return nil
		default:
		}
	}
}

// newest are the numbers of the contents that can have been stored last: no other write began after theirs had ended.
func (w *tally) newest() (last []int) {
	for n, c := range w.contents {
		superseded := slices.ContainsFunc(w.contents, func(o *written) bool { return o.begun.After(c.end) })
		if !superseded {
			last = append(last, n)
		}
	}
	return last
}

// verdict looks at what is left. One of the newest contents must be there, unless one of them was removed by its own
// version; what was removed must not be back. A store whose removals race may lose the newest: that is told, and counted by the caller.
func (w *tally) verdict(t *testing.T, s storage.Store, key asset.Key) (lost bool) {
	t.Helper()
	last := w.newest()
	takenAway := slices.ContainsFunc(last, func(n int) bool { return w.contents[n].removed })
	content, _, err := read(t.Context(), s, key, "")
	if errors.Is(err, fs.ErrNotExist) {
		if !takenAway && w.isBeside(t, s, key, last) {
			t.Log("the newest content got its name back beside the key")
			return false
		}
		if !takenAway && !s.Properties().RemoveRaces {
			t.Fatalf("the newest content (one of %v of %d) is lost, and nobody removed it", last, len(w.contents))
		}
		return !takenAway
	}
	must(t, "read what is left", err)
	switch n := numberOf(content); {
	case n < 0 || n >= len(w.contents):
		t.Fatalf("left is %s, which nobody wrote", brief(content))
	case w.contents[n].removed && s.Properties().RemoveRaces:
		t.Logf("content %d was removed and is back", n)
	case w.contents[n].removed:
		t.Fatalf("content %d was removed and is back", n)
	case !slices.Contains(last, n) && !takenAway && s.Properties().RemoveRaces:
		return true
	case !slices.Contains(last, n) && !takenAway && w.isBeside(t, s, key, last):
		t.Logf("content %d is left; a newer one got its name back beside it", n)
	case !slices.Contains(last, n) && !takenAway:
		t.Fatalf("content %d is left of %d; the newest (%v) is lost, and nobody removed it", n, len(w.contents), last)
	case !slices.Contains(last, n):
		t.Logf("content %d came back after the newer %v were removed", n, last)
	}
	return false
}

// isBeside reports whether one of some contents has a name that begins like the key's: a store that finds the key taken when it gives a name
// back must choose another one.
func (w *tally) isBeside(t *testing.T, s storage.Store, key asset.Key, last []int) bool {
	t.Helper()
	for o, err := range s.List(t.Context(), key.Dir(), storage.ListOptions{}) {
		if errors.Is(err, fs.ErrNotExist) {
			return false // nothing at all is left
		}
		must(t, "list what is left", err)
		if o.Key == key || !strings.HasPrefix(string(o.Key), string(key)+" (") {
			continue
		}
		content, _, err := read(t.Context(), s, o.Key, "")
		must(t, "read what is left", err)
		if slices.Contains(last, numberOf(content)) {
			return true
		}
	}
	return false
}

func removeOneWriter(t *testing.T, s *suite) { s.removeRace(t, 1, 40, 6) }

func removeManyWriters(t *testing.T, s *suite) { s.removeRace(t, 3, 20, 4) }

// removeRace runs rounds of writers that put some contents each while three removers are at work. It ends each round when
// all are done, so that the verdict is about what stays, not about what a look in between shows.
func (s *suite) removeRace(t *testing.T, writers, rounds, puts int) {
	const removers = 3
	removals, losses := 0, 0
	rounds = s.rounds(rounds)
	for round := range rounds {
		key := asset.Key(fmt.Sprintf("storagetest/race/%d", round))
		w := &tally{}
		done := make(chan struct{})
		var writing sync.WaitGroup
		writing.Add(writers)
		go func() { writing.Wait(); close(done) }()
		errs := atOnce(writers+removers, func(i int) error {
			if i >= writers {
				return w.remove(t, [...]storage.Store{s.Store, s.other}[i%2], key, done)
			}
			defer writing.Done()
			for range puts {
				if err := w.write(t, s.Store, key); err != nil {
					return err
				}
			}
			return nil
		})
		must(t, "race", errors.Join(errs...))
		if w.verdict(t, s.other, key) {
			losses++
		}
		for _, c := range w.contents {
			if c.removed {
				removals++
			}
		}
	}
	t.Logf("%d of %d contents were removed by their version", removals, writers*rounds*puts)
	if losses > 0 {
		t.Logf("in %d of %d rounds the newest was lost, as the store's RemoveRaces says it may", losses, rounds)
	}
	if removals == 0 {
		t.Error("no remover ever met a content: this race proves nothing")
	}
}
