package posix

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// TestGlance_tellsOfNamesThatComeAndGo looks at folders as on a share, two levels deep, one of which goes again.
func TestGlance_tellsOfNamesThatComeAndGo(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"in/deep", "in/left out"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Open(t.Context(), dir, Options{Remote: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	hints, err := s.glance(ctx, "in", storage.WatchOptions{Enter: func(key asset.Key) bool { return key != "in/left out" }})
	if err != nil {
		t.Fatal(err)
	}
	told := func(what string, key asset.Key) {
		t.Helper()
		late := time.After(20 * time.Second)
		for {
			select {
			case h := <-hints:
				if !h.Rescan || h.Key == "in/left out" {
					t.Fatalf("%s: got %+v", what, h)
				}
				if h.Key == key {
					return
				}
			case <-late:
				t.Fatalf("%s: no hint of %s", what, key)
			}
		}
	}
	quiet := func() {
		t.Helper()
		for {
			select {
			case <-hints:
			case <-time.After(3 * glanceIdle):
				return
			}
		}
	}
	quiet() // what is there at the start was told
	change := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	change(os.WriteFile(filepath.Join(dir, "in/deep/a"), nil, 0o666))
	told("a file comes", "in/deep")
	quiet() // it was told once more
	change(os.WriteFile(filepath.Join(dir, "in/left out/b"), nil, 0o666))
	change(os.RemoveAll(filepath.Join(dir, "in/deep")))
	told("a folder goes", "in")
	change(os.MkdirAll(filepath.Join(dir, "in/new"), 0o777))
	told("a folder comes", "in/new")
	cancel()
	for range hints { //nolint:revive // until it is closed
	}
}

// While somebody else looks, a name that comes is found late, and soon again when nobody does.
func TestGlance_isRareWhileSomebodyElseLooks(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(t.Context(), dir, Options{Remote: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	g := &glance{s: s, o: storage.WatchOptions{Rarely: func() bool { return true }}, looked: map[asset.Key]*looked{}, out: make(chan storage.Hint, hintBuffer)}
	g.add(asset.Root)
	l := g.due[0]
	for range 3 {
		if !g.look(t.Context(), l) || time.Until(l.next) < glanceRare/2 {
			t.Errorf("want the next look after %s, got it after %s", glanceRare, time.Until(l.next))
		}
	}
	g.o.Rarely = func() bool { return false }
	if !g.look(t.Context(), l) || time.Until(l.next) > glanceIdle {
		t.Errorf("want the next look after %s at most, got it after %s", glanceIdle, time.Until(l.next))
	}
}

// A prefix that goes ends the hints, so that watching begins anew.
func TestGlance_endsWithItsPrefix(t *testing.T) {
	dir := t.TempDir()
	in := filepath.Join(dir, "in")
	if err := os.Mkdir(in, 0o777); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), dir, Options{Remote: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	hints, err := s.glance(t.Context(), "in", storage.WatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(in); err != nil {
		t.Fatal(err)
	}
	late := time.After(20 * time.Second)
	for {
		select {
		case _, more := <-hints:
			if !more {
				return
			}
		case <-late:
			t.Fatal("the hints go on")
		}
	}
}
