package shares

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

func TestPin_allows(t *testing.T) {
	live := []Node{{"a", 1}, {"b", 2}, {"c", 1}, {"idle", 0}}
	for _, c := range []struct {
		pin  Pin
		want string
	}{
		{Pin{}, "a b c"},
		{Pin{RunOn: []string{"b"}}, "b"},
		{Pin{RunOn: []string{"c", "b", "dead"}}, "b c"},
		{Pin{RunOn: []string{"dead"}}, ""},
		{Pin{RunOn: []string{"idle"}}, ""},
		{Pin{Prefer: []string{"a"}}, "a"},
		{Pin{Prefer: []string{"dead", "a"}}, "a"},
		{Pin{Prefer: []string{"dead"}}, "a b c"},
		{Pin{Prefer: []string{"idle"}}, "a b c"},
		{Pin{RunOn: []string{"a", "b"}, Prefer: []string{"b"}}, "b"},
		{Pin{RunOn: []string{"a", "b"}, Prefer: []string{"c"}}, "a b"},
	} {
		var got []string
		for _, n := range c.pin.allows(live) {
			got = append(got, n.ID)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%+v: want %q, got %q", c.pin, c.want, got)
		}
	}
}

// ofSet are the held names of one hotfolder's set.
func ofSet(s *Shares, hotfolder string) (n int) {
	for _, name := range names(s) {
		if strings.HasPrefix(name, "p/"+hotfolder+"/") {
			n++
		}
	}
	return n
}

func TestShares_pinnedHotfolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		a, b := w.start(t, "a"), w.start(t, "b")
		pins := map[string]Pin{"only-b": {RunOn: []string{"b"}}, "better-a": {Prefer: []string{"a"}}, "free": {}, "gone": {RunOn: []string{"z"}}}
		setAll(nodes("a", "b"), pins, a, b)
		rest()
		if ofSet(b.Shares, "only-b") != 16 || ofSet(a.Shares, "better-a") != 16 || len(w.held) != 256+32 {
			t.Fatalf("want each set where it is pinned to, got %v and %v", names(a.Shares), names(b.Shares))
		}
		if lease, done := claim(t, b.Shares, "only-b", "x"); !strings.HasPrefix(lease.Name(), "p/only-b/") {
			t.Errorf("the claim is under %s", lease.Name())
		} else {
			done()
		}
		if a.Mine("only-b", "x") || a.Mine("gone", "x") || b.Mine("gone", "x") || !(a.Mine("free", "x") || b.Mine("free", "x")) {
			t.Error("a pin that does not name the node gives it drops, or none takes them away")
		}
		a.stop()
		b.Set(nodes("b"), pins)
		rest()
		if ofSet(b.Shares, "better-a") != 16 {
			t.Errorf("want b to step in for a, got %v", names(b.Shares))
		}
		a.stop = run(t, a.Shares)
		setAll(nodes("a", "b"), pins, a, b)
		rest()
		if ofSet(a.Shares, "better-a") != 16 {
			t.Errorf("want a to get it back, got %v", names(a.Shares))
		}
		b.stop()
		a.Set(nodes("a"), pins)
		rest()
		if ofSet(a.Shares, "only-b") != 0 || a.Mine("only-b", "x") {
			t.Errorf("want only-b to wait for b, got %v", names(a.Shares))
		}
	})
}

func TestShares_pinAndUnpinMoveAHotfolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		a := w.start(t, "a")
		a.Set(nodes("a"), nil)
		rest()
		old, doneOld := claim(t, a.Shares, "in", "x")
		a.Set(nodes("a"), map[string]Pin{"in": {Prefer: []string{"a"}}})
		if a.Mine("in", "x") {
			t.Error("the old set is used after Set has returned")
		}
		rest()
		lease, done := claim(t, a.Shares, "in", "x")
		if !strings.HasPrefix(lease.Name(), "p/in/") || a.gained.Load() != 2 || old.Context().Err() != nil {
			t.Errorf("want the claim under its own set and Gained called, got %s, %d calls", lease.Name(), a.gained.Load())
		}
		doneOld()
		a.Set(nodes("a"), nil)
		if now, doneNow := claim(t, a.Shares, "in", "x"); now != old {
			t.Errorf("want the claim under %s again, got %s", old.Name(), now.Name())
		} else {
			doneNow()
		}
		rest()
		if ofSet(a.Shares, "in") != 1 || a.gained.Load() != 3 {
			t.Errorf("want only the walk's partition left and Gained called, got %v, %d calls", names(a.Shares), a.gained.Load())
		}
		done()
		rest()
		if ofSet(a.Shares, "in") != 0 || len(a.sets) != 0 || len(w.held) != 256 {
			t.Errorf("want the old set given back and forgotten, got %v", names(a.Shares))
		}
	})
}

func TestShares_pinnedAgainWhileDrained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		a := w.start(t, "a")
		pins := map[string]Pin{"in": {RunOn: []string{"a"}}}
		a.Set(nodes("a"), pins)
		rest()
		lease, done := claim(t, a.Shares, "in", "x")
		a.Set(nodes("a"), nil)
		rest()
		a.Set(nodes("a"), pins)
		rest()
		if again, doneAgain := claim(t, a.Shares, "in", "x"); again != lease || ofSet(a.Shares, "in") != 16 {
			t.Errorf("want the same lease, got %s", again.Name())
		} else {
			doneAgain()
		}
		done()
	})
}

func TestShares_pinnedSetIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		a, b, c := w.start(t, "a"), w.start(t, "b"), w.start(t, "c")
		setAll(nodes("a", "b", "c"), map[string]Pin{"in": {RunOn: []string{"a", "b"}}}, a, b, c)
		rest()
		if x, y := ofSet(a.Shares, "in"), ofSet(b.Shares, "in"); x != 8 || y != 8 {
			t.Errorf("want half each, got %d and %d", x, y)
		}
		if !slices.Contains(append(names(a.Shares), names(b.Shares)...), "p/in/15") {
			t.Error("p/in/15 is nobody's")
		}
	})
}
